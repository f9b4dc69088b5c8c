"""A stream that nobody reads any more closes its connection at once, however it was given up."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import gc
import os
import signal
import subprocess
import sys
import time
import types
from collections.abc import Awaitable, Callable, Generator
from typing import Any

import litellm
import pytest

from aider_stackspot import StackSpotProvider
from aider_stackspot.config import current
from aider_stackspot.emulator import Emulator, Fault, Style
from aider_stackspot.pipeline import call, shared, stackspot
from aider_stackspot.pipeline.background_loop import background_loop
from aider_stackspot.pipeline.channel import AnswerWriter, Channel
from tests.faults.fault_ways import HI, MODEL

pytest_plugins = ["tests.faults.fault_fixtures"]
pytestmark = pytest.mark.usefixtures("quick")

WORDS = [f"word {n} " for n in range(10_000)]
"""LiteLLM ends a stream that says the same a hundred times."""

AT_ONCE = 3.0
"""Seconds; an idle connection is seen to close within milliseconds, but the machine may be busy."""


@pytest.fixture(params=["talks", "is silent", "was silent from the beginning"])
def endless(request: pytest.FixtureRequest, emulator: Emulator) -> Emulator:
    """A service that does not come to an end."""
    emulator.answer = WORDS
    emulator.style = Style(delay=0.02)
    if request.param == "is silent":
        emulator.fail("any chat", Fault.silent_after(1))
    if request.param == "was silent from the beginning":
        emulator.fail("any chat", Fault.silent())
    return emulator


def asked(emulator: Emulator) -> None:
    """Wait until the request has arrived."""
    until(lambda: bool(emulator.chat_requests))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def closed(emulator: Emulator) -> bool:
    """Tell whether the connection is closed at once, and no other request follows."""
    (request,) = emulator.chat_requests
    return request.finished.wait(AT_ONCE) and request.closed_early and len(emulator.chat_requests) == 1


def test_closed(endless: Emulator) -> None:
    stream = StackSpotProvider().stream(HI)
    asked(endless)
    stream.close()
    assert closed(endless)


def test_dropped(endless: Emulator) -> None:
    stream = StackSpotProvider().stream(HI)
    asked(endless)
    del stream
    assert closed(endless)


def test_collected_as_garbage(endless: Emulator) -> None:
    class Knot:
        """Something that refers to itself, so that only the collector finds it."""

        def __init__(self) -> None:
            self.me, self.stream = self, StackSpotProvider().stream(HI)

    knot = Knot()
    asked(endless)
    del knot
    gc.collect()
    assert closed(endless)


def test_left_in_the_middle_through_litellm(emulator: Emulator) -> None:
    emulator.answer, emulator.style = WORDS, Style(delay=0.02)
    chunks = litellm.completion(MODEL, HI, stream=True)
    next(iter(chunks))
    del chunks
    gc.collect()
    assert closed(emulator)


def test_left_in_the_middle_of_an_asynchronous_stream(emulator: Emulator) -> None:
    emulator.answer, emulator.style = WORDS, Style(delay=0.02)

    async def scenario() -> None:
        async for _ in await litellm.acompletion(MODEL, HI, stream=True):
            break
        gc.collect()
        await asyncio.to_thread(lambda: closed(emulator))

    asyncio.run(scenario())
    assert closed(emulator)


@pytest.mark.parametrize("stream", [False, True])
def test_a_cancelled_task(endless: Emulator, stream: bool) -> None:
    async def ask() -> None:
        answer = await litellm.acompletion(MODEL, HI, stream=stream)
        async for _ in answer:
            pass

    async def scenario() -> None:
        task = asyncio.create_task(ask())
        await asyncio.to_thread(asked, endless)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(closed, endless)

    asyncio.run(scenario())


def test_a_task_that_ran_out_of_its_own_time(endless: Emulator) -> None:
    async def scenario() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(StackSpotProvider().completion(HI), 0.3)
        assert await asyncio.to_thread(closed, endless)

    asyncio.run(scenario())


def test_an_event_loop_that_ended(endless: Emulator) -> None:
    async def scenario() -> Any:
        task = asyncio.create_task(StackSpotProvider().completion(HI))
        await asyncio.to_thread(asked, endless)
        return task

    kept = asyncio.run(scenario())
    assert kept.cancelled()
    assert closed(endless)


INTERRUPTED = """
import litellm, sys
model, way = sys.argv[1:]
litellm.completion(model, [{"role": "user", "content": "warm up"}])
print("ready", flush=True)
sys.stdin.readline()
try:
    answer = litellm.completion(model, [{"role": "user", "content": "hi"}], stream=way == "stream")
    for chunk in answer:
        pass
except KeyboardInterrupt:
    pass  # as aider does: no longer than this does the interruption's traceback hold LiteLLM's frames, and their stream
answer = chunk = None
print("interrupted", flush=True)
sys.stdin.read()
"""


@pytest.mark.thorough
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize("way", ["stream", pytest.param("whole", marks=pytest.mark.slow)])
def test_ctrl_c(way: str, emulator: Emulator) -> None:
    """The program goes on after it, as aider does."""
    emulator.answer = lambda prompt: "ready" if prompt == "warm up" else WORDS
    emulator.style = Style(delay=0.02)
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, MODEL, way], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        emulator.reset()
        program.stdin.write("\n")
        program.stdin.flush()
        asked(emulator)
        time.sleep(0.1)
        program.send_signal(signal.SIGINT)
        assert program.stdout.readline() == "interrupted\n"
        assert closed(emulator)
        program.communicate("", timeout=20)


def test_ctrl_c_while_litellm_works_on_a_chunk(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    emulator.answer, emulator.style = WORDS, Style(delay=0.02)

    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    def ask() -> None:
        chunks = litellm.completion(MODEL, HI, stream=True)
        next(chunks)
        monkeypatch.setattr(litellm.CustomStreamWrapper, "chunk_creator", interrupted)
        next(chunks)

    with contextlib.suppress(KeyboardInterrupt):
        ask()
    assert closed(emulator)


@types.coroutine
def cancelled_at(work: Awaitable[None], step: int, together: bool) -> Generator[Any, Any, int]:
    """Run work as `await` does, and have its task cancelled while it waits for the step-th time.

    Args:
        work: what to run.
        step: the wait in which the cancellation comes.
        together: whether it comes in the moment in which the wait is over.

    Returns:
        how many waits there were, where the work came to its end all the same.
    """
    task, inner, waits = asyncio.current_task(), work.__await__(), 0
    assert task is not None
    go_on: Callable[[], Any] = lambda: inner.send(None)  # noqa: E731
    while True:
        try:
            awaited = go_on()
        except StopIteration:
            return waits
        if waits == step:
            if together and awaited is not None:
                awaited.add_done_callback(lambda _: task.cancel())
            else:
                asyncio.get_running_loop().call_soon(task.cancel)
        waits += 1
        try:
            yield awaited
            go_on = lambda: inner.send(None)  # noqa: E731
        except BaseException as error:
            thrown = error
            go_on = lambda: inner.throw(thrown)  # noqa: E731, B023


@pytest.mark.parametrize("together", [False, True])
def test_a_cancellation_is_never_lost_whenever_it_comes(emulator: Emulator, together: bool) -> None:
    """`asyncio.wait_for` of Python 3.10 and 3.11 loses one that comes together with what it waits for."""
    emulator.answer, emulator.style = WORDS[:200], Style(delay=0.005)
    loop = background_loop()
    for step in range(30):
        emulator.reset()
        shared._of_engine = None
        asked = stackspot.stackspot_call(current().model(MODEL), HI, stackspot.Options())
        work = call.run(asked, shared.shared_resources(), AnswerWriter(Channel(loop.loop, "".join)))

        async def run(work: Awaitable[None] = work, step: int = step) -> int:
            return await cancelled_at(work, step, together)

        with pytest.raises(concurrent.futures.CancelledError):
            loop.submit(run()).result(timeout=5)
        for request in emulator.chat_requests:
            assert request.finished.wait(AT_ONCE)
            assert request.closed_early, step


def test_a_producer_whose_cancellation_was_lost_ends_with_the_next_text(emulator: Emulator) -> None:
    emulator.answer, emulator.style = WORDS, Style(delay=0.02)
    stream = StackSpotProvider().stream(HI)
    next(stream)
    stream._channel.abandon()
    assert emulator.chat_requests[0].finished.wait(5)
    assert emulator.chat_requests[0].closed_early
