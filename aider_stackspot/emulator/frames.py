"""An answer's text as the bytes of server-sent events: pure functions from deltas to frames."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from aider_stackspot.emulator.style import DeltaStopReason, Style

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
_DELTA_STOP_REASONS: Final[dict[DeltaStopReason, dict[str, str | None]]] = {
    "absent": {},
    "null": {"stop_reason": None},
    "text null": {"stop_reason": "null"},
    "text None": {"stop_reason": "None"},
}
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_BEYOND_BMP: Final = re.compile("[\U00010000-\U0010ffff]")
_LINE_END: Final = re.compile("\r\n|\r|\n")


class Frame(NamedTuple):
    """The bytes of one event, and whether nothing follows it."""

    data: bytes
    last: bool = False


class Facts(NamedTuple):
    """What an answer reports besides its text: the tokens of the prompt, the two ids, and fields about knowledge."""

    input_tokens: int
    message_id: str
    conversation_id: str | None
    sources: Mapping[str, Any] = MappingProxyType({})


def words(text: str) -> list[str]:
    """The deltas of a text: its words, each with the white space behind it."""
    return re.findall(r"\S+\s*|\s+", text)


def agent_frames(deltas: Iterable[str], style: Style, facts: Facts) -> Iterator[Frame]:
    """The Agents API's stream (docs/wire.md, "Agents API: stream"): deltas, then the final event and ``[DONE]``."""
    writer = _EventWriter(style)
    tail: list[str] = []
    count = 0
    for event in _deltas(_held_back(_shaped(deltas, style), style, tail), style, facts, "message"):
        count = event.output_tokens
        yield Frame(writer.event(event.data))
    if style.final != "none":
        name = "done" if style.end == "event done" and not style.openai else None
        final = _agent_final("".join(tail), style, facts, count)
        yield Frame(writer.event(dump(final), name=name, last=not style.done), not style.done)
    if style.done:
        yield Frame(writer.event("[DONE]", last=True), True)


def chat_frames(deltas: Iterable[str], style: Style, facts: Facts) -> Iterator[Frame]:
    """The stream of ``/v3/chat`` (docs/wire.md, "Chat API: stream"): answers, then ``event: end_event``."""
    writer = _EventWriter(style, retry=15000)
    count = 0
    for event in _deltas(_shaped(deltas, style), style, facts, "answer"):
        count = event.output_tokens
        yield Frame(writer.event(event.data, name="message"))
    if style.final != "none":
        final = _tokens(style, facts, count) if style.tokens_in == "every event" else {}
        yield Frame(writer.event(dump(final), name="end_event", last=True), True)


def error_frame(payload: str, style: Style, *, named: bool) -> bytes:
    """An error in the middle of a stream: the HTTP error's body as data, with or without ``event: error``."""
    return _EventWriter(style).event(payload, name="error" if named else None)


def agent_answer(text: str, style: Style, facts: Facts, output_tokens: int) -> dict[str, Any]:
    """The one JSON document of a call that does not stream (docs/wire.md, "Agents API: whole answer")."""
    return {
        **_text(text, "message", style),
        "stop_reason": style.stop_reason,
        **_tokens(style, facts, output_tokens),
        **EMPTY_ARRAYS,
        **facts.sources,
        "conversation_id": facts.conversation_id,
        "message_id": facts.message_id,
    }


def dump(value: object) -> str:
    """Compact JSON in plain UTF-8; only lone surrogates, which UTF-8 cannot hold, stay escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


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
        lines += [field + part for part in self._data_lines(data)]
        if self._retry is not None:
            lines.append(f"retry: {self._retry}")
        if style.blank_lines and (style.last_blank_line or not last):
            lines.append("")
        text = style.newline.join([*lines, ""])
        if style.bom and self._count == 0:
            text = "\ufeff" + text
        self._count += 1
        return text.encode()

    def _data_lines(self, data: str) -> list[str]:
        if self._style.multiline and len(data) > 2 and data[0] == "{":
            return [data[0], data[1:-1], data[-1]]
        return _LINE_END.split(data)


class _Delta(NamedTuple):
    """The data of one event before the final one, and how many output tokens there are up to it."""

    data: str
    output_tokens: int


def _deltas(deltas: Iterable[str], style: Style, facts: Facts, own_key: str) -> Iterator[_Delta]:
    """The events before the final one; ``own_key`` is the key of the API for the text."""
    junk = itertools.cycle(JUNK)
    count = 0
    if style.tokens_in == "first event":
        yield _Delta(dump(_tokens(style, facts, count)), count)
    for delta in deltas:
        count += bool(delta)
        yield _Delta(_delta(delta, style, facts, count, own_key), count)
        if style.junk:
            yield _Delta(next(junk), count)


def _delta(text: str, style: Style, facts: Facts, count: int, own_key: str) -> str:
    if style.plain_text:
        return _SURROGATE.sub("\ufffd", text)
    if style.openai and own_key == "message":
        return dump({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]})
    payload = _text(text, own_key, style)
    if style.separators:
        payload["note"] = "a\u2028b\u2029c\u0085d"
    if style.arrays:
        payload.update(EMPTY_ARRAYS)
    payload.update(_DELTA_STOP_REASONS[style.delta_stop_reason])
    if style.tokens_in == "every event":
        payload.update(_tokens(style, facts, count))
    return dump(payload)


def _agent_final(text: str, style: Style, facts: Facts, output_tokens: int) -> dict[str, Any]:
    if style.openai:
        usage = style.usage or (facts.input_tokens, output_tokens)
        counts = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
        choice = {"index": 0, "delta": {}, "finish_reason": style.stop_reason}
        return {"choices": [choice], "usage": counts}
    payload = {} if style.final == "absent" else _text(text, "message", style)
    if style.end == "type done":
        payload["type"] = "done"
    elif style.end == "stop reason":
        payload["stop_reason"] = style.stop_reason
    if style.tokens_in != "first event":
        payload.update(_tokens(style, facts, output_tokens))
    payload.update(facts.sources, message_id=facts.message_id, conversation_id=facts.conversation_id)
    return payload


def _text(text: str, own_key: str, style: Style) -> dict[str, Any]:
    """The member that holds a piece of text."""
    key = style.text_key or own_key
    if not style.parts:
        return {key: text}
    middle = len(text) // 2
    return {key: [{"type": "text", "text": half} for half in (text[:middle], text[middle:]) if half]}


def _tokens(style: Style, facts: Facts, output_tokens: int) -> dict[str, Any]:
    """The ``tokens`` member in the style's shape (docs/wire.md, "Agents API: tokens"), or nothing."""
    into, out = (facts.input_tokens, output_tokens) if style.usage is None else style.usage
    enrichment = into // 4
    nulls = {"user": None, "enrichment": None, "input": None, "output": None}
    shapes: dict[str, Any] = {
        "current": {**nulls, "input": into, "output": out},
        "old": {"user": into - enrichment, "enrichment": enrichment, "output": out},
        "strings": {**nulls, "input": f"{into}", "output": f"{out}"},
        "nulls": nulls,
        "empty": {},
        "null": None,
    }
    return {} if style.tokens == "absent" else {"tokens": shapes[style.tokens]}


def _shaped(deltas: Iterable[str], style: Style) -> Iterator[str]:
    yield from itertools.repeat("", style.empties)
    first = True
    for delta in deltas:
        if style.surrogate == "split":
            yield from _halves(delta)
        else:
            yield delta + "\ud83d" if first and style.surrogate == "lone" else delta
        first = False


def _held_back(deltas: Iterable[str], style: Style, tail: list[str]) -> Iterator[str]:
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
