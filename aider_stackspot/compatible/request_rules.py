"""What a server's profile changes in a request: pure functions on messages and parameters.

What a server has no means for is refused with its name. Only hints that change nothing in the answer are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aider_stackspot.compatible.profiles import ServerProfile
from aider_stackspot.errors import InvalidRequest

Message = Mapping[str, Any]

_HINTS = frozenset(
    {
        "metadata",
        "parallel_tool_calls",
        "prompt_cache_key",
        "safety_identifier",
        "service_tier",
        "store",
        "user",
    }
)
"""Fields that an answer does not depend on."""
_CLIENT_ARGUMENTS = frozenset({"extra_body", "extra_headers", "max_retries"})
"""Arguments of OpenAI's Python client that are no fields of a request."""
_TEXT_TYPES = frozenset({"text", "input_text"})
_ROLES = {"developer": "system", "function": "user", "tool": "user"}


def messages_for(profile: ServerProfile, messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return the messages as a server takes them.

    Raises:
        InvalidRequest: a message holds what the server cannot read.
    """
    if not profile.text_only and profile.roles is None and profile.message_name:
        return [dict(message) for message in messages]
    return [_message_for(profile, message) for message in messages]


def _message_for(profile: ServerProfile, message: Message) -> dict[str, Any]:
    changed = dict(message)
    if profile.text_only:
        changed["content"] = _text_of(profile, changed.get("content"))
    if profile.roles is not None and changed.get("role") not in profile.roles:
        if changed.get("role") not in _ROLES:
            raise InvalidRequest(f"{profile.title} knows no messages of the role `{changed.get('role')}`.")
        changed["role"] = _ROLES[str(changed["role"])]
    if not profile.message_name:
        if changed.get("tool_calls") or changed.get("function_call"):
            raise InvalidRequest(f"{profile.title} knows no tool calls.")
        changed = {key: changed[key] for key in ("role", "content") if key in changed}
    return changed


def _text_of(profile: ServerProfile, content: object) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    pieces = []
    for part in content if isinstance(content, Sequence) else ():
        kind = part.get("type", "text") if isinstance(part, Mapping) else "text"
        if kind not in _TEXT_TYPES:
            raise InvalidRequest(f"{profile.title} takes text only, and a message holds a part of the type `{kind}`.")
        pieces.append(str(part.get("text", "")) if isinstance(part, Mapping) else str(part))
    return "\n".join(pieces)


def parameters_for(profile: ServerProfile, given: Mapping[str, Any], *, drop: bool = False) -> dict[str, Any]:
    """Return the parameters as a server takes them.

    Args:
        profile: the server's kind.
        given: the arguments of OpenAI's Python client, but for `model` and `messages`.
        drop: leave out what the server does not take, as the caller wished.

    Raises:
        InvalidRequest: the server would refuse a parameter, and the answer depends on it.
    """
    changed = dict(given)
    if profile.parameters is None:
        return changed
    if changed.get("max_completion_tokens") is not None:
        changed.setdefault("max_tokens", changed["max_completion_tokens"])
    changed.pop("max_completion_tokens", None)
    extra = changed.get("extra_body")
    if isinstance(extra, Mapping):
        changed["extra_body"] = _taken(profile, extra, drop)
    kept = {key: value for key, value in changed.items() if key in _CLIENT_ARGUMENTS}
    kept.update(_taken(profile, {key: value for key, value in changed.items() if key not in _CLIENT_ARGUMENTS}, drop))
    if profile.stream_options is not None and isinstance(kept.get("stream_options"), Mapping):
        options = {key: value for key, value in kept["stream_options"].items() if key in profile.stream_options}
        kept["stream_options"] = options
    if profile.finish_needs_usage and kept.get("stream"):
        kept["stream_options"] = {**(kept.get("stream_options") or {}), "include_usage": True}
    return kept


def _taken(profile: ServerProfile, given: Mapping[str, Any], drop: bool) -> dict[str, Any]:
    known = profile.parameters or frozenset()
    refused = [
        key
        for key, value in given.items()
        if key not in known and key not in _HINTS and value is not None and not (key == "n" and value == 1)
    ]
    if refused and not drop:
        raise InvalidRequest(
            f"{profile.title} takes no {', '.join(f'`{key}`' for key in sorted(refused))}. Leave it out, or set "
            "`drop_params`."
        )
    return {key: value for key, value in given.items() if key in known}
