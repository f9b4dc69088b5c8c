"""The answer's text, as it streams in, to text and tool calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from aider_stackspot.tools.block import Block, State
from aider_stackspot.tools.call import CallReader, CheckedCall, InvalidToolCall
from aider_stackspot.tools.events import Event, TextDelta, ToolCall, Warning
from aider_stackspot.tools.offer import read_offered_tools
from aider_stackspot.tools.protocol import OPEN, RESULT_OPEN, new_call_id

_CALL = re.compile(re.escape(OPEN))
_CALL_OR_RESULT = re.compile(f"{re.escape(OPEN)}|{re.escape(RESULT_OPEN)}")


class ToolCallParser:
    """Parses one answer.

    What comes out does not depend on how the answer was cut into pieces, except for where one `TextDelta` ends and the
    next begins. Text is given out at once; only the end of a piece that may be the beginning of an opening marker is
    held back, and spaces at the beginning of the answer and after a call (they are dropped where a call follows, or
    where nothing follows a call: they belong to the syntax).

    A block that is no call that may be made is given out as text, exactly as it came, with a warning. A block with an
    end is followed by normal reading; where the end is not known (no closing marker after the JSON, or the answer
    ended), all that follows is text.

    Two things a model writes are not given out at all, with a warning: a tool result it invents after a call of its
    own, and everything behind it; and a second call where `parallel` is off.

    Args:
        tools: the request's `tools`.
        tool_choice: the request's `tool_choice`; with `none`, and without tools, all is text.
        new_id: makes the id of each call.
        parallel: the request's `parallel_tool_calls`.

    Raises:
        ValueError: tools or a choice that cannot be used; see `read_offered_tools`.
    """

    def __init__(
        self,
        tools: Sequence[Any] | None,
        tool_choice: Any = None,
        new_id: Callable[[], str] = new_call_id,
        *,
        parallel: bool = True,
    ) -> None:
        self.calls: list[ToolCall] = []
        self._offer = read_offered_tools(tools, tool_choice, parallel)
        self._reader = CallReader(self._offer)
        self._new_id = new_id
        self._read: Callable[[str, int], int] = self._read_text if self._offer.active else self._read_plain
        self._held = ""  # may be the beginning of a marker
        self._gap: list[str] | None = [] if self._offer.active else None  # spaces that may belong to the syntax
        self._block = Block()
        self._words: list[str] = []
        self._events: list[Event] = []
        self._warned: set[str] = set()

    @property
    def finish_reason(self) -> str:
        """`tool_calls` once a call was given out, else `stop`."""
        return "tool_calls" if self.calls else "stop"

    def feed(self, text: str) -> list[Event]:
        """Read the next piece of the answer and return what is certain by now."""
        data, self._held = self._held + text, ""
        pos = 0
        while pos < len(data):
            pos = self._read(data, pos)
        return self._take()

    def finish(self) -> list[Event]:
        """The answer is over: return what was held back. A second call returns nothing."""
        held, self._held = self._held, ""
        self._text(held)
        if self._read == self._read_block:
            self._text(self._block.raw)
            self._warn("the answer ended inside a tool call; its text was given out as text")
        if self._gap and not self.calls:
            self._words.extend(self._gap)
        self._gap = None
        if self._offer.mode in ("required", "named") and not self.calls:
            self._warn("a tool call was demanded, but the answer has none that can be made")
        self._read = self._read_plain
        return self._take()

    def _read_plain(self, data: str, pos: int) -> int:
        self._text(data[pos:])
        return len(data)

    def _read_nothing(self, data: str, pos: int) -> int:
        return len(data)

    def _read_text(self, data: str, pos: int) -> int:
        match = (_CALL_OR_RESULT if self.calls else _CALL).search(data, pos)
        if match is None:
            end = _end_of_text(data, pos, (OPEN, RESULT_OPEN) if self.calls else (OPEN,))
            self._text(data[pos:end])
            self._held = data[end:]
            return len(data)
        self._text(data[pos : match.start()])
        if match.group() == OPEN:
            self._block = Block()
            self._read = self._read_block
        else:
            self._warn("the model invented a tool result; the answer was cut there")
            self._read = self._read_nothing
        return match.end()

    def _read_block(self, data: str, pos: int) -> int:
        block = self._block
        pos = block.feed(data, pos)
        if block.state is State.READING:
            return pos
        self._read = self._read_text
        if block.state is State.NOT_A_CALL:
            self._text(block.raw)
            self._warn("an opening marker is not followed by a tool call")
        elif block.state is State.BROKEN:
            self._text(block.raw)
            self._warn("a tool call is not closed; the answer from there on was given out as text")
            self._read = self._read_plain
        else:
            self._settle(block)
            if block.state is State.REOPENED:
                self._block = Block()
                self._read = self._read_block
        return pos

    def _settle(self, block: Block) -> None:
        try:
            calls = [self._reader.read(body) for body in block.bodies]
        except InvalidToolCall as problem:
            self._text(block.raw)
            self._warn(f"{problem}; its text was given out as text")
            return
        for call in calls:
            self._deliver(call)

    def _deliver(self, call: CheckedCall) -> None:
        self._gap = []
        if self.calls and not self._offer.parallel:
            self._warn(f"a second tool call, of {call.name!r}, was left out: the client allows one for each answer")
            return
        made = ToolCall(self._new_id(), call.name, call.arguments, len(self.calls))
        self.calls.append(made)
        self._put(made)

    def _text(self, text: str) -> None:
        if self._gap is not None and text:
            self._gap.append(text)
            if text.isspace():
                return
            text = "".join(self._gap)
            self._gap = None
        if text:
            self._words.append(text)

    def _warn(self, message: str) -> None:
        if message not in self._warned:  # a text full of markers must not become a log full of warnings
            self._warned.add(message)
            self._put(Warning(message))

    def _put(self, event: Event) -> None:
        self._flush()
        self._events.append(event)

    def _flush(self) -> None:
        if self._words:
            self._events.append(TextDelta("".join(self._words)))
            self._words.clear()

    def _take(self) -> list[Event]:
        self._flush()
        events, self._events = self._events, []
        return events


def _end_of_text(data: str, pos: int, markers: tuple[str, ...]) -> int:
    """Where the longest end of `data` begins that may be the beginning of a marker (each has one `<`, its first)."""
    start = data.rfind("<", pos)
    if start >= 0 and any(marker.startswith(data[start:]) for marker in markers):
        return start
    return len(data)
