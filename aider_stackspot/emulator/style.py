"""How the emulator writes its streams: one frozen value, and the presets that have names."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, Literal

Newline = Literal["\r\n", "\n", "\r"]
TextKey = Literal["message", "content", "text", "answer", "response"]
DeltaStopReason = Literal["absent", "null", "text null", "text None"]
TokensShape = Literal["current", "old", "strings", "nulls", "empty", "null", "absent"]
TokensPlace = Literal["final event", "every event", "first event"]
FinalText = Literal["empty", "absent", "last text", "whole text", "none"]
End = Literal["stop reason", "event done", "type done", "tokens"]
Transfer = Literal["chunked", "close"]
ContentEncoding = Literal["identity", "gzip", "deflate", "raw deflate"]
Surrogate = Literal["none", "lone", "split"]


@dataclass(frozen=True)
class Style:
    r"""How an answer is streamed (docs/wire.md, "Agents API: stream"); the default is what was measured.

    Every style says the same text, except ``surrogate="lone"``, which adds a lone surrogate to it, and
    ``plain_text``, whose text no client can tell from noise.

    Attributes:
        newline: What ends a line.
        space: Whether a space follows ``data:``.
        multiline: Whether an event's JSON is spread over several ``data:`` lines.
        event: Name for an ``event:`` line on every event of the Agents API; None sends no such line.
        ids: Whether every event carries an ``id:`` line.
        comments: Whether a keep-alive comment comes before every event.
        done: Whether ``data: [DONE]`` follows the final event of the Agents API.
        text_key: The key that holds the text; None means ``message`` in the Agents API, ``answer`` in ``/v3/chat``.
        parts: Whether the text is a list of parts, ``[{"type": "text", "text": ...}]``, of which there are two
            where the text has two characters.
        plain_text: Whether the text itself is the data of an event, without any JSON around it.
        arrays: Whether deltas carry the empty arrays of a whole answer.
        delta_stop_reason: The ``stop_reason`` of deltas: no such key, ``null``, or the text ``"null"`` or ``"None"``.
        tokens: The shape of the token counts (docs/wire.md, "Agents API: tokens"): numbers under today's or the older
            names, numbers as texts, nulls only, ``{}``, ``null``, or no such key.
        tokens_in: Which events carry the counts: the final one, every one with the counts so far, or one of its own
            before any text. ``/v3/chat`` sends counts only where this is not the final event.
        usage: The counts themselves as (input, output) tokens; None estimates them.
        stop_reason: The reason that the final event gives.
        final: The text of the final event: empty, no such key, the last piece of the answer, all of it
            again; ``none`` sends no final event at all.
        end: How the final event of the Agents API says that it is the last: by ``stop_reason``, by ``event: done``, by
            ``"type": "done"``, or only by its ``tokens``.
        openai: Whether the Agents API streams OpenAI's chunks instead of its own events.
        json_body: Whether one JSON document answers instead of a stream.
        transfer: How the end of the body is marked: by HTTP/1.1 chunks, or by closing the connection as HTTP/1.0 does.
        encoding: The content encoding of a stream; ``raw deflate`` is sent as ``deflate``, without zlib's header.
        write_size: Bytes of body in one write; None writes event by event.
        split_characters: Whether every character of several bytes is cut in two by a write.
        events_per_write: How many events share one write.
        blank_lines: False writes one event a line, without the blank line between them.
        last_blank_line: False leaves the blank line out after the last event.
        empties: How many empty deltas come first.
        junk: Whether data that is no JSON object comes between the deltas.
        surrogate: ``lone`` ends the first delta with an unpaired escape; ``split`` puts the two halves of
            each pair into two events.
        bom: Whether the body begins with a byte order mark.
        separators: Whether every event carries unescaped U+2028, U+2029 and U+0085 in a further key.
        first_delay: Seconds before the first byte, the status line included.
        delay: Seconds between two events.
    """

    newline: Newline = "\r\n"
    space: bool = True
    multiline: bool = False
    event: str | None = None
    ids: bool = False
    comments: bool = False
    done: bool = False
    text_key: TextKey | None = None
    parts: bool = False
    plain_text: bool = False
    arrays: bool = False
    delta_stop_reason: DeltaStopReason = "absent"
    tokens: TokensShape = "current"
    tokens_in: TokensPlace = "final event"
    usage: tuple[int, int] | None = None
    stop_reason: str = "stop"
    final: FinalText = "empty"
    end: End = "stop reason"
    openai: bool = False
    json_body: bool = False
    transfer: Transfer = "chunked"
    encoding: ContentEncoding = "identity"
    write_size: int | None = None
    split_characters: bool = False
    events_per_write: int = 1
    blank_lines: bool = True
    last_blank_line: bool = True
    empties: int = 0
    junk: bool = False
    surrogate: Surrogate = "none"
    bom: bool = False
    separators: bool = False
    first_delay: float = 0.0
    delay: float = 0.0


STYLES: Final[dict[str, Style]] = {
    "default": Style(),
    "lf": Style(newline="\n"),
    "cr": Style(newline="\r"),
    "no-space": Style(space=False),
    "multiline": Style(multiline=True),
    "event-lines": Style(event="message", ids=True),
    "comments": Style(comments=True),
    "done": Style(done=True),
    "content-key": Style(text_key="content"),
    "text-key": Style(text_key="text"),
    "answer-key": Style(text_key="answer"),
    "response-key": Style(text_key="response"),
    "parts": Style(parts=True),
    "plain-text": Style(plain_text=True),
    "arrays": Style(arrays=True),
    "null-stop-reason": Style(delta_stop_reason="null"),
    "null-text-stop-reason": Style(delta_stop_reason="text null"),
    "none-text-stop-reason": Style(delta_stop_reason="text None"),
    "old-tokens": Style(tokens="old"),
    "string-tokens": Style(tokens="strings"),
    "tokens-of-nulls": Style(tokens="nulls"),
    "empty-tokens": Style(tokens="empty"),
    "null-tokens": Style(tokens="null"),
    "no-tokens": Style(tokens="absent"),
    "running-tokens": Style(tokens_in="every event"),
    "tokens-first": Style(tokens_in="first event"),
    "error-stop-reason": Style(stop_reason="error"),
    "length": Style(stop_reason="length"),
    "final-without-message": Style(final="absent"),
    "text-in-final": Style(final="last text"),
    "whole-text-in-final": Style(final="whole text"),
    "no-final": Style(final="none"),
    "event-done": Style(end="event done"),
    "type-done": Style(end="type done"),
    "tokens-end": Style(end="tokens"),
    "openai": Style(openai=True, done=True),
    "json": Style(json_body=True),
    "close": Style(transfer="close"),
    "gzip": Style(encoding="gzip"),
    "deflate": Style(encoding="deflate"),
    "raw-deflate": Style(encoding="raw deflate"),
    "bytewise": Style(write_size=1),
    "split-utf8": Style(split_characters=True),
    "burst": Style(events_per_write=64),
    "json-lines": Style(newline="\n", blank_lines=False),
    "no-last-blank-line": Style(last_blank_line=False),
    "empties": Style(empties=30),
    "junk": Style(junk=True),
    "lone-surrogate": Style(surrogate="lone"),
    "split-surrogate": Style(surrogate="split"),
    "bom": Style(bom=True),
    "line-separators": Style(separators=True),
    "slow-start": Style(first_delay=2.0),
    "slow": Style(delay=0.05),
}
"""The styles that a script and ``--style`` know by name."""


def difference(style: Style) -> str:
    """What a style does otherwise than the default, in the words of its fields."""
    default = Style()
    own = [(each.name, getattr(style, each.name)) for each in fields(Style)]
    changed = [f"{name.replace('_', ' ')}: {value!r}" for name, value in own if value != getattr(default, name)]
    return ", ".join(changed) or "as it was measured"
