"""A stream that is cut at any byte whatever: an answer only if its terminal event had arrived, else a typed error."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import pytest

from aider_stackspot import StackSpotProvider
from aider_stackspot.emulator import Emulator, Fault, Style
from aider_stackspot.emulator.style import STYLES
from aider_stackspot.errors import MalformedAnswer, StreamInterrupted, TransportError
from tests.faults.fault_ways import HI
from tests.faults.stream_dialects import DIALECTS, USAGE_BEHIND_THE_END, Dialect
from tests.faults.stream_reading import DELTAS, TEXT, read, recorded, terminal_end

pytest_plugins = ["tests.faults.fault_fixtures"]
pytestmark = pytest.mark.usefixtures("quick")

FRAMINGS = [
    "default", "lf", "cr", "no-space", "multiline", "event-lines", "comments", "done", "arrays", "null-stop-reason",
    "old-tokens", "no-tokens", "final-without-message", "text-in-final", "whole-text-in-final", "openai", "json-lines",
    "no-last-blank-line", "split-surrogate", "bom", "line-separators", "length",
]  # fmt: skip


@pytest.mark.parametrize("api", ["agent", "chat"])
@pytest.mark.parametrize("framing", FRAMINGS)
def test_cut_at_every_byte(framing: str, api: str) -> None:
    stream = recorded(api, STYLES[framing])
    end = terminal_end(stream)

    async def every_byte() -> None:
        for size in range(len(stream) + 1):
            outcome = await read(api, [stream[:size]])
            assert outcome.is_complete is (size >= end), (stream[:size][-40:], outcome)
            assert TEXT.startswith(outcome.text)
            assert outcome.text == TEXT or not outcome.is_complete
            assert outcome.error is None or isinstance(outcome.error, StreamInterrupted)

    asyncio.run(every_byte())


@pytest.mark.parametrize("api", ["agent", "chat"])
def test_cut_at_every_byte_and_delivered_byte_by_byte(api: str) -> None:
    stream = recorded(api, Style())
    end = terminal_end(stream)

    async def every_byte() -> None:
        for size in range(0, len(stream) + 1, 5):
            outcome = await read(api, [stream[at : at + 1] for at in range(size)])
            assert outcome.is_complete is (size >= end)

    asyncio.run(every_byte())


@pytest.mark.parametrize("in_order", [False, True], ids=["cut", "closed in order"])
@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: f"{dialect.api} {dialect.name}")
def test_cut_at_every_byte_of_each_dialect(dialect: Dialect, in_order: bool) -> None:
    stream = dialect.before + dialect.end + dialect.behind
    end = len(dialect.before + dialect.end) if in_order or not dialect.ends_by_closing else len(stream) + 1

    async def every_byte() -> None:
        for size in range(len(stream) + 1):
            outcome = await read(dialect.api, [stream[:size]], in_order=in_order)
            assert outcome.is_complete is (size >= end), (stream[:size][-60:], outcome)
            assert TEXT.startswith(outcome.text)
            assert outcome.text == TEXT or not outcome.is_complete
            assert outcome.error is None or isinstance(outcome.error, StreamInterrupted | MalformedAnswer)

    asyncio.run(every_byte())


@pytest.mark.parametrize("in_order", [False, True], ids=["cut", "closed in order"])
def test_cut_at_every_byte_behind_a_reason_to_finish(in_order: bool) -> None:
    dialect = USAGE_BEHIND_THE_END
    stream = dialect.before + dialect.end + dialect.behind
    end = len(dialect.before + dialect.end)

    async def every_byte() -> None:
        complete = []
        for size in range(len(stream) + 1):
            outcome = await read("agent", [stream[:size]], in_order=in_order)
            assert outcome.is_complete is (outcome.error is None and size >= end), (stream[:size][-60:], outcome)
            assert outcome.text == TEXT or not outcome.is_complete
            complete += [size] if outcome.is_complete else []
        assert {end, len(stream)} <= set(complete)

    asyncio.run(every_byte())


Break = Callable[[int], Fault]
BREAKS: dict[str, tuple[Break, Style]] = {
    "cut": (lambda size: Fault.cut_after(body_bytes=size), Style()),
    "end": (lambda size: Fault.end_after(body_bytes=size), Style()),
    "close": (lambda size: Fault.cut_after(body_bytes=size), Style(transfer="close")),
    "gzip": (lambda size: Fault.end_after(body_bytes=size), Style(encoding="gzip")),
}


def cut_over_sockets(emulator: Emulator, api: str, how: str, sizes: Iterable[int]) -> None:
    make, style = BREAKS[how]
    end = terminal_end(recorded(api, Style()))
    emulator.answer, emulator.style = DELTAS, style
    for size in sizes:
        emulator.fail("any chat", make(size))
        stream, text, failed = StackSpotProvider(max_retries=0).stream(HI), "", False
        try:
            for piece in stream:
                text += piece
        except TransportError:
            failed = True
        assert failed is (stream.finish is None) is (size < end), (size, text)
        assert TEXT.startswith(text)
        assert failed or text == TEXT


@pytest.fixture(params=["agent", "chat"])
def api(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "chat":
        monkeypatch.delenv("STACKSPOTAI_AGENT_ID")
    return str(request.param)


@pytest.mark.parametrize("how", BREAKS)
def test_cut_over_sockets_at_some_bytes(how: str, api: str, emulator: Emulator) -> None:
    whole = len(recorded(api, Style()))
    end = terminal_end(recorded(api, Style()))
    cut_over_sockets(emulator, api, how, [*range(0, whole, 17), *range(end - 3, whole + 1)])


@pytest.mark.slow
@pytest.mark.parametrize("how", BREAKS)
def test_cut_over_sockets_at_every_byte(how: str, api: str, emulator: Emulator) -> None:
    cut_over_sockets(emulator, api, how, range(len(recorded(api, Style())) + 1))
