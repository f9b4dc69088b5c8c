"""Whatever goes wrong in a call, whoever waits for it learns that it is over."""

from __future__ import annotations

from typing import Any

import pytest

from aider_stackspot import StackSpotProvider
from aider_stackspot.emulator import Emulator
from aider_stackspot.errors import StackSpotError
from aider_stackspot.pipeline import call

HI: list[dict[str, Any]] = [{"role": "user", "content": "Say hi"}]


async def _nothing(*_: Any) -> None:
    """An attempt that neither answers nor fails."""


async def _surprise(*_: Any) -> None:
    raise ZeroDivisionError("by zero")


def test_an_attempt_that_ends_without_an_outcome(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "attempt", _nothing)
    with pytest.raises(StackSpotError, match="ended without an answer"):
        StackSpotProvider(timeout=5).completion_sync(HI)


def test_a_surprise_is_typed_and_says_what_it_was(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "attempt", _surprise)
    with pytest.raises(StackSpotError, match="Unexpected ZeroDivisionError: by zero"):
        StackSpotProvider(timeout=5).completion_sync(HI)


def test_an_error_that_cannot_even_be_worded(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    def unable(*_: Any) -> StackSpotError:
        raise RuntimeError

    monkeypatch.setattr(call, "attempt", _surprise)
    monkeypatch.setattr(call, "_safe", unable)
    with pytest.raises(StackSpotError, match="ended without an answer"):
        StackSpotProvider(timeout=5).completion_sync(HI)
