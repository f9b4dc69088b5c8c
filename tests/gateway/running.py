"""A gateway in a thread of the test's own process, on a real socket, and the SDKs that people use in front of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx
import openai

from aider_stackspot.gateway.app import Gateway
from aider_stackspot.gateway.server import Server, listen

KEY = "sk-of-the-gateway-0123456789"
MODEL = "stackspot-ai-code"
HI: list[Any] = [{"role": "user", "content": "Say hi"}]
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
CHAT_TOOL: Any = {"type": "function", "function": {"name": "read_file", "parameters": SCHEMA}}
RESPONSES_TOOL: Any = {"type": "function", "name": "read_file", "parameters": SCHEMA, "strict": False}
MESSAGES_TOOL: Any = {"name": "read_file", "description": "Read a file.", "input_schema": SCHEMA}


@dataclass
class Running:
    """A gateway that answers."""

    url: str
    gateway: Gateway
    server: Server
    clients: ExitStack

    def client(self, key: str = KEY, **options: Any) -> httpx.Client:
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False, **options)

    def post(self, path: str, body: Any, key: str = KEY, **options: Any) -> httpx.Response:
        with self.client(key) as client:
            return client.post(path, json=body, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        with self.client() as client:
            return client.get(path, **options)

    def openai(self, key: str = KEY, retries: int = 0) -> openai.OpenAI:
        client = openai.OpenAI(base_url=f"{self.url}/v1", api_key=key, max_retries=retries, timeout=30)
        return self.clients.enter_context(client)

    def anthropic(self, key: str = KEY, retries: int = 0) -> anthropic.Anthropic:
        client = anthropic.Anthropic(base_url=self.url, api_key=key, max_retries=retries, timeout=30)
        return self.clients.enter_context(client)


@contextmanager
def running_gateway() -> Iterator[Running]:
    """Serve for as long as the block runs."""
    with listen("127.0.0.1", 0) as listener:
        gateway, ready = Gateway(), threading.Event()
        server = Server(gateway, KEY, ready.set)
        serving = server.begin(listener)
        assert ready.wait(20)
        try:
            with ExitStack() as clients:
                yield Running(f"http://127.0.0.1:{listener.getsockname()[1]}", gateway, server, clients)
        finally:
            server.should_exit = server.force_exit = True
            serving.result(10)


def bodies(text: str = "Say hi", **more: Any) -> dict[str, dict[str, Any]]:
    """The same question in each protocol, by its path."""
    user = [{"role": "user", "content": text}]
    return {
        "/v1/chat/completions": {"model": MODEL, "messages": user, **more},
        "/v1/responses": {"model": MODEL, "input": text, **more},
        "/v1/messages": {"model": MODEL, "messages": user, "max_tokens": 100, **more},
    }


PATHS = sorted(bodies())


def events_of(text: str) -> list[tuple[str, str]]:
    """Every server-sent event of a body: its name and its data."""
    found = []
    for block in text.split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        if lines:
            fields = dict(line.split(": ", 1) for line in lines)
            found.append((fields.get("event", ""), fields["data"]))
    return found
