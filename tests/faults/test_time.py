"""The three time limits: for connecting, for silence, and for the whole call. Each ends a call when it should."""

from __future__ import annotations

import random
import time
from pathlib import Path

import httpx
import litellm
import pytest

from aider_stackspot.config import settings
from aider_stackspot.emulator import Emulator, Fault, Style
from aider_stackspot.network import client
from aider_stackspot.pipeline import attempt, call
from tests.faults.fault_ways import Ask, Case, acompletion_stream, check, completion, each, expect

pytest_plugins = ["tests.faults.fault_fixtures"]
pytestmark = pytest.mark.usefixtures("quick")

SLACK = 2.5
"""Seconds that a loaded machine may need beyond a limit."""


@pytest.fixture(autouse=True)
def _warm(quick: None, emulator: Emulator) -> None:
    """LiteLLM's first call in a process takes a second, which no limit of ours is for."""
    completion()
    acompletion_stream()
    emulator.reset()


TOTAL = ("took longer than its total limit of 0.3 s", "Raise `timeout` for the provider, or aider's --timeout")
SILENT = ("127.0.0.1", "was silent for too long while the answer was awaited")


@pytest.mark.parametrize("delay", [0.02, 30.0], ids=["words that drip", "a stall"])
def test_the_total_is_kept_exactly(delay: float, emulator: Emulator, ask: Ask) -> None:
    emulator.answer = [f"word {n} " for n in range(1000)]
    emulator.style = Style(delay=delay)
    began = time.monotonic()
    expect(litellm.Timeout, TOTAL, ask, timeout=0.3)
    assert 0.3 <= time.monotonic() - began < 0.3 + SLACK
    assert len(emulator.chat_requests) == 1
    assert emulator.chat_requests[0].finished.wait(5)
    assert emulator.chat_requests[0].closed_early


@pytest.mark.parametrize("fault", [Fault.silent(), Fault.slow_header(20)], ids=["silence", "headers that trickle"])
def test_the_total_counts_before_the_first_byte_too(fault: Fault, emulator: Emulator, ask: Ask) -> None:
    began = time.monotonic()
    check(Case("", fault, litellm.Timeout, (0, 1), (*TOTAL[:1], "no text had arrived")), emulator, ask, timeout=0.3)
    assert time.monotonic() - began < 0.3 + SLACK


def test_the_total_holds_for_all_tries_together(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "FIRST_WAIT", 1.0)
    monkeypatch.setattr(random, "uniform", lambda low, high: high)
    emulator.fail("any chat", Fault.status(503), times=None)
    began = time.monotonic()
    error = expect(litellm.ServiceUnavailableError, ("503",), completion, timeout=2.5)
    assert time.monotonic() - began < 2.5
    assert "503" in str(error), "a wait that would end after the limit is not begun"
    assert len(emulator.chat_requests) == 2


@each(
    Case("before the first byte", Fault.silent(), litellm.Timeout, (0, 1), SILENT),
    Case("between two events", Fault.silent_after(1), litellm.Timeout, (0, 1), SILENT),
    Case("in the headers", Fault.slow_header(0.4), None, (0, 1)),
)
def test_silence_has_a_limit(case: Case, emulator: Emulator, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "IDLE_TIMEOUT", 0.2)
    began = time.monotonic()
    check(case, emulator, ask)
    assert time.monotonic() - began < 0.4 + SLACK


@pytest.mark.parametrize("ask", [completion, acompletion_stream])
def test_words_that_drip_are_no_silence(emulator: Emulator, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "IDLE_TIMEOUT", 0.6)
    emulator.answer = ["One ", "two ", "three ", "four."]
    emulator.style = Style(delay=0.25)
    assert ask() == "One two three four."


def test_the_limits_are_what_the_documentation_says() -> None:
    assert (client.CONNECT_TIMEOUT, client.IDLE_TIMEOUT, settings.TOTAL_TIMEOUT) == (10.0, 120.0, 600.0)
    limits = client.timeouts(settings.Network(), client.IDLE_TIMEOUT)
    assert limits == httpx.Timeout(120.0, connect=10.0)


@pytest.mark.parametrize("way", [completion, acompletion_stream])
def test_the_providers_timeout_is_the_total(
    way: Ask, emulator: Emulator, isolated: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(".aider.litellm.yml", "w", encoding="utf-8") as file:
        file.write("providers:\n  stackspot:\n    timeout: 0.3\n")
    emulator.style = Style(first_delay=5)
    expect(litellm.Timeout, TOTAL, way)


@pytest.mark.parametrize("way", [completion, acompletion_stream])
def test_silence_has_the_providers_limit(way: Ask, emulator: Emulator, isolated: Path) -> None:
    (isolated / ".aider.litellm.yml").write_text("providers: {stackspot: {idle_timeout: 0.2}}", encoding="utf-8")
    emulator.fail("any chat", Fault.silent())
    expect(litellm.Timeout, SILENT, way)


def test_a_connection_has_the_providers_limit(
    full_house: str, emulator: Emulator, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (isolated / ".aider.litellm.yml").write_text("providers: {stackspot: {connect_timeout: 0.2}}", encoding="utf-8")
    monkeypatch.setenv("STACKSPOTAI_AGENT_API_BASE", full_house)
    expect(litellm.Timeout, ("did not accept a connection for the answer within 0.2 s",), completion, max_retries=0)


def test_a_silent_stream_is_closed(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "IDLE_TIMEOUT", 0.1)
    emulator.fail("any chat", Fault.silent_after(1))
    expect(litellm.Timeout, SILENT, completion)
    assert emulator.chat_requests[0].finished.wait(5)
    assert emulator.chat_requests[0].closed_early
