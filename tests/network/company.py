"""A company's network on loopback: hosts with certificates of the company's own authority, and calls to them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import litellm
import trustme

import aider_stackspot
from aider_stackspot.compatible.discovery import discover
from aider_stackspot.config import current
from aider_stackspot.emulator import Emulator
from aider_stackspot.hosts.litellm.exceptions import litellm_error
from tests.compatible.openai_server import OpenAIServer, models

HI = [{"role": "user", "content": "Say hi"}]
AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
STACKSPOT_WAYS = {
    "token": "STACKSPOTAI_AUTH_URL",
    "agent": "STACKSPOTAI_AGENT_API_BASE",
    "chat": "STACKSPOTAI_API_BASE",
    "quick-command": "STACKSPOTAI_API_BASE",
}
WAYS = (*STACKSPOT_WAYS, "models", "compatible")
"""The kinds of calls; besides, "compatible-async" is "compatible" on an event loop."""


class Company:
    """One kind of call whose host, and only that one, stands behind the company's TLS.

    Args:
        way: the kind of call, see `WAYS`.
        home: the user's home directory, where their configuration file goes.
        setenv: sets a variable of the environment.
        certificate: names for the host's certificate.
    """

    def __init__(self, way: str, home: Path, setenv: Callable[[str, str], None], certificate: str) -> None:
        self.way = way
        self.authority = trustme.CA()
        self.setenv = setenv
        self._home = home
        self._stack = contextlib.ExitStack()
        self.pem = home / "company authority.pem"
        self.authority.cert_pem.write_to_path(str(self.pem))
        tls = self.tls(certificate)
        if way in STACKSPOT_WAYS:
            self._open = self._stack.enter_context(Emulator())
            self.emulator = self._stack.enter_context(Emulator(ssl_context=tls))
            self.emulator.tokens = self._open.tokens
            self.url = self.emulator.url
            for name, value in {**self._open.environment(), STACKSPOT_WAYS[way]: self.url}.items():
                setenv(name, value)
            if way in ("token", "agent"):
                setenv("STACKSPOTAI_AGENT_ID", AGENT)
        else:
            self.server = self._stack.enter_context(OpenAIServer(models("qwen"), tls=tls))
            self.url = self.server.url
        self.configure()

    def __enter__(self) -> Company:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def tls(self, name: str) -> ssl.SSLContext:
        """Return what a server with a certificate of the company's speaks."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(name).configure_cert(context)
        return context

    def configure(self, **keys: str) -> None:
        """Write keys of the provider into the user's own file."""
        if self.way in STACKSPOT_WAYS:
            provider: dict[str, object] = {"stackspot": {**keys}}
            if self.way == "quick-command":
                provider = {"stackspot": {**keys, "models": {"reviewer": {"quick_command": "code-review"}}}}
        else:
            provider = {"local": {"api_base": f"{self.url}/v1", **keys}}
        text = json.dumps({"providers": provider})  # YAML takes JSON as it is
        (self._home / ".aider.litellm.yml").write_text(text, encoding="utf-8")
        aider_stackspot.register()

    def ask(self) -> None:
        """Make the call, in the way a user would.

        Raises:
            Exception: one of LiteLLM's classes.
        """
        model = {"quick-command": "reviewer"}.get(self.way, "stackspot-ai-code")
        if self.way in STACKSPOT_WAYS:
            assert litellm.completion(model=model, messages=HI, timeout=20).choices[0].message.content
        elif self.way == "compatible":
            assert litellm.completion(model="local/qwen", messages=HI, timeout=20).choices[0].message.content
        elif self.way == "compatible-async":
            asyncio.run(self._ask_async())
        else:
            outcome = discover([current().compatible["local"]])["local"]
            if outcome.error is not None:
                raise litellm_error(outcome.error, "qwen", "local")

    async def _ask_async(self) -> None:
        assert (await litellm.acompletion(model="local/qwen", messages=HI, timeout=20)).choices[0].message.content

    @property
    def arrived(self) -> int:
        """How many requests of this kind the host behind the company's TLS was asked."""
        if self.way in STACKSPOT_WAYS:
            return len(self.emulator.requests_of(self.way))
        path = "/v1/models" if self.way == "models" else "/v1/chat/completions"
        return len([request for request in self.server.requests if request.path == path])

    @property
    def connections(self) -> int | None:
        """How many connections the host saw; `None` where LiteLLM's OpenAI path decides about retries."""
        return self.emulator.connections if self.way in STACKSPOT_WAYS else None

    @property
    def address(self) -> str:
        """Host and port of the host behind the company's TLS."""
        return self.url.removeprefix("https://")
