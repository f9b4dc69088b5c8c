"""The rate limit of a credential, with a clock that the test moves; and once with the real one, over the emulator."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import litellm
import pytest

from aider_stackspot import StackSpotProvider
from aider_stackspot.emulator import Emulator, Fault
from aider_stackspot.errors import RateLimited, ServerFailed, TimedOut
from aider_stackspot.pipeline import rate_limit
from aider_stackspot.pipeline.rate_limit import WINDOW, RateLimiter

HI = [{"role": "user", "content": "Say hi"}]
TOO_MANY = RateLimited("too many", status=429)


class Time:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        until: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + seconds, until))
        await until

    async def pass_to(self, moment: float) -> None:
        """Let time pass up to a moment, with everything that happens on the way."""
        while True:
            await _settle()
            self._sleepers = [sleeper for sleeper in self._sleepers if not sleeper[1].done()]
            due = min(self._sleepers, key=lambda sleeper: sleeper[0], default=(math.inf, None))
            if due[1] is None or due[0] > moment:
                self.now = moment
                return
            self.now = due[0]
            due[1].set_result(None)


async def _settle() -> None:
    for _ in range(300):
        await asyncio.sleep(0)


class Case:
    """A limiter, its time, and when the calls that asked for a turn went."""

    def __init__(self) -> None:
        self.time = Time()
        self.start = self.time.now
        self.lines: list[str] = []
        self.limiter = RateLimiter(self.time, self.time.sleep, self.lines.append)
        self.went: list[tuple[str, float]] = []

    def call(self, name: str = "", rpm: int | None = 2, timeout: float = math.inf) -> asyncio.Task[float | None]:
        async def go() -> float | None:
            turn = await self.limiter.turn(rpm, self.time.now + timeout)
            self.went.append((name, self.time.now - self.start))
            return turn

        return asyncio.create_task(go())

    async def at(self, second: float) -> None:
        await self.time.pass_to(self.start + second)

    @property
    def seconds(self) -> list[float]:
        return [second for _, second in self.went]


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


def test_a_minute_has_room_for_rpm_calls_and_the_next_waits_for_the_oldest_to_leave() -> None:
    async def test() -> None:
        case = Case()
        case.call()
        await case.at(10)
        case.call()
        case.call()
        case.call()
        await case.at(300)
        assert case.seconds == [0, 10, WINDOW, WINDOW + 10]

    run(test())


def test_never_more_than_rpm_in_any_minute() -> None:
    async def test() -> None:
        case = Case()
        for second in (0, 3, 30, 55, 56, 62, 63, 200):
            await case.at(second)
            for _ in range(4):
                case.call(rpm=7)
        await case.at(2000)
        assert len(case.seconds) == 32
        for first in case.seconds:
            assert len([second for second in case.seconds if first <= second < first + 60]) <= 7

    run(test())


def test_turns_are_in_the_order_of_the_calls() -> None:
    async def test() -> None:
        case = Case()
        names = [f"call {number}" for number in range(9)]
        for name in names:
            case.call(name)
        await case.at(600)
        assert [name for name, _ in case.went] == names

    run(test())


def test_nobody_overtakes_a_call_that_waits() -> None:
    async def test() -> None:
        case = Case()
        await case.call("first", rpm=1)
        case.call("waiting", rpm=1)
        await _settle()
        case.time.now = case.start + WINDOW  # the waiting call's sleep is over, and it has not noticed yet
        case.call("overtaking", rpm=1)
        await case.at(WINDOW)
        assert [name for name, _ in case.went] == ["first", "waiting"]

    run(test())


def test_without_rpm_nothing_waits_and_nothing_counts() -> None:
    async def test() -> None:
        case = Case()
        for _ in range(50):
            assert await case.call(rpm=None) is None
        case.limiter.saw(TOO_MANY, None)
        await case.call(rpm=1)
        assert case.seconds == [0] * 51

    run(test())


def test_a_cancelled_call_gives_its_turn_back() -> None:
    async def test() -> None:
        case = Case()
        await case.call("first", rpm=1)
        leader, behind = case.call("leader", rpm=1), case.call("behind", rpm=1)
        last = case.call("last", rpm=1)
        await case.at(30)
        behind.cancel()
        leader.cancel()
        await case.at(200)
        assert last.done()
        assert case.went == [("first", 0), ("last", WINDOW)]

    run(test())


def test_a_call_that_cannot_get_its_turn_in_time_says_so_at_once_and_takes_none() -> None:
    async def test() -> None:
        case = Case()
        await case.call(rpm=1)
        late = case.call(rpm=1, timeout=10)
        await case.at(1)
        with pytest.raises(TimedOut, match=r"\(1 request a minute for this credential\) would come in 61 s.*10 s"):
            late.result()
        patient = case.call(rpm=1)
        await case.at(WINDOW)
        assert patient.done()

    run(test())


def test_the_wait_that_is_told_counts_those_who_wait_before() -> None:
    async def test() -> None:
        case = Case()
        for _ in range(4):
            case.call(timeout=100)
        await _settle()
        assert case.lines == ["waiting 61 s for the rate limit (2 requests a minute for this credential)"]
        behind = case.call(timeout=100)  # two minutes' calls are before it
        await _settle()
        with pytest.raises(TimedOut, match="would come in 122 s"):
            behind.result()

    run(test())


@pytest.mark.parametrize(("since_first", "lines"), [(59.0, 1), (60.5, 0), (61.0, 0)])
def test_only_a_wait_of_more_than_a_second_is_told(since_first: float, lines: int) -> None:
    async def test() -> None:
        case = Case()
        await case.call(rpm=1)
        await case.at(since_first)
        case.call(rpm=1)
        await case.at(200)
        assert (len(case.lines), len(case.went)) == (lines, 2)

    run(test())


def test_a_crowd_is_told_once_and_the_next_one_again() -> None:
    async def test() -> None:
        case = Case()
        for _ in range(6):
            case.call()
        await case.at(300)
        assert len(case.lines) == 1
        for _ in range(3):
            case.call()
        await case.at(600)
        assert len(case.lines) == 2

    run(test())


def test_a_429_without_retry_after_halves_what_was_sent_in_the_last_minute() -> None:
    async def test() -> None:
        case = Case()
        turns = [await case.call(rpm=100) for _ in range(40)]
        case.limiter.saw(TOO_MANY, turns[-1])
        case.call(rpm=100)
        await case.at(200)
        assert case.lines == [
            "waiting 61 s for the rate limit "
            "(20 of 100 requests a minute for this credential, since it was answered 429)"
        ]
        assert case.seconds[-1] == WINDOW

    run(test())


def test_a_lowered_limit_comes_back_by_a_tenth_of_rpm_a_minute() -> None:
    async def test() -> None:
        case = Case()
        turns = [await case.call(rpm=100) for _ in range(40)]
        case.limiter.saw(TOO_MANY, turns[-1])
        allowed = []
        for minute in (2, 4, 6, 8, 10, 12):
            await case.at(minute * 60 + 1)
            before = len(case.went)
            waiting = [case.call(rpm=100) for _ in range(120)]
            await _settle()
            allowed.append(len(case.went) - before)
            for task in waiting:
                task.cancel()
        assert allowed == [40, 60, 80, 100, 100, 100]

    run(test())


def test_a_single_refused_call_makes_the_next_ones_wait_longer_each_time() -> None:
    async def test() -> None:
        case = Case()
        for _ in range(4):
            turn = await _finished(case, case.call(rpm=100))
            case.limiter.saw(TOO_MANY, turn)
        waits = [after - before for before, after in zip(case.seconds, case.seconds[1:], strict=False)]
        assert waits == pytest.approx([6, 12, 18])

    run(test())


async def _finished(case: Case, task: asyncio.Task[float | None]) -> float | None:
    await _settle()
    while not task.done():
        await case.at(case.time.now - case.start + 0.5)
    return task.result()


def test_a_volley_of_429s_counts_once() -> None:
    async def test() -> None:
        case = Case()
        turns = [await case.call(rpm=100) for _ in range(40)]
        case.limiter.saw(TOO_MANY, turns[0])
        await case.at(30)
        for turn in turns:
            case.limiter.saw(TOO_MANY, turn)
        case.call(rpm=100)
        await _settle()
        assert "25 of 100" in case.lines[0]

    run(test())


def test_a_429_with_retry_after_holds_everybody_back_until_then_and_lowers_nothing() -> None:
    async def test() -> None:
        case = Case()
        turn = await case.call(rpm=100)
        case.limiter.saw(RateLimited("too many", status=429, retry_after=30.0), turn)
        for _ in range(99):
            case.call(rpm=100)
        await case.at(31)
        assert case.seconds == [0] + [30] * 99
        assert case.lines == ["waiting 30 s for the rate limit (100 requests a minute for this credential)"]

    run(test())


def test_an_absurd_retry_after_costs_a_minute() -> None:
    async def test() -> None:
        case = Case()
        turn = await case.call(rpm=100)
        case.limiter.saw(RateLimited("too many", status=429, retry_after=999_999_999.0), turn)
        case.call(rpm=100)
        await case.at(600)
        assert case.seconds == [0, WINDOW]

    run(test())


def test_other_failures_lower_nothing() -> None:
    async def test() -> None:
        case = Case()
        turn = await case.call(rpm=2)
        case.limiter.saw(ServerFailed("broken", status=503), turn)
        await case.call(rpm=2)
        assert case.seconds == [0, 0]

    run(test())


@pytest.fixture
def short_minute(monkeypatch: pytest.MonkeyPatch) -> float:
    """A minute of half a second, so that the real clock can be used."""
    monkeypatch.setattr(rate_limit, "WINDOW", 0.5)
    monkeypatch.setattr(rate_limit, "MIN_TOLD_SECONDS", 0.1)
    return 0.5


def configure(rpm: int) -> None:
    Path(".aider.litellm.yml").write_text(f"providers:\n  stackspot:\n    rpm: {rpm}\n", encoding="utf-8")


def test_threads_tasks_and_models_share_the_limit(
    emulator: Emulator, short_minute: float, caplog: pytest.LogCaptureFixture
) -> None:
    configure(rpm=4)
    names = ["stackspot-ai", "stackspot-ai-chat", "stackspot-ai-code"]

    def blocking(name: str) -> None:
        litellm.completion(model=name, messages=HI)

    async def tasks() -> None:
        await asyncio.gather(*(litellm.acompletion(model=name, messages=HI) for name in names))

    threads = [threading.Thread(target=blocking, args=[name]) for name in names]
    threads.append(threading.Thread(target=lambda: asyncio.run(tasks())))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    at = sorted(request.at for request in emulator.chat_requests)
    assert len(at) == 6
    assert at[4] - at[0] > short_minute * 0.8
    assert "for the rate limit (4 requests a minute for this credential)" in caplog.text


def test_after_a_429_the_next_call_waits_instead_of_drawing_another(emulator: Emulator, short_minute: float) -> None:
    configure(rpm=2)
    emulator.fail("any chat", Fault.status(429), times=1)
    with pytest.raises(litellm.RateLimitError):
        litellm.completion(model="stackspot-ai-code", messages=HI)
    litellm.completion(model="stackspot-ai-code", messages=HI)  # a lowered limit lets one go in each minute
    first, second = emulator.chat_requests
    assert second.at - first.at > short_minute * 0.8


def test_the_wait_counts_against_the_total_limit(emulator: Emulator) -> None:
    configure(rpm=1)
    provider = StackSpotProvider(timeout=5)
    provider.completion_sync(HI)
    began = time.monotonic()
    with pytest.raises(TimedOut, match="rate limit"):
        provider.completion_sync(HI)
    assert time.monotonic() - began < 2
    assert len(emulator.chat_requests) == 1


def test_a_call_given_up_while_it_waits_asks_the_service_nothing(emulator: Emulator, short_minute: float) -> None:
    configure(rpm=1)
    provider = StackSpotProvider()
    provider.completion_sync(HI)
    given_up = provider.stream(HI)
    given_up.close()
    with contextlib.closing(provider.stream(HI)) as stream:
        assert "".join(stream)
    assert len(emulator.chat_requests) == 2


@pytest.mark.slow
def test_the_user_of_aider_sees_why_it_waits(emulator: Emulator, isolated: Path) -> None:
    configure(rpm=1)
    (isolated / "sitecustomize.py").write_text(
        "import aider_stackspot.pipeline.rate_limit as rate\nrate.WINDOW = 3.0\n"
    )
    (isolated / "notes.txt").write_text("nothing\n")
    edit = "notes.txt\n```\n<<<<<<< SEARCH\nnothing\n=======\nsomething\n>>>>>>> REPLACE\n```\n"
    emulator.answer = lambda prompt: "docs: note it" if "commit message" in prompt.lower() else edit
    for arguments in (
        ["init"],
        ["config", "user.name", "Somebody"],
        ["config", "user.email", "somebody@example.com"],
        ["add", "notes.txt"],
        ["commit", "--message", "Notes"],
    ):
        subprocess.run(["git", *arguments], check=True, capture_output=True)
    aider = shutil.which("aider", path=str(Path(sys.executable).parent)) or "aider"
    options = ["--yes-always", "--no-check-update", "--no-show-release-notes", "--analytics-disable", "--no-gitignore"]
    done = subprocess.run(
        [aider, "--model", "stackspot-ai-code", *options, "--message", "note something", "notes.txt"],
        env={**os.environ, "PYTHONPATH": str(isolated)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    edited, described = emulator.chat_requests  # the change, and its commit message
    assert described.at - edited.at >= 2.9
    (line,) = [line for line in done.stderr.splitlines() if "waiting" in line]
    assert line.startswith("aider-stackspot: waiting ")
    assert line.endswith(" s for the rate limit (1 request a minute for this credential)")
