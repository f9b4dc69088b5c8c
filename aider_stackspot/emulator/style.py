"""How the emulator words and cuts its streams: one frozen value, and the presets the command line offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Newline = Literal["\r\n", "\n", "\r"]
TokensShape = Literal["current", "old", "strings", "absent", "null"]
FinalEvent = Literal["empty", "absent", "last text", "whole text", "none"]
Transfer = Literal["chunked", "close", "gzip"]
Surrogate = Literal["none", "lone", "split"]


@dataclass(frozen=True)
class Style:
    r"""The variant of a streamed answer (docs/wire.md, "Agents API: whole answer"); the default is what was measured.

    Every style says the same text, except ``surrogate="lone"``, which adds a lone surrogate to it.

    Attributes:
        newline: What ends a line.
        space: Whether a space follows ``data:``.
        multiline: Whether an event's JSON is spread over several ``data:`` lines.
        event: Name for an ``event:`` line on every event of the Agents API; None sends no such line.
        ids: Whether every event carries an ``id:`` line.
        comments: Whether a keep-alive comment comes before every event.
        done: Whether ``data: [DONE]`` follows the final event.
        arrays: Whether deltas carry the empty arrays of a complete answer.
        null_stop_reason: Whether deltas carry ``"stop_reason": null``.
        tokens: The shape of the token counts (docs/wire.md, "Agents API: tokens").
        usage: The counts themselves as (input, output) tokens; None estimates them.
        stop_reason: The reason the final event gives.
        final: The text of the final event: empty, no such key, the last piece of the answer, all of it
            again; ``none`` sends no final event at all.
        openai: Whether the Agents API speaks OpenAI's chunks instead of its own.
        json_body: Whether one JSON document answers instead of a stream.
        transfer: How the end of the body is marked: HTTP/1.1 chunks, closing the connection as HTTP/1.0
            does, or chunks of a gzip stream.
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
    arrays: bool = False
    null_stop_reason: bool = False
    tokens: TokensShape = "current"
    usage: tuple[int, int] | None = None
    stop_reason: str = "stop"
    final: FinalEvent = "empty"
    openai: bool = False
    json_body: bool = False
    transfer: Transfer = "chunked"
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
    "arrays": Style(arrays=True),
    "null-stop-reason": Style(null_stop_reason=True),
    "old-tokens": Style(tokens="old"),
    "string-tokens": Style(tokens="strings"),
    "no-tokens": Style(tokens="absent"),
    "null-tokens": Style(tokens="null"),
    "final-without-message": Style(final="absent"),
    "text-in-final": Style(final="last text"),
    "whole-text-in-final": Style(final="whole text"),
    "no-final": Style(final="none"),
    "openai": Style(openai=True, done=True),
    "json": Style(json_body=True),
    "close": Style(transfer="close"),
    "gzip": Style(transfer="gzip"),
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
    "length": Style(stop_reason="length"),
    "slow-start": Style(first_delay=2.0),
    "slow": Style(delay=0.05),
}
"""The styles that a script and ``--style`` know by name."""
