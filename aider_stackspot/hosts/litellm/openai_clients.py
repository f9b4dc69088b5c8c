"""OpenAI clients for the configured servers, with this package's TLS, proxies and limits below them.

LiteLLM's OpenAI path takes a ready client. Its own would read `OPENAI_*` variables and knows one proxy and one set of
authorities for all hosts.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import math
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import openai

from aider_stackspot.__about__ import __version__
from aider_stackspot.config.settings import Network
from aider_stackspot.forks import Lock, in_child
from aider_stackspot.hosts.litellm.ending import Ending, Promise
from aider_stackspot.hosts.litellm.names import NO_KEY
from aider_stackspot.network.client import proxy_settings, ssl_context, timeouts

IDLE_TIMEOUT = 600.0
"""Seconds without a byte: a model on this machine may read a long prompt for minutes before its first word."""

LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=60.0)
"""As many connections as the OpenAI library has; unused ones stay open for 60 seconds."""

_OPENAIS_OWN = ("openai-organization", "openai-project")
"""Headers that the OpenAI library fills from variables that are about another vendor."""


@dataclass(frozen=True)
class Target:
    """Everything that decides how a server is reached; equal targets share connections.

    `total` is the limit of a whole answer in seconds, `headers` the configured ones.
    """

    base: str
    key: str
    headers: tuple[tuple[str, str], ...]
    network: Network
    promise: Promise
    total: float | None = None

    def __repr__(self) -> str:
        """Show no secret."""
        return f"Target({self.base!r})"


def sync_client(target: Target) -> openai.OpenAI:
    """Return the client for calls that block."""
    with _lock:
        if target not in _sync:
            http = httpx.Client(transport=_Watched(target, _transport(target, httpx.HTTPTransport)), **_limits(target))
            _sync[target] = openai.OpenAI(http_client=http, **_openai(target))
        return _sync[target]


def async_client(target: Target) -> openai.AsyncOpenAI:
    """Return the client for calls on the running event loop. Connections belong to a loop and end with it."""
    loop = asyncio.get_running_loop()
    with _lock:
        clients = _async.setdefault(loop, {})
        if target not in clients:
            inner = _transport(target, httpx.AsyncHTTPTransport)
            http = httpx.AsyncClient(transport=_AsyncWatched(target, inner), **_limits(target))
            clients[target] = openai.AsyncOpenAI(http_client=http, **_openai(target))
        return clients[target]


_lock = Lock()
_sync: dict[Target, openai.OpenAI] = {}
_async: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Target, openai.AsyncOpenAI]]
_async = weakref.WeakKeyDictionary()

# The parent's connections are in use there.
in_child(_sync.clear)


UNPROCESSABLE = 422
_refusal: contextvars.ContextVar[httpx.Response | None] = contextvars.ContextVar("aider_stackspot_422", default=None)


def swallowed_refusal() -> Exception:
    """Return the error in the place of which LiteLLM's handler returned nothing.

    With `drop_params`, which aider sets, it repeats a call that was answered 422 without the parameters that the answer
    names, and forgets the error when that is refused as well.
    """
    response = _refusal.get()
    if response is None:
        return RuntimeError("LiteLLM's handler returned nothing.")
    text = response.text
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    return openai.UnprocessableEntityError(f"Error code: 422 - {text}", response=response, body=body)


def _transport(target: Target, kind: Callable[..., Any]) -> Any:
    proxy = proxy_settings(target.network, target.base)
    return kind(
        verify=ssl_context(target.network) if target.base.startswith("https:") or proxy else False,
        proxy=proxy,
        trust_env=False,
        limits=LIMITS,
    )


def _limits(target: Target) -> dict[str, Any]:
    # A redirect could take the key, and the code, to another host.
    return {
        "timeout": timeouts(target.network, IDLE_TIMEOUT, target.total or math.inf),
        "follow_redirects": False,
        "trust_env": False,
    }


def _openai(target: Target) -> dict[str, Any]:
    return {
        "api_key": target.key,
        "base_url": target.base,
        "default_headers": {"User-Agent": f"aider-stackspot/{__version__}", **dict(target.headers)},
    }


class _Watched(httpx.BaseTransport):
    """Takes out of a request what is not for this server, and sees to it that a stream comes to its end."""

    def __init__(self, target: Target, inner: httpx.BaseTransport) -> None:
        self._target = target
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        _clean(request, self._target)
        response = self._inner.handle_request(request)
        if response.status_code == UNPROCESSABLE:
            response.read()
            _refusal.set(response)
        ending = _ending(request, response, self._target)
        if ending is not None and isinstance(response.stream, httpx.SyncByteStream):
            response.stream = _SyncStream(response.stream, ending, _deadline(self._target))
        return response

    def close(self) -> None:
        self._inner.close()


class _AsyncWatched(httpx.AsyncBaseTransport):
    """Does the same on an event loop."""

    def __init__(self, target: Target, inner: httpx.AsyncBaseTransport) -> None:
        self._target = target
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        _clean(request, self._target)
        response = await self._inner.handle_async_request(request)
        if response.status_code == UNPROCESSABLE:
            await response.aread()
            _refusal.set(response)
        ending = _ending(request, response, self._target)
        if ending is not None and isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _AsyncStream(response.stream, ending, _deadline(self._target))
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _SyncStream(httpx.SyncByteStream):
    def __init__(self, inner: httpx.SyncByteStream, ending: Ending, check: Callable[[], None]) -> None:
        self._inner, self._ending, self._check = inner, ending, check

    def __iter__(self) -> Iterator[bytes]:
        try:
            for data in self._inner:
                self._check()
                self._ending.see(data)
                yield data
        except (httpx.RemoteProtocolError, httpx.ReadError):
            # The connection ended in the middle of the body: an end, if everything had been said by then.
            pass
        self._ending.finish()

    def close(self) -> None:
        self._inner.close()


class _AsyncStream(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream, ending: Ending, check: Callable[[], None]) -> None:
        self._inner, self._ending, self._check = inner, ending, check

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for data in self._inner:
                self._check()
                self._ending.see(data)
                yield data
        except (httpx.RemoteProtocolError, httpx.ReadError):
            pass
        self._ending.finish()

    async def aclose(self) -> None:
        await self._inner.aclose()


def _clean(request: httpx.Request, target: Target) -> None:
    configured = {name.lower() for name, _ in target.headers}
    for name in _OPENAIS_OWN:
        if name not in configured:
            request.headers.pop(name, None)
    if target.key == NO_KEY and request.headers.get("authorization") == f"Bearer {NO_KEY}":
        del request.headers["authorization"]


def _ending(request: httpx.Request, response: httpx.Response, target: Target) -> Ending | None:
    """Return what watches a stream; `None` for an answer in one piece, whose length says whether it is complete."""
    if response.status_code != 200 or not request.url.path.endswith("/chat/completions"):
        return None
    try:
        wanted = json.loads(request.content).get("stream") is True
    except (ValueError, AttributeError):
        return None
    # Compressed bytes cannot be watched here; servers do not compress event streams.
    encoded = response.headers.get("content-encoding", "identity") != "identity"
    return Ending(target.promise, urlsplit(target.base).netloc) if wanted and not encoded else None


def _deadline(target: Target) -> Callable[[], None]:
    end = time.monotonic() + target.total if target.total else None

    def check() -> None:
        if end is not None and time.monotonic() > end:
            raise httpx.ReadTimeout(f"the total limit of {target.total:g} s was spent")

    return check
