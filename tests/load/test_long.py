"""The long part, for `make soak`: hundreds of streams at once, thousands of calls, a whole minute of the rate limit."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import litellm
import pytest

from aider_stackspot import StackSpotProvider
from tests.load.emulated import Remote, emulated
from tests.load.resources import comes_true, memory, sockets, tasks, threads

pytestmark = pytest.mark.slow

HI = [{"role": "user", "content": "Say hi"}]
MODEL = "stackspot-ai-code"


@pytest.fixture
def remote(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Remote]:
    """A StackSpot; a parameter is its style."""
    with emulated(**getattr(request, "param", {})) as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


async def stream() -> str:
    chunks = await litellm.acompletion(model=MODEL, messages=HI, stream=True)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])


def ask() -> str:
    return str(litellm.completion(model=MODEL, messages=HI).choices[0].message.content)


@pytest.mark.parametrize("remote", [{"first_delay": 1.0, "delay": 0.2}], indirect=True)
def test_200_streams_at_once_and_again(remote: Remote) -> None:
    async def crowd() -> set[str]:
        return set(await asyncio.gather(*(stream() for _ in range(200))))

    before = sockets()
    said = asyncio.run(crowd()) | asyncio.run(crowd())
    assert len(said) == 1
    assert remote.seen()["connections"] <= 201, "the second crowd used those of the first one"
    assert (remote.seen()["chat"], remote.seen()["token"], remote.seen()["refused"]) == (400, 1, 0)
    assert comes_true(lambda: tasks() == 0)
    assert sockets() <= before + 201 + 3


@pytest.mark.parametrize("remote", [{"delay": 0.01}], indirect=True)
def test_more_streams_than_connections_wait_for_one(remote: Remote) -> None:
    before, most = sockets(), 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, sockets())
            await asyncio.sleep(0.05)

    async def crowd() -> set[str]:
        watching = asyncio.create_task(watch())
        try:
            return set(await asyncio.gather(*(stream() for _ in range(500))))
        finally:
            watching.cancel()

    assert len(asyncio.run(crowd())) == 1
    assert 0 < most <= before + 201 + 6
    assert (remote.seen()["chat"], remote.seen()["token"], remote.seen()["refused"]) == (500, 1, 0)


def test_64_threads_with_20_calls_each(remote: Remote) -> None:
    with ThreadPoolExecutor(64) as pool:
        said = set(pool.map(lambda _: ask(), range(64 * 20)))
    assert len(said) == 1
    assert (remote.seen()["chat"], remote.seen()["token"], remote.seen()["refused"]) == (1280, 1, 0)
    assert remote.seen()["connections"] <= 70, "64 and the token's; one whose last bytes come late is let go"
    assert threads() == ["aider-stackspot"]


def test_10000_calls_in_flat_memory(remote: Remote) -> None:
    """A tenth goes through LiteLLM, whose own caches grow a little at first; the rest through the provider.

    All by the same threads: the tokenizer with which LiteLLM counts keeps about 0.1 MB for each thread that used it.
    """
    provider = StackSpotProvider()
    marks, began = [], time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            list(pool.map(lambda n: ask() if n % 10 == 0 else provider.completion_sync(HI), range(2_000)))
            marks.append(memory())
    assert remote.seen()["chat"] == 10_000
    assert remote.seen()["token"] == 1
    assert remote.seen()["connections"] <= 16
    assert marks[-1] - marks[0] < 6, f"megabytes after each 2,000 calls: {marks}"
    assert comes_true(lambda: tasks() == 0)
    print(f"\n10,000 calls in {time.monotonic() - began:.0f} s; megabytes after each 2,000: {marks}")


def test_abandoned_streams_leave_memory_flat(remote: Remote) -> None:
    provider = StackSpotProvider()

    def batch() -> None:
        for _ in range(500):
            next(provider.stream(HI))

    batch()
    first = memory()
    for _ in range(3):
        batch()
    assert memory() - first < 4
    assert comes_true(lambda: tasks() == 0)
    assert comes_true(lambda: remote.seen()["open"] <= 2)


@pytest.mark.parametrize("remote", [{"rate_limit": 5}], indirect=True)
def test_a_whole_minute_of_the_rate_limit_without_a_429(remote: Remote, isolated: Path) -> None:
    (isolated / ".aider.litellm.yml").write_text("providers:\n  stackspot:\n    rpm: 5\n", encoding="utf-8")
    began = time.monotonic()
    calling = [threading.Thread(target=ask) for _ in range(7)]
    for thread in calling:
        thread.start()
    for thread in calling:
        thread.join()
    assert 60 < time.monotonic() - began < 75
    assert (remote.seen()["chat"], remote.seen()["refused"]) == (7, 0)
