"""The ways to get the same text: the floor, what a user would have otherwise, and this package."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import litellm

PROMPT = [{"role": "user", "content": "Say hi"}]


def finished(text: str, *, is_finished: bool = False) -> dict[str, Any]:
    """Return a chunk as LiteLLM's custom providers yield it."""
    return {
        "text": text,
        "is_finished": is_finished,
        "finish_reason": "stop" if is_finished else "",
        "usage": None,
        "index": 0,
        "tool_use": None,
    }


class DoNothing(litellm.CustomLLM):  # type: ignore[misc]  # LiteLLM's types are not followed
    """A custom provider that makes no request: LiteLLM's own share, which no provider can get below."""

    def streaming(self, *_given: Any, **_named: Any) -> Iterator[dict[str, Any]]:
        """Yield two chunks at once."""
        yield finished("hi")
        yield finished("", is_finished=True)

    async def astreaming(self, *_given: Any, **_named: Any) -> AsyncIterator[dict[str, Any]]:
        """Do the same, asynchronously."""
        for chunk in self.streaming():
            yield chunk


class Naive(litellm.CustomLLM):  # type: ignore[misc]  # LiteLLM's types are not followed
    """What one writes in an afternoon: httpx, `iter_lines`, a chunk per event."""

    client = httpx.Client(timeout=60)

    def __init__(self) -> None:
        super().__init__()
        # An asynchronous client's connections belong to one event loop.
        self._of_loop: tuple[asyncio.AbstractEventLoop, httpx.AsyncClient] | None = None

    def streaming(self, model: str, api_base: str, **_named: Any) -> Iterator[dict[str, Any]]:
        """Yield a chunk for each event."""
        with self.client.stream("POST", f"{api_base}/{model}", json={"user_prompt": "Say hi"}) as response:
            for line in response.iter_lines():
                if line.startswith("data: "):
                    event = json.loads(line[6:])
                    yield finished(event["message"], is_finished="stop_reason" in event)

    async def astreaming(self, model: str, api_base: str, **_named: Any) -> AsyncIterator[dict[str, Any]]:
        """Do the same, asynchronously."""
        loop = asyncio.get_running_loop()
        if self._of_loop is None or self._of_loop[0] is not loop:
            self._of_loop = (loop, httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=1000)))
        async with self._of_loop[1].stream("POST", f"{api_base}/{model}", json={"user_prompt": "Say hi"}) as response:
            async for line in response.aiter_lines():
                if line.startswith("data: "):
                    event = json.loads(line[6:])
                    yield finished(event["message"], is_finished="stop_reason" in event)


def install() -> None:
    """Register the two providers that measurements are compared with."""
    for name, handler in (("nothing", DoNothing()), ("naive", Naive())):
        litellm.custom_provider_map.append({"provider": name, "custom_handler": handler})


Way = Callable[[], tuple[float, int]]
"""Makes one streamed call; returns the moment of the first text, and the characters received."""


def raw(base: str, plan: str) -> Way:
    """Return the floor: httpx and json on the same bytes."""
    client = httpx.Client(timeout=60)

    def call() -> tuple[float, int]:
        first, length, buffer = 0.0, 0, b""
        body = {"user_prompt": "Say hi", "streaming": True}
        with client.stream("POST", f"{base}/v1/agent/{plan}/chat", json=body) as response:
            for piece in response.iter_bytes():
                *events, buffer = (buffer + piece).split(b"\r\n\r\n")
                for event in events:
                    length += len(json.loads(event[6:])["message"])
                first = first or time.perf_counter()
        return first, length

    return call


def through_litellm(model: str, **arguments: Any) -> Way:
    """Return a streamed call of `litellm.completion`."""

    def call() -> tuple[float, int]:
        first, length = 0.0, 0
        for chunk in litellm.completion(model, PROMPT, stream=True, **arguments):
            text = chunk.choices[0].delta.content if chunk.choices else None
            if text:
                first = first or time.perf_counter()
                length += len(text)
        return first, length

    return call


def ways(base: str, plan: str) -> dict[str, Way]:
    """Return the calls to compare; the plan of ours stands in the configuration."""
    return {
        "raw httpx + json": raw(base, plan),
        "provider that does nothing": through_litellm("nothing/x"),
        "naive custom provider": through_litellm(f"naive/v1/agent/{plan}/chat", api_base=base),
        "LiteLLM openai/": through_litellm("openai/m", api_base=f"{base}/{plan}", api_key="benchmark"),
        "aider-stackspot": through_litellm("stackspot-ai-code"),
        "aider-stackspot, openai-compatible": through_litellm("lab/m"),
    }
