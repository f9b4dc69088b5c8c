"""Tools, calls and cuts that the tests of `aider_stackspot.tools` share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count, pairwise
from typing import Any

from aider_stackspot.tools.events import AnswerWarning, Event, TextDelta, ToolCall
from aider_stackspot.tools.request import read_tool_call_rules
from aider_stackspot.tools.tool_call_parser import ToolCallParser
from aider_stackspot.tools.tool_call_syntax import CALL_CLOSE, CALL_OPEN, calls_as_json

READ_FILE: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "read_file",
        "description": "Read a file.",
        "parameters": {
            "type": "object",
            "properties": {"path": {"type": "string"}, "lines": {"type": "integer"}},
            "required": ["path"],
            "additionalProperties": False,
        },
    },
}
ECHO: dict[str, Any] = {"type": "function", "function": {"name": "echo"}}
TOOLS = [READ_FILE, ECHO]


def block(body: str) -> str:
    """`body` between the markers, as a model writes them."""
    return f"<stk:tool_call>{body}</stk:tool_call>"


def call(path: str = "a.py") -> str:
    """A call that may be made."""
    return block(f'{{"name": "read_file", "arguments": {{"path": "{path}"}}}}')


def earlier_call(name: str, arguments: Any) -> str:
    """A call as the history has it, where it has no id."""
    [written] = calls_as_json({"tool_calls": [{"function": {"name": name, "arguments": arguments}}]}, "message")
    return f"{CALL_OPEN}\n{written}\n{CALL_CLOSE}"


def pieces(text: str, cuts: Iterable[int]) -> list[str]:
    """`text` cut at the given places."""
    places = sorted({0, len(text), *(cut for cut in cuts if cut <= len(text))})
    return [text[start:end] for start, end in pairwise(places)]


def merged(events: Iterable[Event]) -> list[Event]:
    """The events with neighbouring texts made one, for these depend on the cuts."""
    out: list[Event] = []
    for event in events:
        if out and isinstance(event, TextDelta) and isinstance(out[-1], TextDelta):
            out[-1] = TextDelta(out[-1].text + event.text)
        else:
            out.append(event)
    return out


def new_parser(tool_choice: Any = None, tools: Sequence[Any] | None = TOOLS, parallel: bool = True) -> ToolCallParser:
    """A parser whose ids are call_0, call_1 and so on."""
    numbers = count()
    return ToolCallParser(read_tool_call_rules(tools, tool_choice, parallel), lambda: f"call_{next(numbers)}")


def parse(parts: str | Iterable[str], parser: ToolCallParser | None = None) -> list[Event]:
    """All events of an answer."""
    parser = parser or new_parser()
    events: list[Event] = []
    for part in [parts] if isinstance(parts, str) else parts:
        events += parser.feed(part)
    return merged(events + parser.finish())


def text_of(events: Iterable[Event]) -> str:
    """The text a client sees."""
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def calls_of(events: Iterable[Event]) -> list[tuple[str, str]]:
    """Name and arguments of each call."""
    return [(event.name, event.arguments) for event in events if isinstance(event, ToolCall)]


def warnings_of(events: Iterable[Event]) -> list[str]:
    """The messages of the warnings."""
    return [event.message for event in events if isinstance(event, AnswerWarning)]
