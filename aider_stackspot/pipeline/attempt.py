"""One attempt at a call: the request goes out, the answer comes in, up to its terminal marker."""

from __future__ import annotations

from typing import TypeVar

import httpx

from aider_stackspot.errors import StreamInterrupted
from aider_stackspot.network.errors import network_error
from aider_stackspot.pipeline.exchange import exchange
from aider_stackspot.pipeline.request import Call
from aider_stackspot.pipeline.response_body import read
from aider_stackspot.pipeline.shared import SharedResources
from aider_stackspot.pipeline.writer import AnswerWriter

T = TypeVar("T")


async def attempt(call: Call[T], resources: SharedResources, writer: AnswerWriter[T], deadline: float) -> None:
    """Send the request and pass the answer on to the writer.

    Args:
        call: what to ask.
        resources: the process's clients, tokens and rate limits.
        writer: where the answer and its end go.
        deadline: the monotonic second at which the caller's time is spent.

    Raises:
        StackSpotError: there is no complete answer.
    """
    try:
        async with exchange(call, call.request, resources, deadline) as response:
            await read(response, call.new_parser(), writer, call.join)
    except httpx.HTTPError as error:
        if writer.finish is None:
            raise network_error(error, call.destination.base_url, "the answer") from error
    if writer.finish is None:
        raise StreamInterrupted(f"The answer of {call.name} ended before its end marker; what arrived is incomplete.")
