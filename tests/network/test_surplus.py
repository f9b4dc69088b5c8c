"""A server, or something in between, that sends more than the answer: the rest never answers another call."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import httpx
import pytest
import trustme
from pydantic import SecretStr

from aider_stackspot.config.settings import Network
from aider_stackspot.network import client
from aider_stackspot.network.body import read_limited
from aider_stackspot.network.client import build_transport
from tests.network.connect_proxy import ConnectProxy
from tests.network.scripted_server import Script, ScriptedServer


@pytest.fixture
def anyio_backend() -> str:
    """As on the background loop."""
    return "asyncio"


pytestmark = pytest.mark.anyio


def answer(text: bytes, *fields: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    head = [version + b" 200 OK", b"Content-Length: %d" % len(text), *fields]
    return b"\r\n".join(head) + b"\r\n\r\n" + text


def chunked(*pieces: bytes) -> bytes:
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b"")]
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(chunks)


def empty(status: int, after: bytes) -> bytes:
    return b"HTTP/1.1 %d Nothing\r\nContent-Length: 0\r\n\r\n%s" % (status, after)


STALE = answer(b"an answer to nobody")
FIRST = answer(b"first")
HEAD = len(answer(b"x" * 65_000)) - 65_000
"""Bytes of the header of an answer with a body of five digits."""


def exactly(size: int) -> bytes:
    """An answer of so many bytes, header and all."""
    return answer(b"x" * (size - HEAD))


SURPLUS: dict[str, Sequence[bytes | float]] = {
    "two answers in one packet": [FIRST + STALE],
    "three answers in one packet": [FIRST + STALE + STALE],
    "two answers in two writes": [FIRST, STALE],
    "the second one split": [FIRST + STALE[:20], 0.05, STALE[20:]],
    "the second one begun": [FIRST + STALE[:1]],
    "one blank line": [FIRST + b"\r\n"],
    "a byte": [FIRST + b"\0"],
    "the second one a moment later": [FIRST, 0.02, STALE],
    "a long answer and another": [answer(b"x" * 300_000) + STALE],
    "another one at the limit of a read": [exactly(65_536) + STALE],
    "another one at the limit of the second read": [exactly(131_072) + STALE],
    "another one a byte before that limit": [exactly(65_535) + STALE],
    "chunks and another answer": [chunked(b"fi", b"rst") + STALE],
    "chunks and bytes": [chunked(b"first") + b"0\r\n\r\n"],
    "chunks, another answer in a write of its own": [chunked(b"first"), STALE],
    "a length that is too small": [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst and more"],
    "a length of nothing": [empty(200, STALE)],
    "204 with a body": [empty(204, b"text")],
    "204 with another answer": [empty(204, STALE)],
    "304 with a body": [empty(304, b"<html>")],
    "304 that claims its body": [b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nfirst" + STALE],
    "404 and another answer": [answer(b"none").replace(b"200", b"404") + STALE],
    "103 and two answers": [b"HTTP/1.1 103 Early Hints\r\n\r\n" + FIRST + STALE],
    "HTTP/1.0": [answer(b"first", version=b"HTTP/1.0") + STALE],
    "HTTP/1.0 that wants to stay": [answer(b"first", b"Connection: keep-alive", version=b"HTTP/1.0") + STALE],
}
cases = pytest.mark.parametrize("sent", SURPLUS.values(), ids=SURPLUS)


KINDS = ["http", "https", "http through a proxy", "https through a proxy", "https through a proxy with TLS"]


@pytest.fixture(scope="module")
def tls() -> ssl.SSLContext:
    """What a server on loopback speaks."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


@dataclass
class Way:
    """A server, and what sends requests to it."""

    server: ScriptedServer
    transport: httpx.AsyncBaseTransport
    base: str

    async def call(self, path: str) -> str:
        """Send a request and read its answer to the end."""
        timeout = httpx.Timeout(5).as_dict()
        request = httpx.Request("GET", self.base + path, extensions={"timeout": timeout})
        response = await self.transport.handle_async_request(request)
        response.request = request
        try:
            return await read_limited(response, 10**7)
        finally:
            await response.aclose()


@contextlib.asynccontextmanager
async def way_to(script: Script, kind: str, tls: ssl.SSLContext) -> AsyncIterator[Way]:
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(ScriptedServer(script, tls if kind.startswith("https") else None))
        base, proxy = server.url, None
        if kind == "http through a proxy":
            base, proxy = "http://elsewhere.example", server.url  # the server is the proxy, and answers in its place
        elif "proxy" in kind:
            proxy = stack.enter_context(ConnectProxy(tls=tls if kind.endswith("TLS") else None)).url
        transport = build_transport(Network(verify=False, proxy=SecretStr(proxy) if proxy else None), base)
        stack.push_async_callback(transport.aclose)
        yield Way(server, transport, base)


def first_as(sent: Sequence[bytes | float]) -> Script:
    """Answer the first request as told, and every other one properly."""
    return lambda path: sent if path == "/first" else [answer(path.encode())]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sent", SURPLUS.values(), ids=SURPLUS)
async def test_the_rest_answers_nobody(sent: Sequence[bytes | float], kind: str, tls: ssl.SSLContext) -> None:
    async with way_to(first_as(sent), kind, tls) as way:
        await way.call("/first")
        if sent[1:]:
            await asyncio.sleep(0.3)  # what has not come yet, nobody can see
        assert await way.call("/second") == "/second"
        assert await way.call("/third") == "/third"
        assert way.server.connections == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "proper",
    [[FIRST], [FIRST[:30], 0.01, FIRST[30:]], [chunked(b"fi", b"rst")], [exactly(65_536)], [exactly(262_144)],
     [exactly(700_000)], [empty(204, b"")], [b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"],
     [chunked(b"first")[:-5], 0.01, b"0\r\n", 0.01, b"\r\n"],
     [b"HTTP/1.1 100 Continue\r\n\r\n" + FIRST]],
)  # fmt: skip
async def test_a_connection_without_surplus_is_used_again(
    proper: Sequence[bytes | float], kind: str, tls: ssl.SSLContext
) -> None:
    """Guards `_has_surplus`, too: where httpcore, h11 or anyio change what it looks at, no connection is kept."""
    async with way_to(lambda _: proper, kind, tls) as way:
        for _ in range(5):
            await way.call("/again")
        assert way.server.connections == 1


async def test_the_end_of_the_connection_is_seen_at_once(tls: ssl.SSLContext) -> None:
    async with way_to(first_as([FIRST + STALE]), "http", tls) as way:
        await way.call("/first")
        end = time.monotonic() + 5
        while way.server.ended == 0:
            assert time.monotonic() < end
            await asyncio.sleep(0.01)


async def test_where_httpx_is_built_differently_no_connection_is_used_again(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be known then whether there is a surplus."""
    original = client._has_surplus
    monkeypatch.setattr(client, "_has_surplus", lambda _: original(httpx.ByteStream(b"")))
    async with way_to(lambda path: [answer(path.encode())], "https", tls) as way:
        for path in ("/first", "/second", "/third"):
            assert await way.call(path) == path
        assert way.server.connections == 3
