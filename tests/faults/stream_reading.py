"""A stream's bytes through everything of this package that is no socket, and what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import NamedTuple

import httpx

from aider_stackspot.api.agent import AgentAnswer
from aider_stackspot.api.chat import ChatAnswer
from aider_stackspot.emulator import Style, frames
from aider_stackspot.errors import StackSpotError
from aider_stackspot.pipeline import response_body
from aider_stackspot.pipeline.channel import AnswerWriter, Channel

DELTAS = ["One ", "tẃo 😀\n", '{"three": "}"}']
TEXT = "".join(DELTAS)


class Outcome(NamedTuple):
    """What came of a stream: its text so far, and whether that is the answer."""

    text: str
    is_complete: bool
    error: Exception | None


class _Body(httpx.AsyncByteStream):
    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            await asyncio.sleep(0)
            yield piece


def recorded(api: str, style: Style, deltas: Sequence[str] = tuple(DELTAS)) -> bytes:
    """Return a stream as the emulator sends it."""
    facts = frames.Facts(1, "01AAAAAAAAAAAAAAAAAAAAAAAA", None)
    made = frames.agent_frames(deltas, style, facts) if api == "agent" else frames.chat_frames(deltas, style, facts)
    return b"".join(frame.data for frame in made)


def terminal_end(stream: bytes) -> int:
    """Return how many bytes of a whole stream there have to be for its terminal event to be complete."""
    return stream.rindex(b"}") + 1


async def read(api: str, pieces: Iterable[bytes], *, in_order: bool = False) -> Outcome:
    """Read a stream that comes in these pieces and then ends.

    Args:
        api: "agent" or "chat".
        pieces: the body.
        in_order: whether HTTP says that the body is over; else its end looks like that of a broken connection.

    Raises:
        Exception: something of no type of this package's, which must never be.
    """
    channel: Channel[str] = Channel(asyncio.get_running_loop(), "".join)
    writer = AnswerWriter(channel)
    headers = {"content-type": "text/event-stream", **({"transfer-encoding": "chunked"} if in_order else {})}
    response = httpx.Response(200, headers=headers, stream=_Body(pieces), request=httpx.Request("POST", "http://host"))
    problem: StackSpotError | None = None
    try:
        await response_body.read(response, AgentAnswer() if api == "agent" else ChatAnswer(), writer, "".join)
    except StackSpotError as error:
        problem = error
    channel.end()
    text = ""
    while (more := await channel.aget()) is not None:
        text += more
    return Outcome(text, writer.finish is not None, problem)
