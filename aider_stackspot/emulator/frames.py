"""An answer's text as the bytes of server-sent events: pure functions from deltas to frames."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from aider_stackspot.emulator.style import Style

JUNK: Final = ("not json", "[1, 2]", "42", '"text"', "", '{"message": 7}', '{"message": {"text": "x"}}', "{")
"""Data that a client has to skip: no JSON, no object, or a message that is no text."""

EMPTY_ARRAYS: Final[dict[str, Any]] = {
    "upload_ids": {},
    "knowledge_source_id": [],
    "source": [],
    "cross_account_source": [],
    "tools_id": [],
    "agent_info": [],
}
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_BEYOND_BMP: Final = re.compile("[\U00010000-\U0010ffff]")


class Frame(NamedTuple):
    """The bytes of one event, and whether nothing follows it."""

    data: bytes
    last: bool = False


class Facts(NamedTuple):
    """What a final event reports besides the text: token counts and the two ids."""

    input_tokens: int
    message_id: str
    conversation_id: str | None


def pieces(text: str) -> list[str]:
    """The deltas of a text: its words, each with the white space behind it."""
    return re.findall(r"\S+\s*|\s+", text)


def dump(value: object) -> str:
    """Compact JSON in plain UTF-8; only lone surrogates, which UTF-8 cannot hold, stay escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def tokens(style: Style, input_tokens: int, output_tokens: int) -> dict[str, Any]:
    """The ``tokens`` member in the style's shape (docs/wire.md, "Agents API: tokens"), or nothing."""
    if style.usage is not None:
        input_tokens, output_tokens = style.usage
    enrichment = input_tokens // 4
    shapes: dict[str, Any] = {
        "current": {"user": None, "enrichment": None, "input": input_tokens, "output": output_tokens},
        "old": {"user": input_tokens - enrichment, "enrichment": enrichment, "output": output_tokens},
        "strings": {
            "user": None,
            "enrichment": None,
            "input": f"{input_tokens}",
            "output": f"{output_tokens}",
        },
        "null": None,
    }
    return {} if style.tokens == "absent" else {"tokens": shapes[style.tokens]}


def agent_frames(deltas: Iterable[str], style: Style, facts: Facts) -> Iterator[Frame]:
    """The Agents API's stream (docs/wire.md, "Agents API: stream"): deltas, then the final event and ``[DONE]`` as styled."""
    writer = _EventWriter(style)
    junk = itertools.cycle(JUNK)
    tail: list[str] = []
    count = 0
    for delta in _noted(_shaped(deltas, style), style, tail):
        count += bool(delta)
        yield Frame(writer.event(_agent_delta(delta, style)))
        if style.junk:
            yield Frame(writer.event(next(junk)))
    if style.final != "none":
        final = _agent_final("".join(tail), style, facts, count)
        yield Frame(writer.event(final, last=not style.done), not style.done)
    if style.done:
        yield Frame(writer.event("[DONE]", last=True), True)


def chat_frames(deltas: Iterable[str], style: Style) -> Iterator[Frame]:
    """The stream of ``/v3/chat`` (docs/wire.md, "Chat API: stream"): answers, then ``event: end_event`` as styled."""
    writer = _EventWriter(style, retry=15000)
    junk = itertools.cycle(JUNK)
    for delta in _shaped(deltas, style):
        yield Frame(writer.event(dump({"answer": delta, **_separators(style)}), name="message"))
        if style.junk:
            yield Frame(writer.event(next(junk), name="message"))
    if style.final != "none":
        yield Frame(writer.event("{}", name="end_event", last=True), True)


def error_frame(payload: str, style: Style, *, named: bool) -> bytes:
    """An error in the middle of a stream: the HTTP error's body as data, with or without ``event: error``."""
    return _EventWriter(style).event(payload, name="error" if named else None)


def agent_answer(text: str, style: Style, facts: Facts, output_tokens: int) -> dict[str, Any]:
    """The one JSON document of a call that does not stream (docs/wire.md, "Agents API: whole answer")."""
    return {
        "message": text,
        "stop_reason": style.stop_reason,
        **tokens(style, facts.input_tokens, output_tokens),
        **EMPTY_ARRAYS,
        "conversation_id": facts.conversation_id,
        "message_id": facts.message_id,
    }


class _EventWriter:
    """Turns payloads into the lines of events, in one style."""

    def __init__(self, style: Style, retry: int | None = None) -> None:
        self._style = style
        self._retry = retry
        self._count = 0

    def event(self, data: str, *, name: str | None = None, last: bool = False) -> bytes:
        style = self._style
        lines = [": keep-alive", ""] if style.comments else []
        name = name or style.event
        if name:
            lines.append(f"event: {name}")
        if style.ids:
            lines.append(f"id: {self._count}")
        field = "data: " if style.space else "data:"
        parts = [data[0], data[1:-1], data[-1]] if style.multiline and len(data) > 2 and data[0] == "{" else [data]
        lines += [field + part for part in parts]
        if self._retry is not None:
            lines.append(f"retry: {self._retry}")
        if style.blank_lines and (style.last_blank_line or not last):
            lines.append("")
        text = style.newline.join([*lines, ""])
        if style.bom and self._count == 0:
            text = "\ufeff" + text
        self._count += 1
        return text.encode()


def _shaped(deltas: Iterable[str], style: Style) -> Iterator[str]:
    yield from itertools.repeat("", style.empties)
    first = True
    for delta in deltas:
        if style.surrogate == "split":
            yield from _halves(delta)
        else:
            yield delta + "\ud83d" if first and style.surrogate == "lone" else delta
        first = False


def _noted(deltas: Iterable[str], style: Style, tail: list[str]) -> Iterator[str]:
    """The deltas to send; what the final event is to say goes into ``tail``."""
    if style.final != "last text":
        for delta in deltas:
            if style.final == "whole text":
                tail.append(delta)
            yield delta
        return
    for delta in deltas:
        if tail:
            yield tail.pop()
        tail.append(delta)


def _halves(delta: str) -> list[str]:
    """The delta cut between the two UTF-16 halves of each of its characters beyond U+FFFF."""
    code_units = delta.encode("utf-16-be", "surrogatepass")
    parts: list[str] = []
    start = 0
    for found in _BEYOND_BMP.finditer(delta):
        cut = len(delta[: found.start()].encode("utf-16-be", "surrogatepass")) + 2
        parts.append(code_units[start:cut].decode("utf-16-be", "surrogatepass"))
        start = cut
    return [*parts, code_units[start:].decode("utf-16-be", "surrogatepass")]


def _separators(style: Style) -> dict[str, str]:
    return {"note": "a\u2028b\u2029c\u0085d"} if style.separators else {}


def _agent_delta(text: str, style: Style) -> str:
    if style.openai:
        return dump({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]})
    payload: dict[str, Any] = {"message": text, **_separators(style)}
    if style.arrays:
        payload.update(EMPTY_ARRAYS)
    if style.null_stop_reason:
        payload["stop_reason"] = None
    return dump(payload)


def _agent_final(text: str, style: Style, facts: Facts, output_tokens: int) -> str:
    if style.openai:
        usage = style.usage or (facts.input_tokens, output_tokens)
        counts = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
        choice = {"index": 0, "delta": {}, "finish_reason": style.stop_reason}
        return dump({"choices": [choice], "usage": counts})
    payload: dict[str, Any] = {} if style.final == "absent" else {"message": text}
    payload.update(
        stop_reason=style.stop_reason,
        **tokens(style, facts.input_tokens, output_tokens),
        message_id=facts.message_id,
        conversation_id=facts.conversation_id,
    )
    return dump(payload)
