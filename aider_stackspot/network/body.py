"""How the body of a response is read: piece by piece as it arrives, and decompressed where a server compressed it.

httpx's `aiter_bytes` does this too, but it costs as much as the rest of httpx, takes a compressed body that was cut
for a complete one, and expands at once whatever arrives.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence

import httpx

from aider_stackspot.errors import MalformedAnswer

MAX_STEP = 1024 * 1024
"""Bytes that compressed data expands to at a time; then whoever reads may say that it is enough."""
MAX_ENCODINGS = 5
"""Of one body, one inside the other; as many as curl reads."""

_GZIP = ("gzip", "x-gzip")
_READABLE = (*_GZIP, "deflate")
_ZLIB_HEADER_BYTES = 2


def decoded(response: httpx.Response) -> AsyncIterator[bytes]:
    """Return the pieces of a response's body as they arrive, without its content encodings (RFC 9110 section 8.4).

    Iterating raises `httpx.DecodingError` where the compressed data is damaged or ends too early, and the other
    `httpx.HTTPError` where the connection breaks.

    Raises:
        MalformedAnswer: the body has an encoding that cannot be read; says which.
    """
    assert isinstance(response.stream, httpx.AsyncByteStream)
    encodings = _encodings(response)
    if not encodings:
        return aiter(response.stream)
    return _decompressed(aiter(response.stream), [_Decompressor(name) for name in reversed(encodings)])


def _encodings(response: httpx.Response) -> list[str]:
    """Return a body's encodings in the order in which they were applied."""
    names = [name.strip().lower() for name in response.headers.get("content-encoding", "").split(",")]
    encodings = [name for name in names if name not in ("", "identity")]
    unknown = [f"the content encoding {name[:40]!a}" for name in encodings if name not in _READABLE]
    if len(encodings) > MAX_ENCODINGS:
        unknown.append(f"{len(encodings)} content encodings")
    if unknown:
        raise MalformedAnswer(
            f"The answer of {response.url.netloc.decode()} came with {unknown[0]}, which cannot be read here. The "
            "request asked for an answer without any: check the server, and whether a proxy in between compresses."
        )
    return encodings


async def read_limited(response: httpx.Response, limit: int) -> str:
    """Return a whole body as text.

    Raises:
        MalformedAnswer: it has more than `limit` bytes, or an encoding that cannot be read.
        httpx.HTTPError: it was cut or damaged.
    """
    pieces, size = [], 0
    async for piece in decoded(response):
        size += len(piece)
        if size > limit:
            raise MalformedAnswer(
                f"{response.url.netloc.decode()} answered with more than {limit:,} bytes where a short answer is "
                "expected."
            )
        pieces.append(piece)
    return b"".join(pieces).decode("utf-8", errors="replace")


async def _decompressed(body: AsyncIterator[bytes], decompressors: Sequence[_Decompressor]) -> AsyncIterator[bytes]:
    try:
        async for data in body:
            for step, piece in enumerate(_expanded(data, decompressors)):
                if step:
                    await asyncio.sleep(0)  # a few bytes can expand for minutes, and limits of time count meanwhile
                if piece:
                    yield piece
        if not all(each.is_complete for each in decompressors):
            raise httpx.DecodingError("it ends in the middle of the compressed data")
    finally:
        if isinstance(body, AsyncGenerator):
            await body.aclose()


def _expanded(data: bytes, decompressors: Sequence[_Decompressor]) -> Iterator[bytes]:
    if not decompressors:
        yield data
        return
    for piece in decompressors[0].expand(data):
        yield from _expanded(piece, decompressors[1:])


class _Decompressor:
    """Takes one encoding off a body that arrives in pieces.

    A gzip body may be several gzip files in a row. Other bytes after the end are passed over, as browsers do.

    Args:
        encoding: one of `_READABLE`.
    """

    def __init__(self, encoding: str) -> None:
        self._is_gzip = encoding in _GZIP
        self._first = b""
        self._zlib: zlib._Decompress | None = None
        self._has_ended = False
        self._is_over = False

    @property
    def is_complete(self) -> bool:
        """Whether the data may end here. A body without a byte is complete, as errors and proxies send it."""
        return self._zlib is None and not self._first

    def expand(self, data: bytes) -> Iterator[bytes]:
        """Yield what the data expands to, in steps of at most `MAX_STEP` bytes, and at least one.

        Raises:
            httpx.DecodingError: the data is damaged.
        """
        if self._zlib is None:
            data = self._begin(data)
        if self._zlib is None:
            yield b""
        while self._zlib is not None:
            try:
                piece = self._zlib.decompress(data, MAX_STEP)
            except zlib.error as error:
                raise httpx.DecodingError(str(error).rpartition(": ")[2]) from None
            data = self._zlib.unconsumed_tail
            yield piece
            if self._zlib.eof:
                rest, self._zlib, self._has_ended = self._zlib.unused_data, None, True
                data = self._begin(rest)
            elif not data and len(piece) < MAX_STEP:
                return

    def _begin(self, data: bytes) -> bytes:
        """Start with the first bytes, or with another gzip file after the end of one; return what is to be expanded."""
        if self._has_ended:
            data = data.lstrip(b"\0")  # padding
            is_another = self._is_gzip and data.startswith(b"\x1f")
            self._is_over = self._is_over or (data != b"" and not is_another)
        if self._is_over:
            return b""
        data, self._first = self._first + data, b""
        if self._is_gzip:
            self._zlib = zlib.decompressobj(16 + zlib.MAX_WBITS) if data else None
        elif len(data) < _ZLIB_HEADER_BYTES:
            self._first = data
        else:
            # "deflate" is zlib's format, but some servers send the bare data (RFC 9110 section 8.4.1.2).
            has_header = data[0] & 0x0F == zlib.DEFLATED and int.from_bytes(data[:2], "big") % 31 == 0
            self._zlib = zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)
        return data
