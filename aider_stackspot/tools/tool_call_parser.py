"""The answer's text, as it streams in, to text and tool calls."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from enum import Enum

from aider_stackspot.tools.events import AnswerWarning, Event, RejectedCall, TextDelta, ToolCall
from aider_stackspot.tools.json_schema import SchemaChecker
from aider_stackspot.tools.lenient_json import AFTER_JSON, JsonExtent, decode, members, mend
from aider_stackspot.tools.request import ToolCallRules
from aider_stackspot.tools.tool_call_syntax import CALL_CLOSE, CALL_OPEN, RESULT_OPEN

# What may stand between a marker and the JSON: spaces and a code fence, with its language. The limit keeps a marker
# that is only talked about from holding text back.
_HEAD = re.compile(r"\s*`{0,8}[A-Za-z0-9]*\s*")
_BETWEEN = re.compile(r"\s*,?\s*")
MAX_EDGE = 64


class BlockState(Enum):
    """How far a block has come.

    Attributes:
        READING: it goes on.
        CLOSED: its closing marker has come.
        REOPENED: the next block's opening marker has come in its place.
        NOT_A_CALL: no JSON object follows the opening marker.
        BROKEN: neither marker follows the object, so nobody knows where the call ends.
    """

    READING = 1
    CLOSED = 2
    REOPENED = 3
    NOT_A_CALL = 4
    BROKEN = 5


class ToolCallBlock:
    """Reads one block; more than one call may stand in it.

    Attributes:
        state: see `BlockState`.
        bodies: the JSON texts found so far. More than one when a model puts several calls between one pair of markers.
    """

    def __init__(self) -> None:
        self.state = BlockState.READING
        self.bodies: list[str] = []
        self._raw: list[str] = []
        self._phase: Callable[[str, int], int] = self._read_head
        self._edge = ""
        self._extent = JsonExtent()
        self._body: list[str] = []

    @property
    def raw(self) -> str:
        """All of the block's text with its own markers, without the one that begins the next block."""
        text = CALL_OPEN + "".join(self._raw)
        return text[: -len(CALL_OPEN)] if self.state is BlockState.REOPENED else text

    def feed(self, data: str, pos: int) -> int:
        """Read `data` from `pos`.

        Returns:
            the index of the first character that is not the block's; `len(data)` while it is still reading.
        """
        start = pos
        while pos < len(data) and self.state is BlockState.READING:
            pos = self._phase(data, pos)
        self._raw.append(data[start:pos])
        return pos

    def _read_head(self, data: str, pos: int) -> int:
        char = data[pos]
        if char == "{":
            return self._begin_body(pos)
        if len(self._edge) >= MAX_EDGE or not _HEAD.fullmatch(self._edge + char):
            self.state = BlockState.NOT_A_CALL
            return pos
        self._edge += char
        return pos + 1

    def _begin_body(self, pos: int) -> int:
        self._extent = JsonExtent()
        self._body = []
        self._phase = self._read_body
        return pos

    def _read_body(self, data: str, pos: int) -> int:
        end = self._extent.feed(data, pos)
        self._body.append(data[pos:end])
        if self._extent.ended:
            self.bodies.append("".join(self._body))
            self._edge = ""
            self._phase = self._read_tail
        return end

    def _read_tail(self, data: str, pos: int) -> int:
        char = data[pos]
        if char == "{" and _BETWEEN.fullmatch(self._edge):
            return self._begin_body(pos)
        self._edge += char
        junk = self._edge.partition("<")[0]
        marker = self._edge[len(junk) :]
        if marker == CALL_CLOSE:
            self.state = BlockState.CLOSED
        elif marker == CALL_OPEN:
            self.state = BlockState.REOPENED
        elif not _may_end(junk, marker):
            self.state = BlockState.BROKEN
        return pos + 1


def _may_end(junk: str, marker: str) -> bool:
    if marker and not (CALL_CLOSE.startswith(marker) or CALL_OPEN.startswith(marker)):
        return False
    if len(junk) > MAX_EDGE:
        return False
    return bool(AFTER_JSON.fullmatch(junk)) or (not marker and bool(_BETWEEN.fullmatch(junk)))


_CALL = re.compile(re.escape(CALL_OPEN))
_CALL_OR_RESULT = re.compile(f"{re.escape(CALL_OPEN)}|{re.escape(RESULT_OPEN)}")
# "parameters" (Llama) and "input" (Claude) are what some models call the arguments in their own format.
_ARGUMENTS = ("arguments", "parameters", "input")
_IGNORED = {"id", "type"}


def new_call_id() -> str:
    """A new id for a tool call, unique by chance (96 random bits)."""
    return "call_" + secrets.token_hex(12)


class ToolCallRejected(ValueError):
    """A call that must not be made; its text says why and does not quote the arguments."""


class ToolCallParser:
    """Parses the text of one answer.

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
        rules: what the request says about calls; where none is possible, all is text.
        new_id: makes the id of each call.
        report_rejected: give a call that must not be made out as `RejectedCall`, and not as text with a warning.

    Attributes:
        calls: those that were given out so far.
    """

    def __init__(
        self, rules: ToolCallRules, new_id: Callable[[], str] = new_call_id, *, report_rejected: bool = False
    ) -> None:
        self._report_rejected = report_rejected
        self.calls: list[ToolCall] = []
        self._rules = rules
        self._checkers = {name: SchemaChecker(tool.parameters) for name, tool in rules.tools.items()}
        self._new_id = new_id
        self._read: Callable[[str, int], int] = self._read_text if rules.tools else self._read_plain
        self._held = ""  # may be the beginning of a marker
        self._gap: list[str] | None = [] if rules.tools else None  # spaces that may belong to the syntax
        self._block = ToolCallBlock()
        self._words: list[str] = []
        self._events: list[Event] = []
        self._warned: set[str] = set()

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
            self._reject(self._block.raw, "the answer ended inside a tool call")
        if self._gap and not self.calls:
            self._words.extend(self._gap)
        self._gap = None
        if self._rules.required and not self.calls:
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
            end = _end_of_text(data, pos, (CALL_OPEN, RESULT_OPEN) if self.calls else (CALL_OPEN,))
            self._text(data[pos:end])
            self._held = data[end:]
            return len(data)
        self._text(data[pos : match.start()])
        if match.group() == CALL_OPEN:
            self._block = ToolCallBlock()
            self._read = self._read_block
        else:
            self._warn("the model invented a tool result; the answer was cut there")
            self._read = self._read_nothing
        return match.end()

    def _read_block(self, data: str, pos: int) -> int:
        block = self._block
        pos = block.feed(data, pos)
        if block.state is BlockState.READING:
            return pos
        self._read = self._read_text
        if block.state is BlockState.NOT_A_CALL:
            self._text(block.raw)
            self._warn("an opening marker is not followed by a tool call")
        elif block.state is BlockState.BROKEN:
            self._text(block.raw)
            self._warn("a tool call is not closed; the answer from there on was given out as text")
            self._read = self._read_plain
        else:
            self._settle(block)
            if block.state is BlockState.REOPENED:
                self._block = ToolCallBlock()
                self._read = self._read_block
        return pos

    def _settle(self, block: ToolCallBlock) -> None:
        try:
            calls = [self._read_call(body) for body in block.bodies]
        except ToolCallRejected as problem:
            self._reject(block.raw, str(problem))
            return
        for name, arguments in calls:
            self._deliver(name, arguments)

    def _reject(self, text: str, problem: str) -> None:
        if self._report_rejected:
            self._gap = []
            self._put(RejectedCall(text, problem))
            return
        self._text(text)
        self._warn(f"{problem}; its text was given out as text")

    def _deliver(self, name: str, arguments: str) -> None:
        self._gap = []
        if self.calls and not self._rules.parallel:
            self._warn(f"a second tool call, of {name!r}, was left out: the client allows one for each answer")
            return
        made = ToolCall(self._new_id(), name, arguments, len(self.calls))
        self.calls.append(made)
        self._put(made)

    def _read_call(self, body: str) -> tuple[str, str]:
        """Read one JSON object with `name` and `arguments`, and return these two.

        Raises:
            ToolCallRejected: not JSON and not surely mendable, an unknown tool, or arguments that break its schema.
        """
        mended = mend(body)
        if mended is None:
            raise ToolCallRejected("a tool call is not valid JSON")
        try:
            parts = members(mended)
        except ValueError:
            raise ToolCallRejected("a tool call is not one JSON object with unique names") from None
        name = decode(parts.get("name", "null"))
        if not isinstance(name, str):
            raise ToolCallRejected("a tool call has no name")
        if name not in self._rules.tools:
            raise ToolCallRejected(f"a tool call names {name[:64]!r}, which is not among the tools it may call")
        arguments = _read_arguments(name, parts)
        value = decode(arguments)
        if not isinstance(value, dict):
            raise ToolCallRejected(f"the arguments of a call of {name!r} are not a JSON object")
        problem = self._checkers[name].problem(value)
        if problem is not None:
            raise ToolCallRejected(f"the arguments of a call of {name!r} do not satisfy its schema: {problem}")
        return name, arguments

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
            self._put(AnswerWarning(message))

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


def _read_arguments(name: str, parts: dict[str, str]) -> str:
    given = [key for key in _ARGUMENTS if key in parts]
    # An unknown member may be an argument that was put beside "arguments": no certain reading.
    if len(given) > 1 or set(parts) - {"name", *given} - _IGNORED:
        raise ToolCallRejected(f"a call of {name!r} has members besides name and arguments")
    raw = parts[given[0]] if given else "{}"
    value = decode(raw)
    if value is None:
        return "{}"
    if isinstance(value, str):  # JSON inside a JSON string, as in OpenAI's own format
        inner = mend(value) if value.strip() else "{}"
        if inner is not None:
            return inner.strip()
    return raw
