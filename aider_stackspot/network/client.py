"""The one builder of HTTP clients: TLS, proxies, limits of time, and connections in small pools.

Small pools instead of one large one, because of two traits of httpcore's pool (1.0.9). It looks at each connection once
for every other one at each request, so that 200 unused ones cost milliseconds each time; and it takes busy connections
for unused ones when it counts those to keep, so that more calls at once than that never use a connection again.
"""

from __future__ import annotations

import asyncio
import email.utils
import logging
import math
import re
import ssl
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

import anyio
import httpx
from anyio.streams.tls import TLSStream

from aider_stackspot.__about__ import __version__
from aider_stackspot.config.settings import Network
from aider_stackspot.network.proxies import proxy_settings
from aider_stackspot.network.tls import ssl_context

if sys.platform != "win32":
    import resource

log = logging.getLogger(__name__)

POOL_SIZE = 20
"""Connections."""
MAX_POOLS = 10
MAX_CONNECTIONS = POOL_SIZE * MAX_POOLS
SHARE_OF_FILES = 4
"""One in so many of the files that the process may open can be a connection: others and their files need some, too."""
KEEP_ALIVE = 60.0
"""Seconds that an unused connection stays open."""


def connection_limit() -> int:
    """Return how many connections may be open at once; further calls wait for one."""
    if sys.platform != "win32":
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if files != resource.RLIM_INFINITY:
            return max(1, min(MAX_CONNECTIONS, files // SHARE_OF_FILES))
    return MAX_CONNECTIONS


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
            response.stream = _Stream(response, lambda: _give_back(turn, pool))
            return response
        except BaseException as error:
            _give_back(turn, pool)
            if isinstance(error, ssl.SSLError):
                raise _broken(error) from error
            raise

    async def aclose(self) -> None:
        """Close every connection."""
        pools, self._pools = self._pools, []
        for pool in pools:
            await pool.transport.aclose()

    async def _take_turn(self, request: httpx.Request) -> anyio.Semaphore:
        turn = self._turn = self._turn or anyio.Semaphore(connection_limit(), fast_acquire=True)
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

    def __init__(self, response: httpx.Response, give_back: Callable[[], None]) -> None:
        assert isinstance(response.stream, httpx.AsyncByteStream)
        self._inner = response.stream
        self._network_stream = response.extensions.get("network_stream")
        self._give_back: Callable[[], None] | None = give_back

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = aiter(self._inner)
        try:
            async for piece in pieces:
                yield piece
        except ssl.SSLError as error:
            raise _broken(error) from error
        finally:
            if isinstance(pieces, AsyncGenerator):
                await pieces.aclose()

    async def aclose(self) -> None:
        give_back, self._give_back = self._give_back, None
        if give_back is not None:
            # A closing that ends half-way leaves a connection busy for ever: it goes on when the call is cancelled.
            closing = asyncio.ensure_future(self._free(give_back))
            _closings.add(closing)
            closing.add_done_callback(_closings.discard)
            await asyncio.shield(closing)

    async def _free(self, give_back: Callable[[], None]) -> None:
        try:
            if self._network_stream is not None and _has_surplus(self._inner):
                log.info("The server sent more than its answer: the connection is not used again.")
                with anyio.CancelScope(shield=True):
                    await self._network_stream.aclose()
        finally:
            try:
                await self._inner.aclose()
            finally:
                give_back()


_closings: set[asyncio.Future[None]] = set()
"""Those under way; the event loop itself would let them be forgotten."""


def _broken(error: ssl.SSLError) -> httpx.ReadError:
    """Return what httpx raises for other broken connections; errors of TLS while it reads go through httpcore 1.0.9."""
    return httpx.ReadError(str(error))


def _has_surplus(stream: Any) -> bool:
    """Tell whether more bytes have been received than those of the response, which was read to its end.

    They would be taken for the answer to the next request. httpcore looks only at what the operating system still has;
    bytes are also kept by h11, by each layer of TLS and by anyio, where nothing public shows them.

    Args:
        stream: the body of a response from httpx's transport.

    Returns:
        True also where these libraries are not built as they were when this was written.
    """
    try:
        connection = stream._httpcore_stream._pool_request.connection
        while not hasattr(connection, "_h11_state"):  # proxies: one connection inside the other
            connection = connection._connection
        unread, _ = connection._h11_state.trailing_data
        layer = connection._network_stream._stream
        while isinstance(layer, TLSStream):
            if layer._ssl_object.pending() or layer._read_bio.pending:
                return True
            layer = layer.transport_stream
        return bool(unread or layer._protocol.read_queue)
    except AttributeError:
        return True


CONNECT_TIMEOUT = 10.0
"""Seconds."""
IDLE_TIMEOUT = 120.0
"""Seconds without a byte; 97 to the first one were measured (docs/wire.md, "Agents API: stream")."""
HEADERS = {"User-Agent": f"aider-stackspot/{__version__}", "Accept-Encoding": "identity"}


def build_transport(network: Network, url: str) -> httpx.AsyncBaseTransport:
    """Return what sends requests to a host: connections, TLS, the proxy.

    Args:
        network: how the user reaches hosts.
        url: any URL of the host; decides the proxy.

    Raises:
        ConfigurationError: a certificate file or the proxy's URL cannot be used.
    """
    proxy = proxy_settings(network, url)
    verify = ssl_context(network) if url.startswith("https:") or proxy else False
    return PoolsTransport(
        lambda limits: httpx.AsyncHTTPTransport(verify=verify, proxy=proxy, trust_env=False, limits=limits)
    )


def build_client(network: Network, url: str, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """Return a client for a host, that sends through its own or a given transport; see `build_transport`.

    Redirects are not followed: neither token nor key may travel to another host.
    """
    return httpx.AsyncClient(
        transport=transport or build_transport(network, url),
        trust_env=False,
        follow_redirects=False,
        timeout=timeouts(network, IDLE_TIMEOUT),
        headers=HEADERS,
    )


def timeouts(network: Network, idle: float, longest: float = math.inf) -> httpx.Timeout:
    """Return httpx's limits: for a connection, and without a byte.

    Args:
        network: has the limits that the user chose.
        idle: seconds without a byte, where the user chose none.
        longest: seconds that are left for everything.
    """
    return httpx.Timeout(
        min(network.idle_timeout or idle, longest),
        connect=min(network.connect_timeout or CONNECT_TIMEOUT, idle, longest),
    )


def retry_after(headers: httpx.Headers) -> float | None:
    """Return the seconds that a `Retry-After` header asks for (a number or a date, RFC 9110), or `None`."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
        return max(0.0, moment.timestamp() - time.time())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
