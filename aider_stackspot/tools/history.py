"""Earlier calls and their results, as they stand in the prompt.

A call in the history has the syntax the model is asked to use, plus the `id` that the result refers to. Everything that
came from outside is escaped (see `protocol`), so no file or web page that a tool has read can forge a call, end its own
result early or pass for another one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from aider_stackspot.tools.protocol import (
    CLOSE,
    OPEN,
    PART_CLOSE,
    PART_OPEN,
    RESULT_CLOSE,
    RESULT_OPEN,
    escape_json,
    escape_text,
)
from aider_stackspot.tools.repair import members

_TEXT_PARTS = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal"}


def to_json(value: Any) -> str:
    """Compact JSON in which no marker can stand.

    Raises:
        ValueError: NaN or an infinity.
    """
    return escape_json(json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False))


def render_call(name: str, arguments: Mapping[str, Any] | str, call_id: str | None = None) -> str:
    """One call between its markers.

    Args:
        name: the tool's name.
        arguments: an object, or the JSON text of one as the OpenAI API has it, which keeps its spelling. Text that is
            no JSON object (another model's slip) stands as a JSON string, so that it stays what it was.
        call_id: what the call's result refers to; left out when None.
    """
    head = "" if call_id is None else f'"id":{to_json(call_id)},'
    return f'{OPEN}\n{{{head}"name":{to_json(name)},"arguments":{_arguments(arguments)}}}\n{CLOSE}'


def render_message(message: Mapping[str, Any], text_of: Callable[[Any], str] | None = None) -> str:
    """The text of one message, with its calls or as a result, and every marker in its content escaped.

    A message without calls and markers is its own content, unchanged. Two messages that differ in what they say never
    give the same text, so long as `text_of` keeps them apart.

    Args:
        message: of the OpenAI Chat Completions API, any role. `function` and `function_call`, the old forms, are read.
        text_of: makes the unescaped text of a content that is not a string or None. By default one text part is its
            text and several parts stay apart.

    Raises:
        ValueError: a content part that is not text.
    """
    content = _escaped_content(message.get("content"), text_of)
    if is_result(message):
        opening, closing = result_tags(message)
        return f"{opening}\n{content}\n{closing}"
    calls = render_calls(message)
    return "\n".join([content, *calls] if content else calls)


def is_result(message: Mapping[str, Any]) -> bool:
    """Whether a message is the result of a call."""
    return message.get("role") in ("tool", "function")


def render_calls(message: Mapping[str, Any]) -> list[str]:
    """The calls of a message, each between its markers; `function_call`, the old form, is read."""
    calls = [_render_history_call(_plain(call)) for call in message.get("tool_calls") or ()]
    if message.get("function_call"):
        calls.append(_render_history_call({"function": _plain(message["function_call"])}))
    return calls


def _render_history_call(call: Mapping[str, Any]) -> str:
    function = _plain(call.get("function") or {})
    call_id = call.get("id")
    return render_call(
        str(function.get("name", "")),
        function.get("arguments") or "{}",
        None if call_id is None else str(call_id),
    )


def _plain(value: Any) -> Mapping[str, Any]:
    """A mapping as it is, and a client library's object (pydantic) as one."""
    plain: Mapping[str, Any] = value if isinstance(value, Mapping) else value.model_dump()
    return plain


def result_tags(message: Mapping[str, Any]) -> tuple[str, str]:
    """The markers around a result's content; the opening one says which call it answers."""
    attributes = "".join(
        f" {label}={to_json(str(message[key]))}"
        for label, key in (("id", "tool_call_id"), ("name", "name"))
        if message.get(key) is not None
    )
    return f"{RESULT_OPEN}{attributes}>", RESULT_CLOSE


def _arguments(arguments: Mapping[str, Any] | str) -> str:
    if not isinstance(arguments, str):
        return to_json(arguments)
    if not arguments.strip():
        return "{}"
    try:
        members(arguments)
    except ValueError:
        return to_json(arguments)
    return escape_json(arguments.strip())


def _escaped_content(content: Any, text_of: Callable[[Any], str] | None) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return escape_text(content)
    if text_of is not None:
        return escape_text(text_of(content))
    parts = [escape_text(part if isinstance(part, str) else _part_text(_plain(part))) for part in content]
    if len(parts) == 1:
        return parts[0]
    return "\n".join(f"{PART_OPEN}\n{part}\n{PART_CLOSE}" for part in parts)


def _part_text(part: Mapping[str, Any]) -> str:
    kind = part.get("type", "text")
    if kind not in _TEXT_PARTS:
        raise ValueError(f"a content part of type {kind!r} cannot be sent as text")
    return str(part.get(_TEXT_PARTS[kind]) or "")
