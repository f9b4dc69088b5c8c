"""The whole answers of StackSpot's endpoints: errors by status, and refusals of requests that are not as documented.

An endpoint takes the documented fields and no others, so that a client which sends something else is noticed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aider_stackspot.emulator.recording import RecordedRequest

JSON: Final = "application/json"
HTML: Final = "text/html; charset=utf-8"
TOO_LONG_CODE: Final = "INFERENCE_6001_LLM_MODEL_BAD_REQUEST"

LOGIN_PAGE: Final = (
    "<!DOCTYPE html><html><head><title>Sign in</title></head>"
    '<body><form action="/login" method="post">Please sign in to use the network.</form></body></html>'
)
_BAD_GATEWAY_PAGE: Final = (
    "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"
)
_ULID: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


@dataclass(frozen=True)
class Reply:
    """A whole HTTP answer: status, body, content type and further headers."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def json_reply(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """An answer whose body is ``value`` as JSON."""
    return Reply(status, json.dumps(value).encode(), headers=headers or {})


def api_error(status: int, type_: str, code: str, details: str) -> Reply:
    """The API's own shape of an error: ``{"type", "code", "details"}`` (docs/wire.md, "Errors")."""
    return json_reply(status, {"type": type_, "code": code, "details": details})


def oauth_error(status: int, error: str, description: str | None = None) -> Reply:
    """The token endpoint's shape of an error, which is OAuth2's (docs/wire.md, "Token endpoint")."""
    body = {"error": error}
    if description:
        body["error_description"] = description
    return json_reply(status, body)


def unprocessable(details: str) -> Reply:
    """422 for a request that is not as documented."""
    return api_error(422, "UnprocessableEntity", "INFERENCE_0005", details)


def too_long(limit: int = 272_000, tokens: int = 300_123) -> Reply:
    """400 for a prompt that is too long; clients read the two numbers from this sentence.

    Args:
        limit: The model's input limit in tokens.
        tokens: What the prompt is said to have made, in tokens.
    """
    details = f"Input tokens exceed the configured limit of {limit} tokens."
    details += f" Your messages resulted in {tokens} tokens."
    return api_error(400, "BadRequestError", TOO_LONG_CODE, details)


def refused(details: str = "The model refused this request.") -> Reply:
    """400 with the code of :func:`too_long` and another reason: the prompt would have fitted."""
    return api_error(400, "BadRequestError", TOO_LONG_CODE, details)


def default_error(status: int, kind: str) -> Reply:
    """The answer to a request of ``kind`` with this status, where the test or the user gave no other."""
    if status == 502:
        return Reply(502, _BAD_GATEWAY_PAGE.encode(), HTML)
    if status == 503:
        return Reply(503)
    if kind == "token":
        error, description = _TOKEN_ERRORS.get(status, ("unknown_error", None))
        return oauth_error(status, error, description)
    if status == 404:
        return json_reply(404, {})
    if status == 400:
        return refused()
    family = "CODEBUDDY" if kind.startswith("quick-command") else "INFERENCE"
    type_, code, details = _API_ERRORS.get(status, ("InternalServerError", "0001", "Something went wrong."))
    if status == 429 and family == "CODEBUDDY":
        code = "1044_QUICK_COMMAND_RATE_LIMIT_EXCEEDED"
    return api_error(status, type_, f"{family}_{code}", details)


_API_ERRORS: Final[dict[int, tuple[str, str, str]]] = {
    401: ("Unauthorized", "0000", "token expired"),
    402: ("PaymentRequired", "0002", "The account has no credit left."),
    403: ("Forbidden", "0000", "The credential has no permission for this agent."),
    408: ("RequestTimeout", "0003", "The request took too long."),
    413: ("PayloadTooLarge", "0004", "The request is too large."),
    422: ("UnprocessableEntity", "0005", "The request has a field that this endpoint does not know."),
    429: ("TooManyRequests", "3008_CHAT_RATE_LIMIT_EXCEEDED", "Request quota exhausted for this credential."),
    504: ("GatewayTimeout", "0006", "The model did not answer in time."),
}
_TOKEN_ERRORS: Final[dict[int, tuple[str, str | None]]] = {
    400: ("unsupported_grant_type", "Unsupported grant_type"),
    401: ("invalid_client", "Invalid client or Invalid client credentials"),
    403: ("access_denied", "The client may not use this realm"),
    404: ("Realm does not exist", None),
}

Fields = Mapping[str, tuple[type, ...]]
"""The fields of a JSON object, and the types that each may have."""

_ANY: Final = (str, int, float, bool, list, dict)
_IDS: Final = (list,)
_FLAG: Final = (bool,)
_NULLABLE: Final = ("conversation_id", "selected_model", "agent_version_number")

AGENT_FIELDS: Final[Fields] = {
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
"""docs/wire.md, "Agents API: request"."""

CHAT_FIELDS: Final[Fields] = {"user_prompt": (str,), "context": (dict,)}
CHAT_CONTEXT_FIELDS: Final[Fields] = {
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
"""docs/wire.md, "Chat API: request"."""

QUICK_COMMAND_FIELDS: Final[Fields] = {
    "input_data": _ANY,
    "execution_tag": (str,),
    "upload_ids": _IDS,
}
"""docs/wire.md, "Quick commands"."""


UPLOAD_FIELDS: Final[Fields] = {
    "file_name": (str,),
    "target_type": (str,),
    "target_id": (str,),
    "expiration": (int,),
}
"""docs/wire.md, "Files and images"."""


def request_problem(request: RecordedRequest, fields: Fields, required: str) -> str:
    """What is wrong with a request that carries a JSON object, in one sentence; empty when nothing is.

    Args:
        request: The request.
        fields: The fields that its body may have.
        required: The one field that it must have.
    """
    if not request.headers.get("content-type", "").startswith(JSON):
        return "Content-Type is not application/json."
    if not isinstance(request.json, dict):
        return "The body is not a JSON object."
    if required not in request.json:
        return f"Field required: {required}"
    return object_problem(request.json, fields)


def object_problem(value: Mapping[str, Any], fields: Fields) -> str:
    """What is wrong with the fields of a JSON object, in one sentence; empty when nothing is."""
    for name, member in value.items():
        if name not in fields:
            return f"Unknown field: {name}"
        if not _fits(name, member, fields[name]):
            return f"Wrong type for field: {name}"
    return ""


def conversation_problem(context: Mapping[str, Any]) -> Reply | None:
    """The refusal of a ``context`` whose ``conversation_id`` is not a ULID; None when it is one."""
    if _ULID.fullmatch(context.get("conversation_id") or ""):
        return None
    details = "context.conversation_id is not a ULID."
    return api_error(400, "BadRequestError", "CODEBUDDY_1001_INVALID_CONVERSATION_ID", details)


def _fits(name: str, value: Any, types: tuple[type, ...]) -> bool:
    if value is None:
        return name in _NULLABLE
    if isinstance(value, bool):
        return bool in types
    return isinstance(value, types)
