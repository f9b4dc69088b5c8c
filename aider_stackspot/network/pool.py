"""Connections in small pools instead of one large one, because of two traits of httpcore's pool (1.0.9).

It looks at each connection once for every other one at each request, so that 200 unused ones cost milliseconds each
time; and it takes busy connections for unused ones when it counts those to keep, so that more calls at once than that
never use a connection again.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable

import anyio
import httpx

POOL_SIZE = 20
"""Connections."""
MAX_POOLS = 10
MAX_CONNECTIONS = POOL_SIZE * MAX_POOLS
KEEP_ALIVE = 60.0
"""Seconds that an unused connection stays open."""


class PoolsTransport(httpx.AsyncBaseTransport):
    """Sends each request through the first pool that has a connection to spare.

    So few calls at once share one pool, and the pools of a crowd are closed when it has long gone.

    Args:
        new_pool: returns a transport with the given limits.
    """

    def __init__(self, new_pool: Callable[[httpx.Limits], httpx.AsyncBaseTransport]) -> None:
        self._new_pool = new_pool
        self._pools: list[_Pool] = []
        self._turn: anyio.Semaphore | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Raises:
            httpx.PoolTimeout: no connection was free in time.
            httpx.HTTPError: there is no response.
        """
        turn = await self._take_turn(request)
        pool = self._with_a_connection_to_spare()
        pool.busy += 1
        try:
            await self._close_unused()
            response = await pool.transport.handle_async_request(request)
            assert isinstance(response.stream, httpx.AsyncByteStream)
            response.stream = _Stream(response.stream, lambda: _give_back(turn, pool))
            return response
        except BaseException:
            _give_back(turn, pool)
            raise

    async def aclose(self) -> None:
        """Close every connection."""
        pools, self._pools = self._pools, []
        for pool in pools:
            await pool.transport.aclose()

    async def _take_turn(self, request: httpx.Request) -> anyio.Semaphore:
        turn = self._turn = self._turn or anyio.Semaphore(MAX_CONNECTIONS, fast_acquire=True)
        try:
            turn.acquire_nowait()
        except anyio.WouldBlock:
            with anyio.move_on_after(request.extensions.get("timeout", {}).get("pool")) as scope:
                await turn.acquire()
            if scope.cancelled_caught:
                raise httpx.PoolTimeout("no connection became free", request=request) from None
        return turn

    def _with_a_connection_to_spare(self) -> _Pool:
        for pool in self._pools:
            if pool.busy < POOL_SIZE:
                return pool
        limits = httpx.Limits(
            max_connections=POOL_SIZE, max_keepalive_connections=POOL_SIZE, keepalive_expiry=KEEP_ALIVE
        )
        self._pools.append(_Pool(self._new_pool(limits)))
        return self._pools[-1]

    async def _close_unused(self) -> None:
        """Close the pools that only a crowd needs; their connections would stay open until the next crowd comes."""
        long_ago = time.monotonic() - KEEP_ALIVE
        while len(self._pools) > 1 and not self._pools[-1].busy and self._pools[-1].used < long_ago:
            await self._pools.pop().transport.aclose()


class _Pool:
    """A pool, the number of its calls, and when it was used last."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self.transport = transport
        self.busy = 0
        self.used = time.monotonic()


def _give_back(turn: anyio.Semaphore, pool: _Pool) -> None:
    pool.busy -= 1
    pool.used = time.monotonic()
    turn.release()


class _Stream(httpx.AsyncByteStream):
    """A body, whose end frees the connection."""

    def __init__(self, inner: httpx.AsyncByteStream, give_back: Callable[[], None]) -> None:
        self._inner = inner
        self._give_back: Callable[[], None] | None = give_back

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._inner.__aiter__()

    async def aclose(self) -> None:
        try:
            await self._inner.aclose()
        finally:
            give_back, self._give_back = self._give_back, None
            if give_back is not None:
                give_back()
