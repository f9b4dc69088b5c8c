"""Many calls at once use each other's connections, and few calls are not slowed down by those."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from aider_stackspot import StackSpotProvider
from aider_stackspot.emulator import Emulator, Style
from aider_stackspot.network import client
from aider_stackspot.network.client import POOL_SIZE, PoolsTransport
from tests.load.resources import connection_is_ready

HI = [{"role": "user", "content": "Say hi"}]
CROWD = 3 * POOL_SIZE


def crowd(size: int = CROWD) -> None:
    async def all_at_once() -> None:
        await asyncio.gather(*(StackSpotProvider().completion(HI) for _ in range(size)))

    asyncio.run(all_at_once())
    assert connection_is_ready()


@pytest.fixture
def slow(emulator: Emulator) -> Emulator:
    """A service slow enough for all calls of a crowd to be under way together."""
    emulator.style = Style(first_delay=0.3)
    return emulator


def test_a_crowd_uses_the_connections_of_the_one_before(slow: Emulator) -> None:
    crowd()
    before = slow.connections
    assert before > POOL_SIZE
    crowd()
    assert slow.connections <= max(before, CROWD + 1)


@pytest.mark.thorough
def test_threads_that_call_again_and_again_keep_their_connections(emulator: Emulator) -> None:
    with ThreadPoolExecutor(2 * POOL_SIZE) as threads:
        list(threads.map(lambda _: StackSpotProvider().completion_sync(HI), range(8 * POOL_SIZE)))
    assert emulator.connections <= 3 * POOL_SIZE  # and not one for each call


def test_one_call_after_a_crowd_uses_one_of_its_connections(slow: Emulator) -> None:
    crowd()
    before = slow.connections
    StackSpotProvider().completion_sync(HI)
    assert slow.connections == before


def test_connections_that_only_a_crowd_needs_are_closed(slow: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd()
    assert slow.open_connections > POOL_SIZE
    monkeypatch.setattr(client, "KEEP_ALIVE", 0.0)
    end = time.monotonic() + 5
    while slow.open_connections > POOL_SIZE:  # a call closes those that were free before it
        assert time.monotonic() < end
        StackSpotProvider().completion_sync(HI)


def test_a_call_that_is_cancelled_while_it_frees_its_connection_frees_it(emulator: Emulator) -> None:
    url = f"{emulator.environment()['STACKSPOTAI_AUTH_URL']}/nothing"

    async def calls() -> None:
        transport = PoolsTransport(lambda limits: httpx.AsyncHTTPTransport(limits=limits))
        for _ in range(POOL_SIZE + 1):
            request = httpx.Request("GET", url, extensions={"timeout": {"pool": 5.0}})
            response = await transport.handle_async_request(request)
            assert isinstance(response.stream, httpx.AsyncByteStream)
            assert [piece async for piece in response.stream]
            closing = asyncio.create_task(response.aclose())
            await asyncio.sleep(0)
            closing.cancel()
            await asyncio.wait([closing])
        await transport.aclose()

    asyncio.run(calls())


async def body(problem: BaseException | None = None) -> AsyncIterator[bytes]:
    yield b"text"
    if problem is not None:
        raise problem


class Scripted(httpx.AsyncBaseTransport):
    """Answers with what the test says, without a network."""

    def __init__(self) -> None:
        self.limits: list[httpx.Limits] = []
        self.problem: BaseException | None = None
        self.later_problem: BaseException | None = None

    def new_pool(self, limits: httpx.Limits) -> httpx.AsyncBaseTransport:
        self.limits.append(limits)
        return self

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.problem is not None:
            raise self.problem
        return httpx.Response(200, content=body(self.later_problem))


@pytest.fixture
def anyio_backend() -> str:
    """As on the background loop."""
    return "asyncio"


async def freed(response: httpx.Response) -> None:
    assert isinstance(response.stream, httpx.AsyncByteStream)
    await response.stream.aclose()


def request(pool_timeout: float | None = None) -> httpx.Request:
    return httpx.Request("GET", "http://127.0.0.1/", extensions={"timeout": {"pool": pool_timeout}})


@pytest.mark.anyio
async def test_no_pool_has_more_connections_than_it_may_keep() -> None:
    scripted = Scripted()
    await PoolsTransport(scripted.new_pool).handle_async_request(request())
    (limits,) = scripted.limits
    assert limits.max_connections == limits.max_keepalive_connections == POOL_SIZE


@pytest.mark.anyio
async def test_when_all_connections_are_taken_a_call_waits_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_CONNECTIONS", 1)
    transport = PoolsTransport(Scripted().new_pool)
    first = await transport.handle_async_request(request())
    waiting = asyncio.create_task(transport.handle_async_request(request()))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await first.aclose()
    assert (await asyncio.wait_for(waiting, 5)).status_code == 200


@pytest.mark.anyio
async def test_but_no_longer_than_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_CONNECTIONS", 1)
    transport = PoolsTransport(Scripted().new_pool)
    first = await transport.handle_async_request(request())
    with pytest.raises(httpx.PoolTimeout):
        await transport.handle_async_request(request(0.01))
    for _ in range(2):  # the second time frees nothing more
        await freed(first)
    second = await transport.handle_async_request(request(0.01))
    with pytest.raises(httpx.PoolTimeout):
        await transport.handle_async_request(request(0.01))
    await second.aclose()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("problem", "raised"),
    [
        (httpx.ConnectError("refused"), httpx.ConnectError),
        (asyncio.CancelledError(), asyncio.CancelledError),
        (ssl.SSLError(1, "[SSL: TLSV1_ALERT_INTERNAL_ERROR] tlsv1 alert internal error"), httpx.ReadError),
    ],
)
async def test_a_call_that_fails_gives_its_connection_back(
    problem: BaseException, raised: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_CONNECTIONS", 1)
    scripted = Scripted()
    transport = PoolsTransport(scripted.new_pool)
    scripted.problem = problem
    with pytest.raises(raised):
        await transport.handle_async_request(request())
    scripted.problem = None
    assert (await transport.handle_async_request(request(0.01))).status_code == 200


@pytest.mark.anyio
async def test_what_tls_says_in_the_middle_of_a_body_is_a_broken_connection() -> None:
    scripted = Scripted()
    scripted.later_problem = ssl.SSLError(1, "[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] bad record mac")
    response = await PoolsTransport(scripted.new_pool).handle_async_request(request())
    pieces = aiter(response.stream)  # type: ignore[arg-type]
    assert await anext(pieces) == b"text"
    with pytest.raises(httpx.ReadError, match="bad record mac"):
        await anext(pieces)
