"""What all calls of a process share, kept on the background loop: HTTP clients, tokens and rate limits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial

import httpx

from aider_stackspot.config.settings import Network
from aider_stackspot.network.client import build_client, build_transport
from aider_stackspot.network.proxies import proxy_for
from aider_stackspot.network.tokens import AccessToken, Credentials, TokenCache
from aider_stackspot.pipeline import call_log
from aider_stackspot.pipeline.background_loop import BackgroundLoop, background_loop
from aider_stackspot.pipeline.rate_limit import RateLimiter


@dataclass(frozen=True)
class _Way:
    """How hosts of one kind are reached; the client sends through the transport."""

    transport: httpx.AsyncBaseTransport
    client: httpx.AsyncClient


@dataclass
class Uploaded:
    """A file that was, or is being, uploaded.

    Attributes:
        key: tells files and accounts apart.
        begun: since which monotonic second.
        work: what brings its id.
        was_taken: whether a call that named it was answered.
    """

    key: tuple[str, ...]
    begun: float
    work: asyncio.Future[str]
    was_taken: bool = False


class SharedResources:
    """Clients, tokens, rate limits and uploaded files. Only to be used on the background loop."""

    def __init__(self) -> None:
        self.uploads: dict[tuple[str, ...], Uploaded] = {}
        self._ways: dict[tuple[Network, str | None, bool], _Way] = {}
        self._tokens: dict[tuple[str, ...], TokenCache] = {}
        self._token_networks: dict[tuple[str, ...], Network] = {}
        self._limiters: dict[tuple[str, ...], RateLimiter] = {}

    def client(self, network: Network, url: str) -> httpx.AsyncClient:
        """Return the client for a host; hosts that are reached the same way share one.

        Raises:
            ConfigurationError: a certificate file or the proxy's URL cannot be used.
        """
        return self._way(network, url).client

    async def send(self, network: Network, request: httpx.Request, auth: httpx.Auth) -> httpx.Response:
        """Send a request as the client would: the response has to be closed, its body is still to come.

        Cookies, redirects and defaults, which StackSpot has no use for, cost the client as much as everything else.

        Raises:
            ConfigurationError: a certificate file or the proxy's URL cannot be used.
            httpx.HTTPError: there is no response.
        """
        transport = self._way(network, str(request.url)).transport
        flow = auth.async_auth_flow(request)
        response: httpx.Response | None = None
        try:
            request = await anext(flow)
            while True:
                response = await _response(transport, request)
                request = await flow.asend(response)
                await response.aclose()
        except StopAsyncIteration:
            assert response is not None
            return response
        except BaseException:
            if response is not None:
                await response.aclose()
            raise
        finally:
            await flow.aclose()

    def _way(self, network: Network, url: str) -> _Way:
        key = (network, proxy_for(network, url), url.startswith("https:"))
        if key not in self._ways:
            transport = build_transport(network, url)
            client = build_client(network, url, transport)
            client.event_hooks = call_log.HOOKS
            self._ways[key] = _Way(transport, client)
        return self._ways[key]

    def tokens(self, credentials: Credentials, network: Network) -> TokenCache:
        """Return the one token cache of these credentials; a changed proxy or authority serves the next token."""
        identity = credentials.identity
        self._token_networks[identity] = network
        if identity not in self._tokens:

            async def mint() -> AccessToken:
                return await credentials.new_token(partial(self.client, self._token_networks[identity]))

            self._tokens[identity] = TokenCache(mint)
        return self._tokens[identity]

    def limiter(self, key: tuple[str, ...]) -> RateLimiter:
        """Return the one rate limiter of an account."""
        return self._limiters.setdefault(key, RateLimiter())

    async def close(self) -> None:
        """Close every connection."""
        for way in self._ways.values():
            await way.client.aclose()


async def _response(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> httpx.Response:
    await call_log.on_request(request)
    try:
        response = await transport.handle_async_request(request)
    except httpx.RequestError as error:
        error.request = request
        raise
    response.request = request
    await call_log.on_response(response)
    return response


_of_engine: tuple[BackgroundLoop, SharedResources] | None = None


def shared_resources() -> SharedResources:
    """Return what the calls on the process's background loop share."""
    global _of_engine
    current = background_loop()
    if _of_engine is None or _of_engine[0] is not current:
        _of_engine = (current, SharedResources())
        current.at_close(_of_engine[1].close)
    return _of_engine[1]
