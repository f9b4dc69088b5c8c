"""While the user is still typing, the token is fetched and the connection opened."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from aider import models

from aider_stackspot import StackSpotProvider, errors
from aider_stackspot.emulator import Emulator, Fault
from aider_stackspot.pipeline import warm_up
from aider_stackspot.pipeline.background_loop import background_loop

HI: list[dict[str, Any]] = [{"role": "user", "content": "Say hi"}]
NAME = "stackspot-ai-code"


@pytest.fixture(autouse=True)
def _for_the_first_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_up, "_last", {})


def finished(emulator: Emulator, count: int) -> bool:
    """Wait until so many requests were made, and nothing is going on any more."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if len(emulator.requests) >= count and background_loop().submit(_is_idle()).result(5):
            return True
        time.sleep(0.005)
    return False


async def _is_idle() -> bool:
    return len(asyncio.all_tasks()) == 1


def test_choosing_a_model_in_aider_gets_token_and_connection(emulator: Emulator) -> None:
    models.Model(NAME)
    assert finished(emulator, 2)
    assert [(request.kind, request.method) for request in emulator.requests] == [("token", "POST"), ("other", "HEAD")]
    StackSpotProvider().completion_sync(HI, model=NAME)
    assert len(emulator.token_requests) == 1
    assert emulator.connections == 1


def test_the_token_goes_with_nothing_but_calls(emulator: Emulator) -> None:
    warm_up.warm_up(NAME)
    assert finished(emulator, 2)
    assert "authorization" not in emulator.requests[1].headers


def test_a_model_that_is_chosen_again_is_warm_already(emulator: Emulator) -> None:
    for _ in range(3):
        models.Model(NAME)
    assert finished(emulator, 2)
    assert len(emulator.requests) == 2


@pytest.mark.parametrize("value", ["0", "false", "off"])
def test_it_can_be_switched_off(value: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIDER_STACKSPOT_WARM_UP", value)
    models.Model(NAME)
    StackSpotProvider().completion_sync(HI, model=NAME)
    assert [request.kind for request in emulator.requests] == ["token", "chat"]


def test_other_models_are_none_of_its_business(emulator: Emulator) -> None:
    warm_up.warm_up("gpt-4o")
    StackSpotProvider().completion_sync(HI, model=NAME)
    assert [request.kind for request in emulator.requests] == ["token", "chat"]


def test_without_credentials_nothing_is_sent(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STACKSPOTAI_CLIENT_KEY")
    warm_up.warm_up(NAME)
    monkeypatch.setenv("STACKSPOTAI_CLIENT_KEY", emulator.environment()["STACKSPOTAI_CLIENT_KEY"])
    StackSpotProvider().completion_sync(HI, model=NAME)
    assert [request.kind for request in emulator.requests] == ["token", "chat"]


def test_a_failure_is_silent(emulator: Emulator, capfd: pytest.CaptureFixture[str]) -> None:
    emulator.fail("token", Fault.status(500))
    models.Model(NAME)
    assert finished(emulator, 1)
    assert capfd.readouterr() == ("", "")
    assert StackSpotProvider().completion_sync(HI, model=NAME)["choices"]


def test_refused_credentials_are_posted_once_and_the_first_call_says_so(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACKSPOTAI_CLIENT_KEY", "wrong-key")
    monkeypatch.setattr("aider_stackspot.network.tokens.PAUSE_AFTER_FAILURE", 0.0)  # much later, that is
    warm_up.warm_up(NAME)
    assert finished(emulator, 1)
    with pytest.raises(errors.AuthenticationFailed, match="refused the credentials"):
        StackSpotProvider().completion_sync(HI, model=NAME)
    assert len(emulator.requests) == 1
    with pytest.raises(errors.AuthenticationFailed):
        StackSpotProvider().completion_sync(HI, model=NAME)
    assert len(emulator.requests) == 2
