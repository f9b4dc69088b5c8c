"""One answer's body on its way from the connection to the writer, up to its terminal marker.

A network read often brings many events, and a service that is faster than its consumer brings thousands. They are
taken from the HTTP client first and decoded together, in the moment in which it would wait for the network: so they
cost little, and nothing that has arrived waits for what has not.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from typing import Generic, TypeVar

import anyio
import httpx

from aider_stackspot.api.answer import AnswerParser
from aider_stackspot.api.error_response import is_html, web_page
from aider_stackspot.api.sse import EventStream, ServerSentEvent
from aider_stackspot.errors import AnswerTooLong, StreamInterrupted
from aider_stackspot.network.body import decoded
from aider_stackspot.pipeline.channel import MAX_ANSWER_CHARACTERS, AnswerWriter

T = TypeVar("T")

MAX_DOCUMENT_BYTES = MAX_ANSWER_CHARACTERS
"""Of an answer that comes as one JSON document."""
MAX_EMPTY_EVENTS = 1000
"""In a row, with nothing in them: StackSpot was seen to send them for ever (docs/wire.md, "Agents API: stream")."""
DRAIN_TIMEOUT = 1.0
"""Seconds after the end of the answer for the body's proper end, so that the connection can be used again."""
LAST_WORDS_TIMEOUT = 2.0
"""Seconds after a reason to finish for what may still come before the end: token counts, or an error."""

Join = Callable[[Sequence[T]], T]


async def read(response: httpx.Response, parser: AnswerParser[T], writer: AnswerWriter[T], join: Join[T]) -> None:
    """Pass an answer on until its terminal marker, or until there is no more.

    Raises:
        StackSpotError: the answer reports an error, or cannot be read.
        httpx.HTTPError: the connection broke before the terminal marker.
    """
    body = decoded(response)
    try:
        first = await _beginning(body)
        if _is_document(response, first):
            await _read_document(response, first, body, parser, writer)
        else:
            await _read_events(first, body, parser, writer, join, ends_visibly=_ends_visibly(response))
    finally:
        # An abandoned async generator would be closed whenever the garbage collector comes by.
        if isinstance(body, AsyncGenerator):
            await body.aclose()


async def _beginning(body: AsyncIterator[bytes]) -> bytes:
    """Return the body's first pieces up to one that tells what it is; white space and a byte order mark do not."""
    first = b""
    async for piece in body:
        first += piece
        if first.lstrip(_BLANK) or len(first) > _MAX_BLANK:
            break
    return first


def _is_document(response: httpx.Response, first: bytes) -> bool:
    """Tell one document from a stream: by how it begins, whatever it is called; no event begins in this way."""
    beginning = first.lstrip(_BLANK)
    if beginning.startswith((b"{", b"[", b"<")):
        return True
    is_field = any(beginning.startswith(field) or field.startswith(beginning) for field in _FIELDS)
    is_called_a_stream = "event-stream" in response.headers.get("content-type", "").lower()
    return not is_called_a_stream and not (beginning and is_field)


_BLANK = b"\xef\xbb\xbf \t\r\n"
_MAX_BLANK = 64 * 1024
_FIELDS = (b"data", b"event", b"id", b"retry", b"error", b":")


def _ends_visibly(response: httpx.Response) -> bool:
    """Tell whether the body's end can be told from a cut, which it cannot where only the connection ends."""
    return "content-length" in response.headers or "transfer-encoding" in response.headers


async def _read_events(
    first: bytes,
    body: AsyncIterator[bytes],
    parser: AnswerParser[T],
    writer: AnswerWriter[T],
    join: Join[T],
    *,
    ends_visibly: bool,
) -> None:
    interruption: Exception | None = None
    with anyio.CancelScope() as reading:
        events = _Events(parser, writer, join, reading)
        events.take(first)
        events.pass_on()  # this one read is not worth the wait
        try:
            async for piece in body:
                events.take(piece)
                if writer.must_wait:
                    await writer.room()
        except (httpx.NetworkError, httpx.ProtocolError, httpx.DecodingError, httpx.ReadTimeout) as error:
            interruption = error
    # The stream's last event may have lost its blank line, or the connection the end of its body.
    events.finish(in_order=ends_visibly and interruption is None and not reading.cancelled_caught)
    if writer.finish is None and interruption is not None:
        raise interruption


class _Events(Generic[T]):
    """Collects pieces of a stream, and passes on what is in them as soon as the reader pauses.

    Args:
        parser: reads the events.
        writer: where the answer and its end go.
        join: makes one piece of several.
        reading: the scope of the reader, which ends when there is nothing more to read.
    """

    def __init__(
        self, parser: AnswerParser[T], writer: AnswerWriter[T], join: Join[T], reading: anyio.CancelScope
    ) -> None:
        self._parser = parser
        self._writer = writer
        self._join = join
        self._reading = reading
        self._loop = asyncio.get_running_loop()
        self._stream = EventStream()
        self._pieces: list[bytes] = []
        self._silent = 0
        self._problem: Exception | None = None

    def take(self, piece: bytes) -> None:
        """Collect a piece. The loop comes to the rest when the reader lets it, which is when it has to wait."""
        if not self._pieces:
            self._loop.call_soon(self.pass_on)
        self._pieces.append(piece)

    def finish(self, *, in_order: bool) -> None:
        """Pass on what is left at the end of the body.

        Args:
            in_order: the body came to its own end, and was not broken off.

        Raises:
            StackSpotError: something that came reported an error, or was damaged.
        """
        self.pass_on()
        if self._is_going_on:
            self._decode(self._stream.finish())
        if self._is_going_on and (in_order or self._parser.may_end):
            self._write([self._parser.end_of_body()], 0)
            self._pass_on_finish()
        if self._problem is not None:
            raise self._problem

    @property
    def _is_going_on(self) -> bool:
        return self._problem is None and self._writer.finish is None

    def pass_on(self) -> None:
        """Pass on what has been collected."""
        pieces, self._pieces = self._pieces, []
        if not pieces or not self._is_going_on:
            return
        try:
            self._decode(self._stream.feed(b"".join(pieces)))
        except Exception as error:  # raised by the reader, once it is out of its wait
            self._problem = error
            self._reading.cancel()
        if self._parser.finish is not None:
            self._reading.deadline = self._loop.time() + DRAIN_TIMEOUT
        elif self._parser.may_end:
            self._reading.deadline = min(self._reading.deadline, self._loop.time() + LAST_WORDS_TIMEOUT)
        elif self._writer.finish is not None:  # a stop sequence: the service would go on
            self._reading.cancel()

    def _decode(self, events: Iterable[ServerSentEvent]) -> None:
        """Pass on the events in one piece, but the answer's first text at once; text before an error goes out too."""
        pieces: list[T] = []
        characters = 0
        try:
            for event in events:
                piece = self._parser.feed(event)
                if piece:
                    self._silent = 0
                    if self._writer.has_output:
                        pieces.append(piece)
                        characters += len(event.data)
                    else:
                        self._writer.write(piece, len(event.data))
                else:
                    self._count_silence()
                if self._parser.finish is not None or self._writer.finish is not None:
                    break
        finally:
            self._write(pieces, characters)
        self._pass_on_finish()

    def _write(self, pieces: list[T], characters: int) -> None:
        if pieces:
            self._writer.write(self._join(pieces), characters)

    def _pass_on_finish(self) -> None:
        if self._parser.finish is not None and self._writer.finish is None:
            self._writer.finished(self._parser.finish)

    def _count_silence(self) -> None:
        self._silent += 1
        if self._silent > MAX_EMPTY_EVENTS:
            raise StreamInterrupted(f"The service sent {MAX_EMPTY_EVENTS} events in a row with nothing in them.")


async def _read_document(
    response: httpx.Response,
    first: bytes,
    body: AsyncIterator[bytes],
    parser: AnswerParser[T],
    writer: AnswerWriter[T],
) -> None:
    """Read an answer that is one document, whether or not a stream was asked for."""
    host = response.url.host
    pieces, size = [first], len(first)
    async for piece in body:
        size += len(piece)
        if size > MAX_DOCUMENT_BYTES:
            raise AnswerTooLong(f"{host} sent one document of more than {MAX_DOCUMENT_BYTES:,} bytes; it was given up.")
        pieces.append(piece)
    content = b"".join(pieces)
    if is_html(content[:_MAX_PAGE_BEGINNING].decode("utf-8-sig", errors="replace")):
        raise web_page(host)
    document = _text_of(response, content)
    writer.write(parser.whole(document), len(document))
    if parser.finish is not None:
        writer.finished(parser.finish)


_MAX_PAGE_BEGINNING = 4096


def _text_of(response: httpx.Response, content: bytes) -> str:
    """Return a document's text: JSON is UTF-8 (RFC 8259 section 8.1), and some servers say that theirs is not.

    Raises:
        StreamInterrupted: a character is damaged. What stood there would be missing from the answer.
    """
    for encoding in ("utf-8-sig", response.charset_encoding or ""):
        with contextlib.suppress(UnicodeDecodeError, LookupError):
            return content.decode(encoding)
    raise StreamInterrupted("The answer is damaged: it is not valid UTF-8.")
