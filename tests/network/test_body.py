"""How a body is read: every encoding, however it is cut up on its way, and never more than somebody asked for."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import random
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable, Iterable

import httpx
import pytest

from aider_stackspot.errors import MalformedAnswer
from aider_stackspot.network import body
from aider_stackspot.network.body import decoded, read_limited

GZIP = {"Content-Encoding": "gzip"}
TEXT = ("data: " + json.dumps({"message": "Olá, mundo! ", "n": list(range(40))}) + "\n\n").encode() * 20


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def bare_deflate(data: bytes, level: int = 6) -> bytes:
    packer = zlib.compressobj(level, wbits=-15)
    return packer.compress(data) + packer.flush()


def stored(data: bytes) -> bytes:
    return bare_deflate(data, 0)


def huffman_only(data: bytes) -> bytes:
    packer = zlib.compressobj(strategy=zlib.Z_HUFFMAN_ONLY, wbits=15)
    return packer.compress(data) + packer.flush()


def flushed_gzip(data: bytes) -> bytes:
    """As servers of event streams do: what there is so far can always be read."""
    packer = zlib.compressobj(wbits=31)
    half = len(data) // 2
    return (
        packer.compress(data[:half]) + packer.flush(zlib.Z_SYNC_FLUSH) + packer.compress(data[half:]) + packer.flush()
    )


def named_gzip(data: bytes) -> bytes:
    """A gzip file with a name and a comment in its header."""
    plain = gzipped(data)
    return plain[:3] + b"\x18" + plain[4:10] + b"answer.txt\0a comment\0" + plain[10:]


def two_members(data: bytes) -> bytes:
    return gzipped(data[:100]) + gzipped(data[100:])


def response(encoding: str | None, pieces: Iterable[bytes]) -> httpx.Response:
    async def stream() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    headers = [] if encoding is None else [(b"Content-Encoding", encoding.encode("latin-1"))]
    request = httpx.Request("GET", "http://user:canary@host.example:8080/path")
    return httpx.Response(200, headers=headers, content=stream(), request=request)


def in_pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def read(encoding: str | None, pieces: Iterable[bytes]) -> bytes:
    async def whole() -> bytes:
        return b"".join([piece async for piece in decoded(response(encoding, pieces))])

    return asyncio.run(whole())


ENCODED: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzipped),
    ("x-gzip", gzipped),
    ("GZip", gzipped),
    ("gzip", flushed_gzip),
    ("gzip", named_gzip),
    ("gzip", two_members),
    ("gzip", lambda data: two_members(data) + gzipped(b"")),
    ("deflate", zlib.compress),
    ("deflate", huffman_only),
    ("deflate", lambda data: zlib.compress(data, 0)),
    ("deflate", bare_deflate),
    ("deflate", stored),
    (" identity , gzip, ", gzipped),
    ("gzip, identity", gzipped),
    ("deflate, gzip", lambda data: gzipped(zlib.compress(data))),
    ("gzip, deflate", lambda data: bare_deflate(gzipped(data))),
    ("gzip,gzip,gzip", lambda data: gzipped(gzipped(gzipped(data)))),
]
encoded = pytest.mark.parametrize(("encoding", "encode"), ENCODED)


@encoded
@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 10**6])
def test_every_encoding_in_pieces_of_every_size(
    encoding: str, encode: Callable[[bytes], bytes], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read(encoding, in_pieces(encode(TEXT), size)) == TEXT
    monkeypatch.setattr(body, "MAX_STEP", 10)  # what is expanded comes in steps as well
    assert read(encoding, in_pieces(encode(TEXT), size)) == TEXT


@encoded
def test_a_body_that_is_cut_anywhere_is_no_whole_body(encoding: str, encode: Callable[[bytes], bytes]) -> None:
    data = encode(TEXT)
    # Between two gzip files nobody can tell; the first one is complete, and what it says has an end of its own.
    ends = {len(gzipped(TEXT[:100])), len(two_members(TEXT))} if data.startswith(two_members(TEXT)) else set()
    for size in random.Random(7).sample(range(1, len(data)), min(60, len(data) - 1)):
        if size not in ends:
            with pytest.raises(httpx.DecodingError, match="ends in the middle"):
                read(encoding, in_pieces(data[:size], 50))


@pytest.mark.parametrize(
    ("encoding", "encode"), [case for case in ENCODED if case[1] in (gzipped, flushed_gzip, zlib.compress)]
)
def test_a_damaged_bit_is_found_or_changes_nothing(encoding: str, encode: Callable[[bytes], bytes]) -> None:
    data, dice = encode(TEXT), random.Random(11)
    for _ in range(100):
        damaged = bytearray(data)
        damaged[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        try:
            assert read(encoding, in_pieces(bytes(damaged), 60)) == TEXT
        except httpx.DecodingError:
            continue


@pytest.mark.parametrize("encoding", [None, "", "identity", "Identity, identity", ","])
def test_a_body_without_encoding_comes_in_the_pieces_in_which_it_came(encoding: str | None) -> None:
    pieces = [b"a", b"\x1f\x8b", b"c" * 100_000]

    async def arrived() -> list[bytes]:
        return [piece async for piece in decoded(response(encoding, pieces))]

    assert asyncio.run(arrived()) == pieces


def test_what_has_arrived_is_there_before_the_rest_is() -> None:
    packer = zlib.compressobj(wbits=31)

    async def scenario() -> None:
        more = asyncio.Event()

        async def stream() -> AsyncIterator[bytes]:
            yield packer.compress(b"data: one\n\n") + packer.flush(zlib.Z_SYNC_FLUSH)
            await more.wait()
            yield packer.compress(b"data: two\n\n") + packer.flush()

        pieces = decoded(httpx.Response(200, headers=GZIP, content=stream()))
        assert await asyncio.wait_for(anext(pieces), 5) == b"data: one\n\n"
        more.set()
        assert await asyncio.wait_for(anext(pieces), 5) == b"data: two\n\n"

    asyncio.run(scenario())


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "deflate, gzip"])
def test_nothing_at_all_is_an_empty_body(encoding: str) -> None:
    assert read(encoding, []) == b""
    assert read(encoding, [b"", b""]) == b""


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gzip", gzipped(b"text") + b"\0" * 600),
        ("gzip", gzipped(b"te") + b"\0" * 5 + gzipped(b"xt") + b"\0"),
        ("gzip", gzipped(b"text") + b"<!-- cached -->"),
        ("gzip", gzipped(b"text") + b"junk\x1f\x8bjunk"),
        ("deflate", zlib.compress(b"text") + b"junk"),
        ("deflate", zlib.compress(b"text") + zlib.compress(b"more")),
        ("deflate", bare_deflate(b"text") + b"\0\0"),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_what_follows_the_end_is_passed_over(encoding: str, data: bytes, size: int) -> None:
    assert read(encoding, in_pieces(data, size)) == b"text"


@pytest.mark.parametrize(
    ("encoding", "data", "why"),
    [
        ("gzip", b"plain text", "incorrect header check"),
        ("gzip", b"\x1f\x8bno gzip", "unknown compression method"),
        ("gzip", gzipped(TEXT)[:-8] + b"12345678", "incorrect data check"),
        ("gzip", gzipped(TEXT)[:-4] + b"1234", "incorrect length check"),
        ("gzip", gzipped(b"text") + b"\x1f\x8bjunk", "unknown compression method"),
        ("deflate", b"plain text", "in"),
        ("deflate", zlib.compress(TEXT)[:-4] + b"1234", "incorrect data check"),
        ("gzip, deflate", zlib.compress(b"plain text"), "incorrect header check"),
    ],
)
def test_damaged_data(encoding: str, data: bytes, why: str) -> None:
    with pytest.raises(httpx.DecodingError, match=why) as caught:
        read(encoding, in_pieces(data, 5))
    assert "Error -" not in str(caught.value)


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("br", "'br'"),
        ("zstd", "'zstd'"),
        ("Compress", "'compress'"),
        ("gzip, br", "'br'"),
        ("br, gzip", "'br'"),
        ("aes128gcm", "'aes128gcm'"),
        ("gzip;q=1", "'gzip;q=1'"),
        ("caf\xe9\x9b31m", r"'caf\xe9\x9b31m'"),
        ("x" * 500, "'" + "x" * 40 + "'"),
        ("gzip, " * 6, "6 content encodings"),
        ("gzip," * 5000, "5000 content encodings"),
    ],
)
def test_an_encoding_that_cannot_be_read_is_named(encoding: str, named: str) -> None:
    with pytest.raises(MalformedAnswer) as caught:
        decoded(response(encoding, [b"\x8b\x0bdata"]))
    assert named in str(caught.value)
    assert "host.example:8080" in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """A hundred megabytes of nothing, packed."""
    return gzipped(b"\0" * 100_000_000)


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip", "gzip, gzip, gzip"])
def test_a_decompression_bomb_expands_no_further_than_somebody_reads(encoding: str, bomb: bytes) -> None:
    for _ in range(encoding.count(",")):
        bomb = gzipped(bomb * 200)
    tracemalloc.start()
    try:
        with pytest.raises(MalformedAnswer, match=r"host.example:8080 answered with more than 5,000,000 bytes"):
            asyncio.run(read_limited(response(encoding, in_pieces(bomb, 65_536)), 5_000_000))
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_bomb_that_says_nothing_leaves_time_to_end_the_call() -> None:
    inner = gzipped(b"text") + b"\0" * 50_000_000  # all of it padding
    bomb = gzipped(gzipped(inner) + gzipped(inner) * 500)

    async def scenario() -> None:
        pieces = decoded(response("gzip, gzip, gzip", [bomb]))
        assert await anext(pieces) == b"text"
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(anext(pieces), 0.1)

    asyncio.run(asyncio.wait_for(scenario(), 5))


class Endless(httpx.AsyncByteStream):
    """A body that tells when it is closed."""

    def __init__(self) -> None:
        self.is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while True:
                yield gzipped(b"text")
        finally:
            self.is_closed = True


def test_the_body_below_is_closed_with_the_reader() -> None:
    async def scenario() -> None:
        stream = Endless()
        async with contextlib.aclosing(decoded(httpx.Response(200, headers=GZIP, stream=stream))) as pieces:  # type: ignore[type-var]
            await anext(pieces)
        assert stream.is_closed

    asyncio.run(scenario())


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_a_limit_counts_what_was_expanded(limit: int) -> None:
    with pytest.raises(MalformedAnswer, match=f"more than {limit} bytes"):
        asyncio.run(read_limited(response("gzip", [gzipped(b"text")]), limit))


def test_a_body_of_exactly_the_limit_is_read() -> None:
    assert asyncio.run(read_limited(response("gzip", [gzipped("é\xff".encode("latin-1"))]), 2)) == "��"
