"""Fixtures of this room: the four ways to call, a process without waits, a server that is full."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from aider_stackspot.pipeline import call
from tests.faults.fault_ways import AGENT, Ask, acompletion, acompletion_stream, completion, completion_stream


@pytest.fixture(params=[completion, completion_stream, acompletion, acompletion_stream], ids=lambda way: way.__name__)
def ask(request: pytest.FixtureRequest) -> Ask:
    """Each of the four ways to call."""
    way: Ask = request.param
    return way


@pytest.fixture
def quick(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No waits between two tries, and the Agents API."""
    monkeypatch.setattr(call, "FIRST_WAIT", 0.0)
    monkeypatch.setenv("STACKSPOTAI_AGENT_ID", AGENT)


@pytest.fixture
def full_house() -> Iterator[str]:
    """The URL of a server that accepts no connection, and refuses none: its queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
