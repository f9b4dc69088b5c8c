"""Which fields the chat endpoints take: anything else is refused, so that sending it is noticed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from aider_stackspot.emulator.recording import RecordedRequest

ULID: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
"""26 characters of Crockford's base 32."""

_ANY: Final = (str, int, float, bool, list, dict)
_IDS: Final = (list,)
_FLAG: Final = (bool,)

AGENT_FIELDS: Final[dict[str, tuple[type, ...]]] = {
    "user_prompt": (str,),
    "streaming": _FLAG,
    "stackspot_knowledge": (bool, str),
    "return_ks_in_response": _FLAG,
    "deep_search_ks": _FLAG,
    "knowledge_source_ids": _IDS,
    "knowledge_sources": _IDS,
    "use_conversation": _FLAG,
    "conversation_id": (str,),
    "upload_ids": _IDS,
    "agent_version_number": (int,),
    "selected_model": (str,),
    "show_chat_processing_state": _FLAG,
}
"""Wire docs/servers.md."""

CHAT_FIELDS: Final[dict[str, tuple[type, ...]]] = {"user_prompt": (str,), "context": (dict,)}
CONTEXT_FIELDS: Final[dict[str, tuple[type, ...]]] = {
    "conversation_id": (str,),
    "agent_id": (str,),
    "agent_built_in": (bool, str),
    "upload_ids": _IDS,
    "knowledge_sources": _IDS,
    "os": (str,),
    "platform": (str,),
    "platform_version": (str,),
    "stackspot_ai_version": (str,),
    "workspace": _ANY,
}
"""Wire docs/servers.md."""

QUICK_COMMAND_FIELDS: Final[dict[str, tuple[type, ...]]] = {
    "input_data": _ANY,
    "execution_tag": (str,),
    "upload_ids": _IDS,
}
"""Wire docs/servers.md."""

_NULLABLE: Final = ("conversation_id", "selected_model", "agent_version_number")


def wrong_request(request: RecordedRequest, fields: Mapping[str, tuple[type, ...]], required: tuple[str, ...]) -> str:
    """What is wrong with a request that carries JSON, in one sentence; empty when nothing is."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        return "Content-Type is not application/json."
    return problem(request.json, fields, required)


def problem(body: object, fields: Mapping[str, tuple[type, ...]], required: tuple[str, ...]) -> str:
    """What is wrong with a JSON document, in one sentence; empty when nothing is."""
    if not isinstance(body, dict):
        return "The body is not a JSON object."
    for name in required:
        if name not in body:
            return f"Field required: {name}"
    for name, value in body.items():
        if name not in fields:
            return f"Unknown field: {name}"
        if not _fits(name, value, fields[name]):
            return f"Wrong type for field: {name}"
    return ""


def _fits(name: str, value: Any, types: tuple[type, ...]) -> bool:
    if value is None:
        return name in _NULLABLE
    if isinstance(value, bool):
        return bool in types
    return isinstance(value, types)
