"""Streams in spellings that the emulator does not speak, cut into what is before the end, the end, and the rest."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tests.faults.stream_reading import DELTAS

COUNTS = {"input": 12, "output": 9}


class Dialect(NamedTuple):
    """A stream of one API. `end` is what has to be there to its last byte for the answer to be complete."""

    api: str
    name: str
    before: bytes
    end: bytes
    behind: bytes = b"\n\n"
    ends_by_closing: bool = False
    """Whether the end counts only where nothing comes behind it, not even a cut."""


def _data(*frames: Any, name: str = "", behind: str = "\n\n") -> bytes:
    line = f"event: {name}\n" if name else ""
    said = (frame if isinstance(frame, str) else json.dumps(frame) for frame in frames)
    return "".join(f"{line}data: {one}{behind}" for one in said).encode()


def _end(frame: Any, name: str = "") -> bytes:
    return _data(frame, name=name).rstrip()


def _running(field: str) -> bytes:
    return _data(*({field: text, "tokens": {"input": 12, "output": 3 * at}} for at, text in enumerate(DELTAS, 1)))


def _openai(text: str) -> dict[str, Any]:
    return {"choices": [{"delta": {"content": text}, "finish_reason": None}], "usage": None}


TEXTS = {
    **{f"text under {field}": _data(*({field: text} for text in DELTAS)) for field in ("content", "text", "response")},
    "running tokens": _running("message"),
    "tokens first": _data(
        {"message": "", "tokens": {"input": 12, "output": None}}, *({"answer": one} for one in DELTAS)
    ),
    "parts": _data(*({"message": [{"type": "text", "text": text[:2]}, {"text": text[2:]}]} for text in DELTAS)),
    "null as a reason": _data(*({"message": text, "stop_reason": "null", "error": None} for text in DELTAS)),
    "lines that are no JSON": _data("ping", *({"message": text} for text in DELTAS), "[1]", "", "almost there"),
    "openai": _data(*map(_openai, DELTAS)),
    "named events": _data(*({"answer": text} for text in DELTAS), name="message"),
    "no blank lines": _data(*({"message": text} for text in DELTAS), behind="\n"),
    "names, no blank lines": _data(*({"answer": text} for text in DELTAS), name="message", behind="\n"),
}
DELTAS_ALONE = TEXTS["text under content"]

USAGE_BEHIND_THE_END = Dialect(
    "agent",
    "usage of its own",
    TEXTS["openai"],
    _end({"choices": [{"delta": {}, "finish_reason": "stop"}]}),
    b"\n\n" + _data({"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 9}}, "[DONE]"),
)
"""Complete with the reason to finish; but what comes behind it may be an error, also if it is cut."""

DIALECTS = [
    *(Dialect("agent", name, text, _end({"message": "", "stop_reason": "stop"})) for name, text in TEXTS.items()),
    *(Dialect("chat", name, text, _end({}, "end_event")) for name, text in TEXTS.items()),
    Dialect("agent", "type done", DELTAS_ALONE, _end({"type": "done", "tokens": COUNTS})),
    Dialect(
        "agent", "event done", DELTAS_ALONE, b"event: done\ndata: [", b"DONE]\n\n"
    ),  # what it holds is of no matter
    Dialect("agent", "event done without data", DELTAS_ALONE, b"event: done\r\n\r", b"\n"),
    Dialect("chat", "end_event without data", DELTAS_ALONE, b"event: end_event\r\r", b""),
    Dialect("agent", "flat finish_reason", DELTAS_ALONE, _end({"finish_reason": "stop"}), b"\n\ndata: [DONE]\n\n"),
    Dialect(
        "agent",
        "tokens at the end",
        DELTAS_ALONE,
        _end({"message": "", "tokens": COUNTS}),
        b"\n\n",
        ends_by_closing=True,
    ),
    Dialect(
        "agent",
        "running tokens to the end",
        TEXTS["running tokens"],
        _end({"message": "", "tokens": COUNTS}),
        b"\n\n",
        ends_by_closing=True,
    ),
]
