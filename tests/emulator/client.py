"""A plain client for the emulator's own tests: httpx for the calls, a bare socket where bytes matter."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from aider_stackspot.emulator import Emulator, RecordedRequest

AGENT = "/v1/agent/01AAAAAAAAAAAAAAAAAAAAAAAA/chat"
CONVERSATION = "01BBBBBBBBBBBBBBBBBBBBBBBB"
SECONDS = 10.0


class Client(httpx.Client):
    """Calls one emulator with a token it asked for itself."""

    def __init__(self, emulator: Emulator, **options: Any) -> None:
        super().__init__(base_url=emulator.url, timeout=SECONDS, trust_env=False, **options)

    def token_answer(self, **changes: str) -> httpx.Response:
        form = {"grant_type": "client_credentials", "client_id": "client-id", "client_secret": "client-key"}
        return self.post("/stackspot/oidc/oauth/token", data={**form, **changes})

    def login(self) -> Client:
        self.headers["Authorization"] = f"Bearer {self.token_answer().json()['access_token']}"
        return self

    def ask(self, prompt: str = "hi", *, streaming: bool = True, **fields: Any) -> httpx.Response:
        return self.post(AGENT, json={"user_prompt": prompt, "streaming": streaming, **fields})

    def chat(self, prompt: str = "hi", **fields: Any) -> httpx.Response:
        body = {"user_prompt": prompt, "context": {"conversation_id": CONVERSATION}, **fields}
        return self.post("/v3/chat", json=body)


def bearer(emulator: Emulator) -> str:
    return emulator.tokens.issue(("stackspot", "client-id"))


def request_bytes(emulator: Emulator, path: str = AGENT, **fields: Any) -> bytes:
    """A streaming chat request as it goes over the wire."""
    body = json.dumps({"user_prompt": "hi", "streaming": True, **fields}).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: emulator\r\nAuthorization: Bearer {bearer(emulator)}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@contextmanager
def raw_call(emulator: Emulator, **fields: Any) -> Iterator[socket.socket]:
    """A socket on which a streaming request was sent."""
    port = int(emulator.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as sock:
        sock.sendall(request_bytes(emulator, **fields))
        yield sock


def read_all(sock: socket.socket) -> bytes:
    """Everything until the other side closes."""
    data = b""
    while more := sock.recv(65_536):
        data += more
    return data


def events(body: str) -> list[str]:
    """The payloads of all events, however the lines end; lines that cannot be JSON alone are joined."""
    lines = body.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    data = "\n".join(line.removeprefix("data:").strip(" ") for line in lines if line.startswith("data:"))
    return re.sub(r"^\{\n(.*)\n\}$", r"{\1}", data, flags=re.MULTILINE).split("\n") if data else []


def objects(body: str) -> list[dict[str, Any]]:
    """The payloads that are JSON objects."""
    found = []
    for payload in events(body):
        try:
            value = json.loads(payload)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def text_of(body: str) -> str:
    """The text of a stream or of a JSON document, read as tolerantly as docs/wire.md, "Agents API: stream" asks for."""
    if body.startswith("{"):
        return _text(json.loads(body))
    said = ""
    for value in objects(body):
        for choice in value.get("choices", []):
            said += choice["delta"].get("content", "")
        text = _text(value)
        if not (text == said and "message_id" in value):
            said += text
    return said


def _text(value: dict[str, Any]) -> str:
    text = next((value[key] for key in ("message", "content", "text", "answer", "response") if key in value), "")
    if isinstance(text, list):
        return "".join(part["text"] for part in text)
    return text if isinstance(text, str) else ""


def finished(request: RecordedRequest) -> RecordedRequest:
    """The request once the emulator is through with it."""
    assert request.finished.wait(SECONDS), "the emulator still works on it"
    return request
