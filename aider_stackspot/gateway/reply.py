"""An answer on its way to a client: one document, or server-sent events that begin when there is something to say.

A failure before that is an HTTP error, also for a stream, so that SDKs repeat the call. A stream that has begun ends
with its protocol's error event where the answer does, and never with a normal end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from starlette.types import Message, Receive, Scope, Send

from aider_stackspot.api.answer import Finish, Usage, json_bytes
from aider_stackspot.gateway import errors
from aider_stackspot.gateway.errors import GatewayError
from aider_stackspot.pipeline.usage_record import CHARACTERS_PER_TOKEN


@dataclass(frozen=True)
class End:
    """How a complete answer ended.

    Attributes:
        reason: one of OpenAI's finish reasons.
        usage: counted, or estimated.
        stop_sequence: the client's own text at which it ended.
        told: the conversation and the knowledge sources of a StackSpot agent; empty where it named neither.
    """

    reason: str
    usage: Usage
    stop_sequence: str | None = None
    told: Mapping[str, Any] = field(default_factory=dict)

    @property
    def extra(self) -> dict[str, Any]:
        """What stands beside the protocol's own fields: `stackspot`, where there is something to tell."""
        return {"stackspot": dict(self.told)} if self.told else {}


def told_by(finish: Finish) -> Mapping[str, Any]:
    """Return what a program can use of what StackSpot told."""
    return finish.facts if finish.conversation_id or finish.sources else {}


def estimated_tokens(of: str | int) -> int:
    """Return how many tokens a text, or a number of characters, may be; for where nobody counts them."""
    return -(-(of if isinstance(of, int) else len(of)) // CHARACTERS_PER_TOKEN)


log = logging.getLogger("aider_stackspot.gateway")

PING_AFTER = 15.0
"""Seconds of silence after which a stream says that it lives; programs give up on a silent one after a minute or so."""
PING = b": ping\n\n"
"""A comment, which clients of OpenAI's APIs pass over."""
PIECE = TypeVar("PIECE")


class Shape(Protocol[PIECE]):
    """A protocol's form of one answer.

    Attributes:
        protocol: in whose words an error is told.
        ping: what a silent stream says.
    """

    protocol: errors.Protocol
    ping: bytes

    def opening(self) -> bytes:
        """Return the events before the first piece."""
        ...

    def piece(self, piece: PIECE) -> bytes:
        """Return the events of a piece."""
        ...

    def closing(self) -> bytes:
        """Return the events after the last piece of a complete answer."""
        ...

    def failure(self, error: GatewayError) -> bytes:
        """Return the events that end an answer which will not be completed."""
        ...

    def document(self, pieces: list[PIECE]) -> object:
        """Return a complete answer as one JSON document."""
        ...


class OpenReplies:
    """The replies that are on their way, so that a gateway that stops can end them."""

    def __init__(self) -> None:
        self._open: set[Ending] = set()

    def __len__(self) -> int:
        return len(self._open)

    @contextlib.contextmanager
    def joined(self, ending: Ending) -> Iterator[None]:
        """Count a reply for as long as the block runs."""
        self._open.add(ending)
        try:
            yield
        finally:
            self._open.discard(ending)

    def stop(self) -> None:
        """End all of them, each with its protocol's error."""
        for ending in list(self._open):
            ending.stop()


class Ending:
    """Ends the task that writes a reply, and remembers why."""

    def __init__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self.client_left = False
        self.stopped = False

    def leave(self) -> None:
        """The client has gone: nobody waits for the rest."""
        self.client_left = True
        self._task.cancel()

    def stop(self) -> None:
        """The gateway stops."""
        if not self.client_left:
            self.stopped = True
            self._task.cancel()


class Reply(Generic[PIECE]):
    """An answer that is written as it comes, as an ASGI application.

    Args:
        pieces: the answer; it raises `GatewayError` where it is not complete.
        shape: the protocol's form of it.
        streams: whether it goes out as events.
        replies: where it is counted.
    """

    def __init__(
        self, pieces: AsyncIterator[PIECE], shape: Shape[PIECE], *, streams: bool, replies: OpenReplies
    ) -> None:
        self._pieces = pieces
        self._shape = shape
        self._streams = streams
        self._replies = replies
        self._opening = shape.opening() if streams else b""
        self._opened = False
        self._ended = False
        self._last_sent = time.monotonic()
        self._sending = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write it."""
        ending = Ending()
        watchers = [asyncio.create_task(_watch(receive, ending))]
        if self._streams:
            watchers.append(asyncio.create_task(self._keep_alive(send)))
        try:
            with self._replies.joined(ending):
                await self._write(send, ending)
        finally:
            for watcher in watchers:
                watcher.cancel()

    async def _write(self, send: Send, ending: Ending) -> None:
        try:
            await (self._write_events(send) if self._streams else self._write_document(send))
        except asyncio.CancelledError:
            if ending.client_left:
                return
            if not ending.stopped:
                raise
            error = GatewayError(503, "The gateway is being stopped; this answer is not complete.", retry_after=5)
            await self._fail(send, error)
        except GatewayError as error:
            await self._fail(send, error)
        except Exception:
            log.exception("an answer could not be written")
            await self._fail(send, GatewayError(500, "The gateway failed; its log has the details."))
        finally:
            close = getattr(self._pieces, "aclose", None)
            if close is not None:
                await close()

    async def _write_document(self, send: Send) -> None:
        pieces = [piece async for piece in self._pieces]
        await send_json(send, 200, self._shape.document(pieces))

    async def _write_events(self, send: Send) -> None:
        async for piece in self._pieces:
            data = self._shape.piece(piece)
            if data:
                await self._send(send, data)
        await self._send(send, self._shape.closing(), last=True)

    async def _send(self, send: Send, data: bytes, *, last: bool = False) -> None:
        async with self._sending:
            if self._ended:
                return
            if not self._opened:
                self._opened = True
                data = self._opening + data
                await send(_EVENTS)
            self._ended = last
            self._last_sent = time.monotonic()
            await send({"type": "http.response.body", "body": data, "more_body": not last})

    async def _fail(self, send: Send, error: GatewayError) -> None:
        if self._opened:
            await self._send(send, self._shape.failure(error), last=True)
        elif not self._ended:
            self._ended = True
            await send_json(send, error.status, error.body(self._shape.protocol), error.headers)

    async def _keep_alive(self, send: Send) -> None:
        while not self._ended:
            wait = self._last_sent + PING_AFTER - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            else:
                await self._send(send, self._shape.ping)


_EVENTS: Message = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-cache"),
        (b"x-accel-buffering", b"no"),
    ],
}


async def _watch(receive: Receive, ending: Ending) -> None:
    """Wait for the client to leave."""
    while (await receive())["type"] != "http.disconnect":
        pass
    ending.leave()


async def send_json(send: Send, status: int, document: object, headers: dict[str, str] | None = None) -> None:
    """Send a whole response."""
    body = json_bytes(document)
    sent = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in (headers or {}).items()]
    sent += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body})


def event(data: object, name: str = "") -> bytes:
    """Return one server-sent event."""
    return (f"event: {name}\n".encode() if name else b"") + b"data: " + json_bytes(data) + b"\n\n"
