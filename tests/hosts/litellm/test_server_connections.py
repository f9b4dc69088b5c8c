"""Calls of a crowd use each other's connections."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import litellm
import pytest

import aider_stackspot
from tests.compatible.openai_server import OpenAIServer, Reply, models
from tests.load.resources import connection_is_ready

HI = [{"role": "user", "content": "Say hi"}]
MANY = 40
ROUNDS = 4


def slowly(document: Any) -> Reply:
    """Take so long that all calls of a crowd are under way together."""
    time.sleep(0.2)
    return Reply()


@pytest.fixture
def server(isolated: Path) -> Iterator[OpenAIServer]:
    with OpenAIServer(models("m")) as running:
        running.reply = slowly
        own = isolated.parent / "home" / ".aider.litellm.yml"
        own.write_text(f"providers:\n  local:\n    api_base: {running.base}\n", encoding="utf-8")
        aider_stackspot.register()
        yield running


def test_threads(server: OpenAIServer) -> None:
    with ThreadPoolExecutor(MANY) as threads:
        for _ in range(ROUNDS):
            list(threads.map(lambda _: litellm.completion("local/m", HI), range(MANY)))
            assert connection_is_ready()
    assert len(server.chats) == MANY * ROUNDS
    assert server.connections <= MANY + 1


@pytest.mark.thorough
def test_tasks(server: OpenAIServer) -> None:
    async def crowds() -> None:
        for _ in range(ROUNDS):
            await asyncio.gather(*(litellm.acompletion("local/m", HI) for _ in range(MANY)))
            assert connection_is_ready()

    asyncio.run(crowds())
    assert len(server.chats) == MANY * ROUNDS
    assert server.connections <= MANY + 1
