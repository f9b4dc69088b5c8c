"""Counts of connections that hold on a machine of any speed."""

from __future__ import annotations

import pytest

from aider_stackspot.pipeline import response_body


@pytest.fixture(autouse=True)
def _the_end_of_a_body_may_be_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection whose answer has no end within `DRAIN_TIMEOUT` is not used again."""
    monkeypatch.setattr(response_body, "DRAIN_TIMEOUT", 30.0)
