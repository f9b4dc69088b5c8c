"""One block of tool calls in an answer, read piece by piece from its opening marker to its closing one."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum

from aider_stackspot.tools.lenient_json import AFTER_JSON, JsonExtent
from aider_stackspot.tools.tool_call_syntax import CALL_CLOSE, CALL_OPEN

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
