"""Bytes to server-sent events. What an event means is decided in the other modules of this room.

The rules are those of the WHATWG standard: lines end at LF, CRLF or CR only, so that a U+2028 inside JSON is text. What
servers do beside the standard is read too: a byte order mark is dropped; an event that is complete but for its blank
line is still delivered at the end of the stream; where a server leaves out all blank lines, each JSON document is an
event of its own, and so is a line that is a whole JSON document without a field's name; a line `error: …` is an event
named "error". One event has a largest size, so that a broken server cannot fill the memory. And damage that would cost
text (invalid UTF-8, JSON in a line that is not `data`) is an error, where the standard replaces and ignores.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from aider_stackspot.errors import MalformedAnswer, StreamInterrupted

MAX_EVENT_CHARACTERS = 16 * 1024 * 1024
"""Characters; the longest delta ever seen is a few hundred."""


class ServerSentEvent(NamedTuple):
    """One event: its data, and its name, which is "message" where the server gives none."""

    data: str
    event: str = "message"


class EventStream:
    """Turns pieces of a response body into events, wherever the pieces are cut.

    Args:
        max_event_characters: characters that one event may have.
    """

    def __init__(self, max_event_characters: int = MAX_EVENT_CHARACTERS) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8-sig")(errors="surrogateescape")
        self._max_event_characters = max_event_characters
        self._line: list[str] = []
        self._after_carriage_return = False
        self._data: list[str] = []
        self._name = ""
        self._name_after_data = ""
        self._ends_with_data = False
        self._characters = 0

    def feed(self, data: bytes) -> Iterator[ServerSentEvent]:
        """Yield the events that `data` completes.

        Raises:
            MalformedAnswer: one event is larger than `max_event_characters`.
            StreamInterrupted: a line is damaged.
        """
        text = self._utf8.decode(data)
        self._characters += len(text)
        yield from self._read(self._complete_lines(text))
        if self._characters > self._max_event_characters:
            raise MalformedAnswer(
                f"One event of the stream is longer than {self._max_event_characters:,} characters; the stream was "
                "dropped."
            )

    def finish(self) -> Iterator[ServerSentEvent]:
        """Yield the event that the end of the stream completes, if there is one.

        A name without its data is none, nor is a field without its value: the stream was cut in between.

        Raises:
            StreamInterrupted: a line is damaged.
        """
        yield from self._read(self._complete_lines(self._utf8.decode(b"", final=True)))
        yield from self._read(filter(None, ["".join(self._line)]))
        if self._ends_with_data:
            yield self._event()

    def _complete_lines(self, text: str) -> list[str]:
        """Return the lines that `text` completes. A CR ends its line at once; an LF that follows it ends no other."""
        if self._after_carriage_return and text:
            text = text.removeprefix("\n")
            self._after_carriage_return = False
        if "\r" in text:
            self._after_carriage_return = text.endswith("\r")
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        first, newline, rest = text.partition("\n")
        self._line.append(first)
        if not newline:
            return []
        lines = rest.split("\n")
        lines.insert(0, "".join(self._line))
        self._line = [lines.pop()]
        return lines

    def _read(self, lines: Iterable[str]) -> Iterator[ServerSentEvent]:
        for line in lines:
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "data":
                _check_encoding(value)
                if self._data and self._is_another_event(value):
                    yield self._event(self._name_after_data)
                self._data.append(value)
                self._ends_with_data = bool(value.strip())
            elif not line:
                if self._data or self._name:
                    yield self._event()
                self._characters = 0
            elif field == "event":
                _check_no_data_in(line, field)
                if self._data and self._name and self._is_complete():
                    yield self._event(value)
                elif self._data:
                    self._name_after_data = value
                else:
                    self._name = value
                self._ends_with_data = False  # the name's data are still to come
            elif field.casefold() == "error" and value not in ("", "null"):
                yield ServerSentEvent(value, "error")
            elif line.startswith("{") and is_json(line):
                _check_encoding(line)
                yield ServerSentEvent(line)
            else:
                _check_no_data_in(line, field)

    def _event(self, next_name: str | None = None) -> ServerSentEvent:
        """Return the event that has been read.

        Args:
            next_name: the name of the event that has begun already; `None` at a blank line, where a name behind the
                data is that of the data.
        """
        name = self._name if next_name is not None else self._name_after_data or self._name
        event = ServerSentEvent("\n".join(self._data), name or "message")
        self._data, self._name, self._name_after_data = [], next_name or "", ""
        self._ends_with_data, self._characters = False, 0
        return event

    def _is_another_event(self, value: str) -> bool:
        """Tell whether a `data` line begins another event although no blank line was sent."""
        if _may_be_json(self._data[0]):
            return self._is_complete()
        return value.lstrip().startswith("{")

    def _is_complete(self) -> bool:
        """Tell whether the only line of data so far is a whole JSON document: whatever follows is not part of it."""
        if len(self._data) > 1:
            return False
        return is_json(self._data[0]) or not _may_be_json(self._data[0])


def is_json(text: str) -> bool:
    """Tell whether a text is one whole JSON document."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _may_be_json(line: str) -> bool:
    """Tell whether a line may be the beginning of a JSON document that goes on in the next."""
    return line.lstrip().startswith(("{", "[")) and line != "[DONE]"


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
