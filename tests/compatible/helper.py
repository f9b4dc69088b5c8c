"""A configured server, and what is known of its models."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from aider_stackspot.compatible.server import ServerSnapshot, models_of
from aider_stackspot.config import CompatibleProvider
from tests.compatible.openai_server import OpenAIServer

KEY = "a-key-that-must-not-be-kept"


def provider_of(server: OpenAIServer, base: str | None = None, name: str = "local", **more: Any) -> CompatibleProvider:
    """Return the configuration of a server, which wants `KEY`."""
    return CompatibleProvider(name, base or server.base, SecretStr(KEY), **more)


def context_of(provider: CompatibleProvider, known: ServerSnapshot | None, name: str) -> tuple[int, str] | None:
    """Return a model's context in tokens, and where it came from."""
    found = next(model for model in models_of(provider, known) if model.name == name).context
    return (found.value, found.origin) if found else None
