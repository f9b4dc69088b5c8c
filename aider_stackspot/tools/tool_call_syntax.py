r"""The syntax of tool calls in a text: its markers, and how calls and results of the history are written in it.

StackSpot takes one text and gives one text, so a tool call travels inside the text::

    <stk:tool_call>
    {"name": "read_file", "arguments": {"path": "a.py"}}
    </stk:tool_call>

and its result comes back in the next prompt as::

    <stk:tool_result id="call_5f0c...">
    the content, with every marker inside it escaped
    </stk:tool_result>

Why this shape. A tag around one JSON object with ``name`` and ``arguments`` is the form most models have seen in
training, and it was measured to work behind StackSpot with the GPT models there. The bare ``<tool_call>`` is avoided
for two reasons: some servers take it for their own syntax and swallow it, and it stands in a great deal of code and
documentation. The prefix ``stk:`` (the name of StackSpot's own command line) makes a marker that ordinary code,
Markdown or XML does not contain: nobody declares an XML namespace of that name with an element ``tool_call``. The name
is in the JSON and not an attribute, so that the opening marker is one constant string.

Escaping. In free text one backslash is put before ``stk:`` (``<\stk:tool_call>``), and one more where some stand
already, so two different texts never become one. Inside JSON the ``<`` becomes ``\u003c``, which JSON reads back as the
same character. Everything that came from outside is escaped, so no file or web page that a tool has read can forge a
call, end its own result early or pass for another one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from aider_stackspot.tools.lenient_json import members
from aider_stackspot.tools.request import as_mapping

CALL_OPEN = "<stk:tool_call>"
CALL_CLOSE = "</stk:tool_call>"
RESULT_OPEN = "<stk:tool_result"
RESULT_CLOSE = "</stk:tool_result>"

# Wider than the parser's own markers: a model may also take "< / STK:" for a boundary.
_MARKER = re.compile(r"<(?P<gap>[/\s]*\\*)(?=stk:)", re.IGNORECASE)


def escape_text(text: str) -> str:
    """Free text in which no marker is left; two different texts stay different."""
    return _MARKER.sub(r"<\g<gap>\\", text)


def to_json(value: Any) -> str:
    """Compact JSON in which no marker can stand.

    Raises:
        ValueError: NaN or an infinity, or what JSON has no form for.
    """
    try:
        return _escape_json(json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False))
    except (TypeError, RecursionError) as error:
        raise ValueError(str(error)) from None


def _escape_json(text: str) -> str:
    """JSON text in which no marker is left and which decodes to the same value."""
    return _MARKER.sub(r"\\u003c\g<gap>", text)


def is_result(message: Mapping[str, Any]) -> bool:
    """Whether a message is the result of a call."""
    return message.get("role") in ("tool", "function")


def result_tags(message: Mapping[str, Any]) -> tuple[str, str]:
    """The markers around a result's content; the opening one says which call it answers."""
    attributes = "".join(
        f" {label}={to_json(str(message[key]))}"
        for label, key in (("id", "tool_call_id"), ("name", "name"))
        if message.get(key) is not None
    )
    return f"{RESULT_OPEN}{attributes}>", RESULT_CLOSE


def calls_as_json(message: Mapping[str, Any], place: str) -> list[str]:
    """The calls of a message of the Chat Completions API, each as the JSON object that stands between the markers.

    Besides `name` and `arguments`, which the model writes too, it has the `id` that the call's result refers to.
    Arguments keep their spelling; text that is no JSON object (another model's slip) stands as a JSON string, so that
    it stays what it was.

    Args:
        message: of any role. `function_call`, the old form, is read too.
        place: where the message stands in the request, for the error.

    Raises:
        ValueError: a call cannot be written; the error names it by position.
    """
    given = message.get("tool_calls") or ()
    if not isinstance(given, list | tuple):
        raise ValueError(f"{place}.tool_calls is a {type(given).__name__}; a list is expected")
    calls = [_tool_call_as_json(call, f"{place}.tool_calls[{position}]") for position, call in enumerate(given)]
    if message.get("function_call"):
        calls.append(_function_as_json(message["function_call"], None, f"{place}.function_call"))
    return calls


def _tool_call_as_json(given: Any, place: str) -> str:
    call = as_mapping(given, place)
    kind = call.get("type") or "function"
    if kind != "function":
        raise ValueError(f"{place} has the type {kind!r}; only calls of functions can be sent")
    return _function_as_json(call.get("function"), call.get("id"), f"{place}.function")


def _function_as_json(given: Any, call_id: Any, place: str) -> str:
    function = as_mapping(given, place)
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise ValueError(f"{place} has no name")
    head = "" if call_id is None else f'"id":{to_json(str(call_id))},'
    try:
        arguments = _arguments(function.get("arguments"))
    except ValueError as error:
        raise ValueError(f"{place}.arguments cannot be written as JSON: {error}") from None
    return f'{{{head}"name":{to_json(name)},"arguments":{arguments}}}'


def _arguments(arguments: Any) -> str:
    """An object, or the JSON text of one, which keeps its spelling."""
    if arguments is None:
        return "{}"
    if not isinstance(arguments, str):
        return to_json(arguments)
    if not arguments.strip():
        return "{}"
    try:
        members(arguments)
    except ValueError:
        return to_json(arguments)
    return _escape_json(arguments.strip())
