"""Streams for Hypothesis: any framing, any damage that a network can do, any cut, any chunks."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from aider_stackspot.emulator import Style
from tests.faults.stream_reading import recorded

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8)
"""NUL is left out because JSON escapes it; every other character is in it, U+2028 and line ends too."""


@st.composite
def deltas(draw: st.DrawFn) -> list[str]:
    """Pieces of an answer; each has its number, so that none equals all before it."""
    words = draw(st.lists(WORDS, max_size=6))
    return [f"{number}{word}" for number, word in enumerate(words)]


STYLES = st.builds(
    Style,
    newline=st.sampled_from(["\r\n", "\n", "\r"]),
    space=st.booleans(),
    multiline=st.booleans(),
    event=st.sampled_from([None, "message"]),
    ids=st.booleans(),
    comments=st.booleans(),
    done=st.booleans(),
    arrays=st.booleans(),
    delta_stop_reason=st.sampled_from(["absent", "null"]),
    tokens=st.sampled_from(["current", "old", "strings", "absent", "null"]),
    final=st.sampled_from(["empty", "absent", "last text", "whole text", "none"]),
    openai=st.booleans(),
    last_blank_line=st.booleans(),
    empties=st.integers(0, 3),
    surrogate=st.sampled_from(["none", "split"]),
    bom=st.booleans(),
    separators=st.booleans(),
)
_LINE_END = re.compile(rb"\r\n|\r|\n")
_HARMLESS = (b": ping\n", b"id: 5\n", b"retry: 1\n", b"data: [DONE]\n\n", b"data:\n\n", b"\n\n", b"event: ping\n\n")


@dataclass(frozen=True)
class Stream:
    """Bytes on the wire, the text they carry, and whether something was done to them."""

    api: str
    pieces: list[bytes]
    text: str
    is_whole: bool


@st.composite
def streams(draw: st.DrawFn) -> Stream:
    """One stream, as often whole as not."""
    api, style, said = draw(st.sampled_from(["agent", "chat"])), draw(STYLES), draw(deltas())
    if style.openai and style.final != "none":  # those chunks have no text at the end
        style = replace(style, final="empty")
    data = recorded(api, style, said)
    is_whole = style.final != "none"
    for _ in range(draw(st.integers(0, 3))):
        is_whole = False
        data = draw(_damaged(data))
    return Stream(api, draw(_cut(data)), "".join(said), is_whole)


@st.composite
def _damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """Cut a stream, break its encoding, take line ends out or put lines in between."""
    at = draw(st.integers(0, len(data)))
    ends = [found.span() for found in _LINE_END.finditer(data)] or [(at, at)]
    start, end = draw(st.sampled_from(ends))
    kind = draw(st.sampled_from(["cut", "byte", "line end", "line"]))
    if kind == "cut":
        return data[:at]
    if kind == "byte":
        return data[:at] + b"\xff" + data[at + 1 :]
    if kind == "line end":
        return data[:start] + data[end:]
    return data[:end] + draw(st.sampled_from(_HARMLESS)) + data[end:]


@st.composite
def _cut(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """Cut a stream into chunks: as many as there are bytes, one, or anything between."""
    if draw(st.booleans()):
        size = draw(st.integers(1, 40))
        return [data[at : at + size] for at in range(0, len(data), size)]
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
