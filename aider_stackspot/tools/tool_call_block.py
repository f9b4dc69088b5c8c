"""One call block, read piece by piece from behind its opening marker to its closing one."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum

from aider_stackspot.tools.protocol import CLOSE, OPEN
from aider_stackspot.tools.scan import BEHIND, JsonExtent

# What may stand between a marker and the JSON: spaces and a code fence, with its language. The limit keeps a marker
# that is only talked about from holding text back.
_HEAD = re.compile(r"\s*`{0,8}[A-Za-z0-9]*\s*")
_BETWEEN = re.compile(r"\s*,?\s*")
_EDGE_LIMIT = 64


class State(Enum):
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


class Block:
    """Reads one block.

    Attributes:
        state: see `State`.
        bodies: the JSON texts found so far. More than one when a model puts several calls between one pair of markers.
    """

    def __init__(self) -> None:
        self.state = State.READING
        self.bodies: list[str] = []
        self._raw: list[str] = []
        self._phase: Callable[[str, int], int] = self._read_head
        self._edge = ""
        self._extent = JsonExtent()
        self._body: list[str] = []

    @property
    def raw(self) -> str:
        """All of the block's text with its own markers, without the one that begins the next block."""
        text = OPEN + "".join(self._raw)
        return text[: -len(OPEN)] if self.state is State.REOPENED else text

    def feed(self, data: str, pos: int) -> int:
        """Read `data` from `pos`.

        Returns:
            the index of the first character that is not the block's; `len(data)` while it is still reading.
        """
        start = pos
        while pos < len(data) and self.state is State.READING:
            pos = self._phase(data, pos)
        self._raw.append(data[start:pos])
        return pos

    def _read_head(self, data: str, pos: int) -> int:
        char = data[pos]
        if char == "{":
            return self._begin_body(pos)
        if len(self._edge) >= _EDGE_LIMIT or not _HEAD.fullmatch(self._edge + char):
            self.state = State.NOT_A_CALL
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
        if marker == CLOSE:
            self.state = State.CLOSED
        elif marker == OPEN:
            self.state = State.REOPENED
        elif not _may_end(junk, marker):
            self.state = State.BROKEN
        return pos + 1


def _may_end(junk: str, marker: str) -> bool:
    if marker and not (CLOSE.startswith(marker) or OPEN.startswith(marker)):
        return False
    if len(junk) > _EDGE_LIMIT:
        return False
    return bool(BEHIND.fullmatch(junk)) or (not marker and bool(_BETWEEN.fullmatch(junk)))
