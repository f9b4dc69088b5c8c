"""Many callers at once, and one after the other: one token, few connections, nothing left behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import litellm
import pytest

from aider_stackspot import StackSpotProvider
from aider_stackspot.emulator import Emulator, Style
from tests.load.resources import comes_true, connection_is_ready, sockets, tasks, threads

HI = [{"role": "user", "content": "Say hi"}]
MODEL = "stackspot-ai-code"


def in_threads(count: int, work: Callable[[], object]) -> list[BaseException]:
    """Do work in so many threads at the same moment; return what they raised."""
    barrier, raised = threading.Barrier(count), list[BaseException]()

    def go() -> None:
        barrier.wait()
        try:
            work()
        except BaseException as error:
            raised.append(error)

    running = [threading.Thread(target=go) for _ in range(count)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return raised


def ask() -> None:
    assert litellm.completion(model=MODEL, messages=HI).choices[0].message.content


async def ask_async() -> None:
    assert (await litellm.acompletion(model=MODEL, messages=HI)).choices[0].message.content


async def stream_async() -> None:
    chunks = await litellm.acompletion(model=MODEL, messages=HI, stream=True)
    assert "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])


async def crowd(size: int = 64) -> None:
    await asyncio.gather(*(ask_async() if number % 2 else stream_async() for number in range(size)))


def test_64_threads_and_64_tasks_cold_at_once_ask_for_one_token(emulator: Emulator) -> None:
    emulator.style = Style(first_delay=0.05)
    raised: list[BaseException] = []
    loop = threading.Thread(target=lambda: raised.extend(in_threads(1, lambda: asyncio.run(crowd()))))
    loop.start()
    raised += in_threads(64, ask)
    loop.join()
    assert raised == []
    assert len(emulator.chat_requests) == 128
    assert len(emulator.token_requests) == 1
    assert emulator.connections <= 129
    assert connection_is_ready()
    before = emulator.connections
    assert in_threads(64, ask) == []
    assert emulator.connections == before, "the next crowd uses the same connections"
    assert threads() == ["aider-stackspot"]


def test_calls_one_after_the_other_share_one_connection_whatever_they_are(emulator: Emulator) -> None:
    provider = StackSpotProvider()

    def stream() -> None:
        assert "".join(provider.stream(HI))

    kinds: list[Callable[[], object]] = [
        ask,
        lambda: asyncio.run(ask_async()),
        lambda: asyncio.run(stream_async()),
        lambda: provider.completion_sync(HI),
        stream,
    ]
    for call in kinds * 20:
        call()
        assert connection_is_ready()
    assert len(emulator.chat_requests) == 100
    assert len(emulator.token_requests) == 1
    assert emulator.connections == 1


def test_event_loops_opened_and_closed_in_turn(emulator: Emulator) -> None:
    async def some() -> None:
        await asyncio.gather(*(ask_async() for _ in range(3)), *(stream_async() for _ in range(3)))

    for _ in range(8):
        asyncio.run(some())
    assert len(emulator.chat_requests) == 48
    assert len(emulator.token_requests) == 1
    assert emulator.connections <= 6


def test_two_event_loops_at_the_same_time(emulator: Emulator) -> None:
    assert in_threads(4, lambda: asyncio.run(crowd(12))) == []
    assert len(emulator.chat_requests) == 48
    assert len(emulator.token_requests) == 1


@pytest.mark.thorough
def test_nothing_is_left_of_200_calls(emulator: Emulator) -> None:
    provider = StackSpotProvider()
    provider.completion_sync(HI)
    before = sockets() - emulator.open_connections
    for number in range(200):
        stream = provider.stream(HI)
        if number % 2:  # the others are read to their end
            next(stream)
            stream.close()
        else:
            assert "".join(stream)
    assert comes_true(lambda: tasks() == 0)
    assert comes_true(lambda: emulator.open_connections <= 2)
    assert comes_true(lambda: sockets() - emulator.open_connections <= before + 2)
    assert threads() == ["aider-stackspot"]


def test_nothing_is_left_of_cancelled_tasks(emulator: Emulator) -> None:
    emulator.style = Style(delay=5.0)

    async def give_up() -> None:
        asking = [asyncio.create_task(stream_async()) for _ in range(40)]
        while len(emulator.chat_requests) < 40:
            await asyncio.sleep(0.01)
        for task in asking:
            task.cancel()
        assert all(
            isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*asking, return_exceptions=True)
        )

    asyncio.run(give_up())
    assert comes_true(lambda: tasks() == 0)
    assert comes_true(lambda: emulator.open_connections <= 1)
    assert comes_true(lambda: all(request.closed_early for request in emulator.chat_requests))
