"""One attempt at a call: the request goes out, the answer comes in, up to its terminal marker."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx
from httpx_sse import ServerSentEvent
from pydantic import SecretStr

from aider_stackspot import api
from aider_stackspot.api.answer import AnswerParser, ApiRequest, Finish, clean
from aider_stackspot.api.failure import from_response, is_html
from aider_stackspot.auth import BearerAuth
from aider_stackspot.channel import Channel
from aider_stackspot.config.settings import MAX_RETRIES, TOTAL_TIMEOUT, Model
from aider_stackspot.errors import ConfigurationError, MalformedAnswer, StackSpotError, StreamInterrupted
from aider_stackspot.sse import EventStream
from aider_stackspot.stop import StopSequences
from aider_stackspot.transport import IDLE_TIMEOUT, read_limited, retry_after, timeouts, translated
from aider_stackspot.upstream import Access, Upstream

LARGEST_ERROR_BODY = 256 * 1024
LARGEST_WHOLE_ANSWER = 64 * 1024 * 1024
"""Bytes of an answer that comes as one JSON document."""
MOST_EMPTY_EVENTS = 1000
"""In a row, without any text: the service was seen to send such events for ever (wire sheet 2.4)."""
DRAIN_TIMEOUT = 1.0
"""Seconds after the terminal marker for the body's proper end, so that the connection can be used again."""


@dataclass(frozen=True)
class Call:
    """Everything about one call. What the caller gave as an argument is in here already, defaults included."""

    model: Model
    access: Access
    api_base: str
    prompt: str = field(repr=False)
    timeout: float = TOTAL_TIMEOUT
    max_retries: int = MAX_RETRIES
    rpm: int | None = None
    headers: Mapping[str, SecretStr] = field(default_factory=dict)
    stop: tuple[str, ...] = ()


class Sink:
    """Where a call's text goes: past the stop sequences, into the channel."""

    def __init__(self, channel: Channel, stop: tuple[str, ...] = ()) -> None:
        self._channel = channel
        self._stop = StopSequences(stop)
        self.has_text = False
        self.finish: Finish | None = None
        self.characters = 0
        self.first_text_at: float | None = None
        self.execution: str | None = None  # of a quick command, so that a retry goes on with it

    async def text(self, text: str) -> None:
        """Hand over text; a stop sequence in it ends the answer."""
        if text:
            if not self.has_text:
                self.has_text, self.first_text_at = True, time.monotonic()
            self.characters += len(text)
            text = self._stop.feed(text)
        if text:
            await self._channel.put(text)
        if self._stop.stopped:
            await self.finished(Finish(reason="stop"))

    async def finished(self, finish: Finish) -> None:
        """Hand over what was held back, and say that the answer is complete."""
        held = self._stop.finish()
        if held:
            await self._channel.put(held)
        self.finish = finish
        self._channel.end()

    def failed(self, error: StackSpotError) -> None:
        """Say that the answer will not be completed; nothing, where it is complete."""
        self._channel.end(error)


async def attempt(call: Call, upstream: Upstream, sink: Sink, deadline: float) -> None:
    """Send the request and pass the answer on to the sink.

    Args:
        call: what to ask.
        upstream: the process's clients and tokens.
        sink: where text and end go.
        deadline: the monotonic second at which the caller's time is spent.

    Raises:
        StackSpotError: there is no complete answer.
    """
    request, parser = api.translate(call.model, call.prompt)
    url = call.api_base + request.path
    client = upstream.client(call.access.network, url)
    auth = BearerAuth(upstream.tokens(call.access), deadline)
    limiter = upstream.limiter(call.access)
    turn = await limiter.turn(call.rpm, deadline)
    try:
        async with client.stream("POST", url, auth=auth, **_arguments(call, request, deadline)) as response:
            if response.status_code != 200:
                refusal = await _refusal(call, response)
                limiter.saw(refusal, turn)
                raise refusal
            await _read(response, parser, sink)
    except httpx.HTTPError as error:
        if sink.finish is None:
            raise translated(error, url, "the answer") from error
    except (httpx.InvalidURL, UnicodeEncodeError) as error:
        raise ConfigurationError(f"The URL or a header of {call.model.name} cannot be used: {error}") from error
    if sink.finish is None:
        raise StreamInterrupted(
            f"The answer of {call.model.name} ended before its end marker; what arrived is incomplete."
        )


def _arguments(call: Call, request: ApiRequest, deadline: float) -> dict[str, Any]:
    headers = {name: value.get_secret_value() for name, value in call.headers.items()}
    headers |= {"Content-Type": "application/json", "Accept": "text/event-stream"}
    body = clean(json.dumps(request.body, ensure_ascii=False)).encode()
    idle = min(IDLE_TIMEOUT, max(0.001, deadline - time.monotonic()))
    return {"content": body, "headers": headers, "timeout": timeouts(idle)}


async def _refusal(call: Call, response: httpx.Response) -> StackSpotError:
    try:
        body = await read_limited(response, LARGEST_ERROR_BODY)
    except (httpx.HTTPError, MalformedAnswer):
        body = ""
    agent = f"agent `{call.model.agent_id}` at " if call.model.api == "agent" else ""
    account = f"(realm `{call.access.realm}`, client id `{call.access.client_id}`)"
    return from_response(
        response.status_code,
        body,
        retry_after=retry_after(response.headers),
        where=f"{agent}{response.url.host} {account}",
    )


async def _read(response: httpx.Response, parser: AnswerParser, sink: Sink) -> None:
    """Pass the answer on until its terminal marker, or until there is no more."""
    body = response.aiter_bytes()
    try:
        first = await anext(body, b"")
        if not _is_event_stream(response, first):
            await _read_whole(response.url.host, first, body, parser, sink)
        else:
            await _read_events(first, body, parser, sink)
        if parser.finish is not None:
            with anyio.move_on_after(DRAIN_TIMEOUT):
                async for _ in body:
                    pass
    finally:
        # An abandoned async generator would be closed whenever the garbage collector comes by.
        if isinstance(body, AsyncGenerator):
            await body.aclose()


async def _read_events(first: bytes, body: AsyncIterator[bytes], parser: AnswerParser, sink: Sink) -> None:
    events = EventStream()
    silent = _SilenceCounter()
    chunk: bytes = first
    interruption: httpx.HTTPError | None = None
    while chunk and sink.finish is None:
        await _pass_on(events.feed(chunk), parser, sink, silent)
        try:
            chunk = await anext(body, b"") if sink.finish is None else b""
        except (httpx.NetworkError, httpx.ProtocolError, httpx.DecodingError) as error:
            interruption, chunk = error, b""
    if sink.finish is None:
        # The stream's last event may have lost its blank line, or the connection the end of its body.
        await _pass_on(events.finish(), parser, sink, silent)
    if sink.finish is None and interruption is not None:
        raise interruption


class _SilenceCounter:
    """Counts events without text in a row."""

    def __init__(self) -> None:
        self._count = 0

    def see(self, text: str) -> None:
        self._count = 0 if text else self._count + 1
        if self._count > MOST_EMPTY_EVENTS:
            raise StreamInterrupted(f"The service sent {MOST_EMPTY_EVENTS} events in a row without any text.")


async def _pass_on(
    events: Iterable[ServerSentEvent], parser: AnswerParser, sink: Sink, silent: _SilenceCounter
) -> None:
    """Pass on what one network read brought, in one piece; text that came before an error goes out first."""
    pieces: list[str] = []
    try:
        for event in events:
            text = parser.feed(event)
            silent.see(text)
            pieces.append(text)
            if parser.finish is not None:
                break
    finally:
        await sink.text("".join(pieces))
    if parser.finish is not None and sink.finish is None:
        await sink.finished(parser.finish)


def _is_event_stream(response: httpx.Response, first: bytes) -> bool:
    content_type = response.headers.get("content-type", "").lower()
    if "event-stream" in content_type:
        return True
    return "json" not in content_type and not first.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"<"))


async def _read_whole(host: str, first: bytes, body: AsyncIterator[bytes], parser: AnswerParser, sink: Sink) -> None:
    """Read an answer that is one JSON document although a stream was asked for (wire sheet 2.4)."""
    pieces, size = [first], len(first)
    async for piece in body:
        size += len(piece)
        if size > LARGEST_WHOLE_ANSWER:
            raise MalformedAnswer(f"The service sent one document of more than {LARGEST_WHOLE_ANSWER:,} bytes.")
        pieces.append(piece)
    document = b"".join(pieces).decode("utf-8-sig", errors="replace")
    if is_html(document):
        raise MalformedAnswer(
            f"{host} answered with a web page instead of an answer. This is most likely a proxy or its login page in "
            "between: check HTTPS_PROXY, and that the host may be reached."
        )
    await sink.text(parser.whole(document))
    if parser.finish is not None and sink.finish is None:
        await sink.finished(parser.finish)
