"""Whether a stream of bytes came to its end."""

from __future__ import annotations

import json

import pytest

from aider_stackspot.errors import StreamInterrupted
from aider_stackspot.hosts.litellm.ending import Ending, Promise


def _frame(delta: str, reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": delta}, "finish_reason": reason}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
TEXT = _frame("half")
END = _frame("", "stop")

COMPLETE: list[tuple[Promise, bytes]] = [
    ("finish_reason", TEXT + END),
    ("finish_reason", TEXT + END + DONE),
    ("finish_reason", (TEXT + END).replace(b"\n", b"\r\n")),
    ("finish_reason", (TEXT + END).rstrip(b"\n")),
    ("finish_reason", TEXT + END.replace(b'"finish_reason": "stop"', b'"finish_reason":"length"')),
    ("[DONE]", TEXT + DONE),
    ("[DONE]", TEXT + b"data:[DONE]"),
    ("either", TEXT + DONE),
    ("either", TEXT + END),
    ("finish_reason", TEXT + b'data: {"error": {"message": "out of memory"}}\n\n' + DONE),
]
CUT: list[tuple[Promise, bytes]] = [
    ("finish_reason", TEXT),
    ("finish_reason", TEXT + DONE),
    ("[DONE]", TEXT),
    ("either", TEXT),
    ("either", b""),
    ("either", TEXT + END[:-12]),
    ("finish_reason", _frame('"finish_reason": "stop"')),
    ("either", _frame("data: [DONE]")),
    ("either", b": [DONE]\n\nevent: [DONE]\n\n"),
    ("either", b'event: processing\ndata: {"status": "working"}\n\n'),
]


def _watch(promise: Promise, data: bytes, size: int) -> None:
    ending = Ending(promise, "host")
    for start in range(0, len(data), size):
        ending.see(data[start : start + size])
    ending.finish()


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize(("promise", "data"), COMPLETE)
def test_a_complete_stream_passes_however_it_is_cut_into_pieces(promise: Promise, data: bytes, size: int) -> None:
    _watch(promise, data, size)


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize(("promise", "data"), CUT)
def test_a_stream_without_its_end_is_interrupted(promise: Promise, data: bytes, size: int) -> None:
    with pytest.raises(StreamInterrupted, match="host ended before its end marker"):
        _watch(promise, data, size)
