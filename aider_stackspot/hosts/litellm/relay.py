"""The HTTP client below LiteLLM's OpenAI client: it passes requests into the pipeline and canonical answers out.

It opens no socket. OpenAI's library is built on httpx, from its version 3 on on httpx2: the transports are made for
whichever it is.
"""

from __future__ import annotations

import contextvars
import functools
import importlib
import json
import weakref
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

import openai

from aider_stackspot.api.chunks import Chunk, whole_of
from aider_stackspot.compatible.server_call import CallOptions, learn_from, server_call
from aider_stackspot.config import CompatibleProvider
from aider_stackspot.errors import StackSpotError, StatusError
from aider_stackspot.hosts.names import NO_KEY
from aider_stackspot.pipeline.stream import AnswerStream, start
from aider_stackspot.tools import AnswerRequirements

_BASE = "http://relay.invalid/v1"
_OPENAIS_OWN = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "host",
        "openai-organization",
        "openai-project",
        "user-agent",
    }
)
"""Headers that the OpenAI library makes by itself; some of them from variables that are about another vendor."""


class RelayedCall:
    """One call of LiteLLM's to a configured server, and the error that it came to.

    Args:
        provider: the server.
        name: the model's name behind the provider.
        options: what the call has of its own.
        mapped: turns an error into the exception that LiteLLM's caller gets.
        requirements: what the prompt says of the answer, where the server is asked for tools in this way.
    """

    def __init__(
        self,
        provider: CompatibleProvider,
        name: str,
        options: CallOptions,
        mapped: Callable[[StackSpotError], Exception],
        requirements: AnswerRequirements | None = None,
    ) -> None:
        self._provider = provider
        self._name = name
        self._options = options
        self._mapped = mapped
        self._requirements = requirements
        self.error: StackSpotError | None = None

    def begin(self, path: str, headers: Mapping[str, str], content: bytes) -> tuple[bool, AnswerStream[list[Chunk]]]:
        """Begin the call that a request of the OpenAI client asks for; return whether it is to be a stream."""
        own = {name: value for name, value in headers.items() if _is_callers(name, value)}
        options = CallOptions(**{**vars(self._options), "headers": {**self._options.headers, **own}})
        call = server_call(self._provider, self._name, path, json.loads(content), options, self._requirements)
        return call.request.streams, start(call)

    def failed(self, error: StackSpotError) -> Exception:
        """Take note of an error, and return the exception for it."""
        self.error = error
        learn_from(error, self._provider, self._name)
        return self._mapped(error)


current_call: contextvars.ContextVar[weakref.ref[RelayedCall]] = contextvars.ContextVar("aider_stackspot_relayed_call")
"""A weak reference, because an event loop that LiteLLM makes in a call keeps the context, and so its first answer."""


def _current_call() -> RelayedCall:
    call = current_call.get()()
    assert call is not None, "whoever sets it keeps the call until there is a response"
    return call


def sync_client() -> Any:
    """Return the OpenAI client for calls that block; every call is relayed as `current_call` says."""
    return _clients()[0]


def async_client() -> Any:
    """Return the OpenAI client for calls on an event loop; it has no connections, so one serves all loops."""
    return _clients()[1]


@functools.cache
def _clients() -> tuple[Any, Any]:
    # The name of the library that its clients are made of, and not an import, because only one of the two is there.
    library = importlib.import_module(openai.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0])
    sync_body = type("SyncBody", (_SyncBody, library.SyncByteStream), {})
    async_body = type("AsyncBody", (_AsyncBody, library.AsyncByteStream), {})
    sync_relay = type("SyncRelay", (_SyncRelay, library.BaseTransport), {})(library, sync_body)
    async_relay = type("AsyncRelay", (_AsyncRelay, library.AsyncBaseTransport), {})(library, async_body)
    options: dict[str, Any] = {"api_key": NO_KEY, "base_url": _BASE, "max_retries": 0}
    return (
        openai.OpenAI(http_client=library.Client(transport=sync_relay, trust_env=False), **options),
        openai.AsyncOpenAI(http_client=library.AsyncClient(transport=async_relay, trust_env=False), **options),
    )


class _Body:
    """A stream's body: canonical events, and `[DONE]` once the answer is complete."""

    def __init__(self, call: RelayedCall, first: list[Chunk], stream: AnswerStream[list[Chunk]]) -> None:
        self._call, self._first, self._stream = call, first, stream


class _SyncBody(_Body):
    def __iter__(self) -> Iterator[bytes]:
        yield _events(self._first)
        try:
            for chunks in self._stream:
                yield _events(chunks)
        except StackSpotError as error:
            raise self._call.failed(error) from None
        yield _DONE

    def close(self) -> None:
        self._stream.close()


class _AsyncBody(_Body):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield _events(self._first)
        try:
            async for chunks in self._stream:
                yield _events(chunks)
        except StackSpotError as error:
            raise self._call.failed(error) from None
        yield _DONE

    async def aclose(self) -> None:
        self._stream.close()


class _Relay:
    """A transport that makes responses of the library that the OpenAI client is built on.

    Args:
        library: httpx or httpx2.
        body: the class of a stream's body.
    """

    def __init__(self, library: ModuleType, body: Callable[..., Any]) -> None:
        self._library: Any = library
        self._body = body

    def _response(self, call: RelayedCall, streams: bool, first: list[Chunk], stream: AnswerStream[list[Chunk]]) -> Any:
        if not streams:
            return self._library.Response(200, json=whole_of(first))
        headers = {"Content-Type": "text/event-stream"}
        return self._library.Response(200, headers=headers, stream=self._body(call, first, stream))

    def _refusal(self, call: RelayedCall, error: StackSpotError) -> Any:
        """Return the server's own refusal, which LiteLLM's handler looks into; raise what is none."""
        exception = call.failed(error)
        if not isinstance(error, StatusError) or error.status < 400:
            raise exception from None
        body = error.body or json.dumps({"error": {"message": str(error)}})
        headers = {"Content-Type": "application/json"}
        return self._library.Response(error.status, headers=headers, content=body.encode("utf-8", "replace"))


class _SyncRelay(_Relay):
    def handle_request(self, request: Any) -> Any:
        call = _current_call()
        try:
            streams, stream = call.begin(_path(request), request.headers, request.read())
            first = next(stream) if streams else [chunk for chunks in stream for chunk in chunks]
        except StackSpotError as error:
            return self._refusal(call, error)
        return self._response(call, streams, first, stream)


class _AsyncRelay(_Relay):
    async def handle_async_request(self, request: Any) -> Any:
        call = _current_call()
        try:
            streams, stream = call.begin(_path(request), request.headers, await request.aread())
            first = await anext(stream) if streams else [chunk async for chunks in stream for chunk in chunks]
        except StackSpotError as error:
            return self._refusal(call, error)
        return self._response(call, streams, first, stream)


_DONE = b"data: [DONE]\n\n"


def _events(chunks: list[Chunk]) -> bytes:
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)


def _path(request: Any) -> str:
    return str(request.url.path).removeprefix("/v1")


def _is_callers(name: str, value: str) -> bool:
    """Tell whether a header came with the call, rather than from the OpenAI library."""
    name = name.lower()
    if name in _OPENAIS_OWN or name.startswith("x-stainless-"):
        return False
    return not (name == "authorization" and value == f"Bearer {NO_KEY}")
