"""Bytes to server-sent events. What an event means is decided in `api`.

The line and field rules are httpx-sse's, which follow the WHATWG standard: lines end at LF, CRLF or CR only, so a
U+2028 inside JSON is text. Four things are added: a byte order mark is dropped; an event that is complete but for its
blank line is still delivered at the end of the stream (some gateways leave it out); one event has a largest size, so
that a broken server cannot fill the memory; and damage that would cost text (invalid UTF-8, JSON in a line that is not
`data`) is an error, where the standard replaces and ignores.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator

from httpx_sse import ServerSentEvent
from httpx_sse._decoders import SSEDecoder, SSELineDecoder

from aider_stackspot.errors import MalformedAnswer, StreamInterrupted

MAX_EVENT_CHARACTERS = 16 * 1024 * 1024
"""Characters; the longest delta ever seen is a few hundred."""


class EventStream:
    """Turns pieces of a response body into events, wherever the pieces are cut.

    Args:
        max_event_characters: characters that one event may have.
    """

    def __init__(self, max_event_characters: int = MAX_EVENT_CHARACTERS) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8-sig")(errors="surrogateescape")
        self._lines = SSELineDecoder()
        self._events = SSEDecoder()
        self._largest_event = max_event_characters
        self._pending = 0
        self._ends_with_data = False

    def feed(self, data: bytes) -> Iterator[ServerSentEvent]:
        """Yield the events that `data` completes.

        Raises:
            MalformedAnswer: one event is larger than `max_event_characters`.
            StreamInterrupted: a line is damaged.
        """
        text = self._utf8.decode(data)
        if text:
            yield from self._decode(text)

    def finish(self) -> Iterator[ServerSentEvent]:
        """Yield the event that the end of the stream completes, if there is one.

        A name without its data is none, nor is a field without its value: the stream was cut in between.

        Raises:
            StreamInterrupted: a line is damaged.
        """
        rest = self._utf8.decode(b"", final=True)
        if rest:
            yield from self._decode(rest)
        yield from self._read(self._lines.flush())
        if self._ends_with_data:
            yield from self._read([""])

    def _decode(self, text: str) -> Iterator[ServerSentEvent]:
        self._pending += len(text)
        yield from self._read(self._lines.decode(text))
        if self._pending > self._largest_event:
            raise MalformedAnswer(
                f"One event of the stream is longer than {self._largest_event:,} characters; the stream was dropped."
            )

    def _read(self, lines: Iterable[str]) -> Iterator[ServerSentEvent]:
        for line in lines:
            self._look_at(line)
            event = self._events.decode(line)
            if event is not None:
                yield event

    def _look_at(self, line: str) -> None:
        field, _, value = line.partition(":")
        if field == "data":
            self._ends_with_data = bool(value.strip())
            _check_encoding(value)
        elif not line:
            self._ends_with_data, self._pending = False, 0
        else:
            self._ends_with_data &= field != "event"
            _check_no_data_in(line, field)


def _check_encoding(text: str) -> None:
    """Refuse text in which the decoder has put surrogates in the place of invalid bytes."""
    try:
        text.isascii() or text.encode()
    except UnicodeEncodeError:
        raise StreamInterrupted("An event of the stream is damaged: it is not valid UTF-8.") from None


def _check_no_data_in(line: str, field: str) -> None:
    """Refuse a line that is not `data`, but holds some: a line end before it is lost, or its field's name is damaged.

    A comment may hold anything but a whole `data` line.
    """
    if "{" in line and (field or "data:" in line):
        raise StreamInterrupted(
            f"A line of the stream is damaged ({len(line):,} characters of data under another name)."
        )
    if field:
        _check_encoding(line)
