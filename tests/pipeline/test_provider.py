"""`StackSpotProvider`: StackSpot for programs that do not go through LiteLLM."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import Any

import pytest

import aider_stackspot
from aider_stackspot import StackSpotProvider, errors
from aider_stackspot.emulator import Emulator, RecordedRequest, Style

HI: list[dict[str, Any]] = [{"role": "user", "content": "Say hi"}]


def closed_early(request: RecordedRequest) -> bool:
    assert request.finished.wait(5)
    return request.closed_early


@pytest.fixture
def endless(emulator: Emulator) -> Emulator:
    """A service that talks on and on."""
    emulator.answer = ["word "] * 1000
    emulator.style = Style(delay=0.02)
    return emulator


def test_the_seeds_example(emulator: Emulator) -> None:
    emulator.answer = "def factorial(n): ..."

    async def main() -> str:
        provider = StackSpotProvider()
        response = await provider.completion(messages=HI, model="stackspot-ai-code", temperature=0.7)
        return str(response["choices"][0]["message"]["content"])

    assert asyncio.run(main()) == "def factorial(n): ..."


def test_the_blocking_counterpart(emulator: Emulator) -> None:
    emulator.answer = "hi"
    response = StackSpotProvider().completion_sync(HI)
    assert response["choices"][0] == {
        "index": 0,
        "message": {"role": "assistant", "content": "hi"},
        "finish_reason": "stop",
    }
    assert response["object"] == "chat.completion"


def test_usage_is_the_services_own_or_none(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    assert StackSpotProvider().completion_sync(HI)["usage"] is None
    monkeypatch.setenv("STACKSPOTAI_AGENT_ID", "01ARZ3NDEKTSV4RRFFQ69G5FAV")
    emulator.style = Style(usage=(5, 2))
    assert StackSpotProvider().completion_sync(HI)["usage"] == {
        "prompt_tokens": 5,
        "completion_tokens": 2,
        "total_tokens": 7,
    }


def test_a_stream_serves_both_kinds_of_loop(emulator: Emulator) -> None:
    emulator.answer = ["a", "b", "c"]
    provider = StackSpotProvider()

    async def collect() -> str:
        return "".join([text async for text in provider.stream(HI)])

    assert "".join(provider.stream(HI)) == asyncio.run(collect()) == "abc"


def test_how_it_ended_is_known_after_the_end(emulator: Emulator) -> None:
    stream = StackSpotProvider().stream(HI)
    list(stream)
    assert stream.finish is not None
    assert stream.finish.reason == "stop"


def test_errors_are_of_the_packages_own_tree(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKSPOTAI_CLIENT_KEY", "wrong-secret")
    with pytest.raises(errors.AuthenticationFailed):
        StackSpotProvider().completion_sync(HI)
    with pytest.raises(errors.InvalidRequest):
        StackSpotProvider().completion_sync(HI, temperature=1.5)
    with pytest.raises(errors.ConfigurationError, match="no StackSpot model `nobody`"):
        StackSpotProvider().completion_sync(HI, model="nobody")
    assert issubclass(errors.AuthenticationFailed, aider_stackspot.StackSpotError)


def test_a_closed_stream_closes_its_connection(endless: Emulator) -> None:
    stream = StackSpotProvider().stream(HI)
    next(stream)
    stream.close()
    assert closed_early(endless.chat_requests[0])


def test_a_dropped_stream_closes_its_connection(endless: Emulator) -> None:
    stream = StackSpotProvider().stream(HI)
    next(stream)
    del stream
    gc.collect()
    assert closed_early(endless.chat_requests[0])


def test_leaving_the_context_closes_what_is_open(endless: Emulator) -> None:
    with StackSpotProvider() as provider:
        stream = provider.stream(HI)
        next(stream)
    assert closed_early(endless.chat_requests[0])
    with pytest.raises(errors.StreamInterrupted):
        list(stream)


def test_the_asynchronous_context_does_the_same(endless: Emulator) -> None:
    async def scenario() -> None:
        async with StackSpotProvider() as provider:
            await anext(provider.stream(HI))

    asyncio.run(scenario())
    assert closed_early(endless.chat_requests[0])


def test_a_cancelled_task_closes_its_connection(endless: Emulator) -> None:
    kept: list[BaseException] = []

    async def scenario() -> None:
        task = asyncio.create_task(StackSpotProvider().completion(HI))
        while not endless.chat_requests:
            await asyncio.sleep(0.01)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError as error:
            kept.append(error)

    asyncio.run(scenario())
    assert closed_early(endless.chat_requests[0])


def test_instances_and_threads_share_one_token(emulator: Emulator) -> None:
    threads = [threading.Thread(target=lambda: StackSpotProvider().completion_sync(HI)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(emulator.token_requests) == 1
    assert len(emulator.chat_requests) == 8


def test_what_is_public_is_there_and_nothing_else() -> None:
    for name in aider_stackspot.__all__:
        assert getattr(aider_stackspot, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        aider_stackspot.nothing  # noqa: B018
