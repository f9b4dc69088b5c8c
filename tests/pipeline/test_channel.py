"""Text crosses from the background loop to any consumer: whole, in order, bounded, interruptible."""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
from typing import Any

import pytest

from aider_stackspot.errors import StreamInterrupted
from aider_stackspot.pipeline.background_loop import background_loop
from aider_stackspot.pipeline.channel import HIGH_WATER, Channel


def produced(*pieces: str, error: Exception | None = None) -> tuple[Channel[str], concurrent.futures.Future[None]]:
    """A channel whose producer hands over the pieces and ends."""
    channel: Channel[str] = Channel(background_loop().loop, "".join)

    async def produce() -> None:
        for piece in pieces:
            channel.put(piece, len(piece))
            if channel.must_wait:
                await channel.room()
        channel.end(error)

    return channel, background_loop().submit(produce())


def test_a_blocking_consumer_gets_everything_in_order() -> None:
    channel, _ = produced("a", "b", "c")
    assert "".join(iter(channel.get, None)) == "abc"


def test_an_awaiting_consumer_gets_everything_in_order() -> None:
    async def consume() -> str:
        channel, _ = produced("a", "b", "c")
        text = ""
        while (piece := await channel.aget()) is not None:
            text += piece
        return text

    assert asyncio.run(consume()) == "abc"


def test_a_consumer_on_the_producers_loop_is_woken_without_a_detour(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the gateway: nobody is woken by way of a socket, and no other thread has to get the interpreter."""
    detours: list[object] = []
    monkeypatch.setattr(time, "sleep", detours.append)

    async def consume() -> list[str]:
        loop = asyncio.get_running_loop()
        by_way_of_a_socket = loop.call_soon_threadsafe

        def counted(*call: Any) -> None:
            detours.append(call)
            by_way_of_a_socket(*call)

        monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
        channel: Channel[str] = Channel(loop, "".join)

        async def produce() -> None:
            for piece in ("a", "b", "c"):
                await asyncio.sleep(0.01)
                channel.put(piece, 1)
            channel.end()

        producing = asyncio.create_task(produce())
        pieces = []
        while (piece := await channel.aget()) is not None:
            pieces.append(piece)
        await producing
        return pieces

    assert asyncio.run(consume()) == ["a", "b", "c"]
    assert detours == []


def test_what_has_arrived_comes_as_one_piece() -> None:
    channel, work = produced(*"abc")
    work.result(5)
    assert channel.get() == "abc"
    assert channel.get() is None


def test_an_error_comes_after_the_text_before_it() -> None:
    channel, work = produced("a", error=StreamInterrupted("cut"))
    work.result(5)
    assert channel.get() == "a"
    with pytest.raises(StreamInterrupted, match="cut"):
        channel.get()


def test_the_first_end_counts() -> None:
    channel: Channel[str] = Channel(background_loop().loop, "".join)
    channel.end()
    channel.end(StreamInterrupted("too late"))
    assert channel.get() is None


def test_a_producer_far_ahead_waits_for_the_consumer() -> None:
    channel, work = produced("x" * HIGH_WATER, "y", "z")
    with pytest.raises(concurrent.futures.TimeoutError):
        work.result(0.1)
    assert "".join(iter(channel.get, None)).endswith("xyz")
    work.result(5)


def test_a_consumer_that_comes_first_is_woken() -> None:
    channel: Channel[str] = Channel(background_loop().loop, "".join)

    async def later() -> None:
        await asyncio.sleep(0.02)
        channel.put("late", 4)
        channel.end()

    background_loop().submit(later())
    assert [channel.get(), channel.get()] == ["late", None]


def test_waiting_does_not_block_the_consumers_loop() -> None:
    async def consume() -> int:
        channel: Channel[str] = Channel(background_loop().loop, "".join)
        waiting = asyncio.create_task(channel.aget())
        ticks = 0
        while ticks < 10:
            await asyncio.sleep(0.001)
            ticks += 1
        background_loop().loop.call_soon_threadsafe(channel.end)
        assert await waiting is None
        return ticks

    assert asyncio.run(consume()) == 10
