"""A server that the user has configured, and the four ways of calling it through LiteLLM."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import litellm
import pytest
from litellm.exceptions import MidStreamFallbackError

import aider_stackspot
from tests.compatible.openai_server import OpenAIServer, models

HI = [{"role": "user", "content": "Say hi"}]


MODEL = "local/qwen2.5-coder-7b"


@pytest.fixture
def trap(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    """Stands wherever LiteLLM may look for OpenAI; every test asserts that it stays empty."""
    with OpenAIServer() as server:
        for name in ("OPENAI_API_BASE", "OPENAI_BASE_URL"):
            monkeypatch.setenv(name, server.base)
        monkeypatch.setenv("OPENAI_API_KEY", "openai-trap-key")
        monkeypatch.setenv("OPENAI_ORGANIZATION", "trap-organization")
        monkeypatch.setenv("OPENAI_ORG_ID", "trap-org-id")
        monkeypatch.setenv("OPENAI_PROJECT_ID", "trap-project-id")
        yield server
        assert server.requests == []


@pytest.fixture
def server(trap: OpenAIServer) -> Iterator[OpenAIServer]:
    with OpenAIServer(models("qwen2.5-coder-7b")) as running:
        yield running
        sent = json.dumps([request.headers for request in running.requests])
        assert "trap" not in sent


@pytest.fixture
def configured(server: OpenAIServer, isolated: Path) -> Callable[..., None]:
    """Write the user's own file, as a person would."""

    def configure(name: str = "local", more: str = "", base: str | None = None) -> None:
        text = f"providers:\n  {name}:\n    api_base: {base or server.base}\n{more}"
        (isolated.parent / "home" / ".aider.litellm.yml").write_text(text, encoding="utf-8")
        aider_stackspot.register()

    configure()
    return configure


Ask = Callable[..., Any]


def _sync(**arguments: Any) -> Any:
    return litellm.completion(**{"model": MODEL, "messages": HI, **arguments})


def sync_stream(**arguments: Any) -> Any:
    chunks = list(litellm.completion(**{"model": MODEL, "messages": HI, "stream": True, **arguments}))
    return litellm.stream_chunk_builder(chunks)


def _async(**arguments: Any) -> Any:
    return asyncio.run(litellm.acompletion(**{"model": MODEL, "messages": HI, **arguments}))


def async_stream(**arguments: Any) -> Any:
    async def ask() -> Any:
        stream = await litellm.acompletion(**{"model": MODEL, "messages": HI, "stream": True, **arguments})
        return litellm.stream_chunk_builder([chunk async for chunk in stream])

    return asyncio.run(ask())


@pytest.fixture(params=[_sync, sync_stream, _async, async_stream], ids=lambda way: way.__name__.lstrip("_"))
def ask(request: pytest.FixtureRequest, configured: Callable[..., None]) -> Ask:
    """Each of the four ways to call."""
    way: Ask = request.param
    return way


def raised(ask: Ask, **arguments: Any) -> Exception:
    """Return the exception of a call; LiteLLM wraps what it may fall back from in an asynchronous stream."""
    with pytest.raises(Exception) as caught:
        ask(**arguments)
    error: Exception = caught.value
    return getattr(error, "original_exception", error) if isinstance(error, MidStreamFallbackError) else error
