"""What makes it fast, counted instead of timed: pieces, decodings, requests, connections, looks at files."""

from __future__ import annotations

import os
import threading
import time
import tracemalloc
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import litellm
import pytest
from httpcore._backends.anyio import AnyIOStream

from aider_stackspot import StackSpotProvider, register
from aider_stackspot.api.sse import EventStream
from aider_stackspot.config import current
from aider_stackspot.config.locations import RecordedInputs
from aider_stackspot.emulator import Emulator, Style
from aider_stackspot.pipeline import response_body, usage_record
from tests.compatible.openai_server import OpenAIServer, models
from tests.load.resources import connection_is_ready

HI: list[dict[str, Any]] = [{"role": "user", "content": "Say hi"}]
WORDS = [f"word{number} " for number in range(2000)]


def whole(model: str) -> None:
    litellm.completion(model, HI)


def streamed(model: str) -> None:
    list(litellm.completion(model, HI, stream=True))


def test_a_consumer_that_is_behind_gets_everything_that_has_arrived_in_one_piece(emulator: Emulator) -> None:
    emulator.answer = WORDS
    stream = StackSpotProvider().stream(HI)
    first = next(stream)
    while stream.finish is None:
        time.sleep(0.01)
    rest = list(stream)
    assert first + "".join(rest) == "".join(WORDS)
    assert len(rest) == 1


def test_what_comes_slowly_is_handed_over_word_by_word(emulator: Emulator) -> None:
    emulator.answer = WORDS[:8]
    emulator.style = Style(delay=0.05)
    assert list(StackSpotProvider().stream(HI)) == WORDS[:8]


def test_a_burst_is_decoded_once_a_network_read(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    read: list[int] = []
    read_socket = AnyIOStream.read

    async def counted(stream: AnyIOStream, *args: Any, **more: Any) -> bytes:
        data: bytes = await read_socket(stream, *args, **more)
        read.append(len(data))
        return data

    class Counted(EventStream):
        def feed(self, data: bytes) -> Any:
            decoded.append(len(data))
            return super().feed(data)

    monkeypatch.setattr(response_body, "EventStream", Counted)
    monkeypatch.setattr(AnyIOStream, "read", counted)
    emulator.answer = WORDS
    assert "".join(StackSpotProvider().stream(HI)) == "".join(WORDS)
    assert len(decoded) <= len(read) < len(WORDS)


def test_twenty_calls_need_one_token_and_one_connection(emulator: Emulator) -> None:
    for _ in range(20):
        StackSpotProvider().completion_sync(HI)
        assert connection_is_ready()
    assert (len(emulator.token_requests), len(emulator.chat_requests), emulator.connections) == (1, 20, 1)


def test_an_unchanged_configuration_is_not_read_again(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    current()
    opened: list[object] = []
    real = os.open

    def counted(path: Any, *rest: Any, **more: Any) -> int:
        if threading.current_thread() is threading.main_thread():  # an earlier test's call may still write its record
            opened.append(path)
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", counted)
    for _ in range(100):
        current()
    assert opened == []


@pytest.mark.parametrize("model", ["stackspot-ai-code", "lab/m"])
@pytest.mark.parametrize("way", [whole, streamed], ids=lambda way: str(way.__name__))
def test_a_call_looks_at_the_configuration_once(
    emulator: Emulator, isolated: Path, monkeypatch: pytest.MonkeyPatch, model: str, way: Callable[[str], None]
) -> None:
    """To the end of it: the record of usage is written where the call said when it began.

    A coroutine of LiteLLM's looks a few times: LiteLLM repeats calls within one.
    """
    with OpenAIServer(models("m")) as server:
        file = isolated.parent / "home" / ".aider.litellm.yml"
        file.write_text(f"providers: {{lab: {{api_base: '{server.base}'}}}}", encoding="utf-8")
        register()
        way(model)  # the server's list of models is read here
        looks: list[str] = []
        real = RecordedInputs.unchanged

        def counted(inputs: RecordedInputs) -> bool:
            looks.append(threading.current_thread().name)
            return real(inputs)

        monkeypatch.setattr(RecordedInputs, "unchanged", counted)
        way(model)
        deadline = time.monotonic() + 10
        while len(list(usage_record.calls(date.today(), file.parent))) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert looks == [threading.main_thread().name]


def test_a_long_answer_takes_no_memory_beyond_its_pieces(emulator: Emulator) -> None:
    emulator.answer = ["x" * 10_000] * 1_000
    provider = StackSpotProvider()
    tracemalloc.start()
    try:
        assert sum(len(text) for text in provider.stream(HI)) == 10_000_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000
