"""A call to an OpenAI-compatible server: from a request's body to one call of the pipeline."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from aider_stackspot.api.answer import AnswerParser, ApiRequest
from aider_stackspot.api.error_response import Service
from aider_stackspot.api.openai import Chunk, EndMarker, JsonAnswer, OpenAIAnswer, merge
from aider_stackspot.compatible import server
from aider_stackspot.compatible.catalogue import catalogue
from aider_stackspot.config import CompatibleProvider
from aider_stackspot.config.settings import MAX_RETRIES
from aider_stackspot.errors import ContextTooLong, StackSpotError
from aider_stackspot.pipeline.request import Call, Destination

IDLE_TIMEOUT = 600.0
"""Seconds without a byte: a model on this machine may read a long prompt for minutes before its first word."""
_COMPLETIONS = ("/chat/completions", "/completions")


@dataclass(frozen=True)
class CallOptions:
    """What one call may change. `None` and empty mean: as configured.

    `timeout` is the total in seconds, retries included. `headers` replace configured ones of the same name.
    """

    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float | None = None
    max_retries: int | None = None


def server_call(
    provider: CompatibleProvider, name: str, path: str, body: Mapping[str, Any], options: CallOptions
) -> Call[list[Chunk]]:
    """Return the call that a request makes.

    Args:
        provider: the server.
        name: the model's public name behind the provider.
        path: the endpoint below the base URL, such as "/chat/completions".
        body: what is sent, as it is.
        options: what this call has of its own.
    """
    service = Service(f"the server `{provider.name}`", _ADVICE)
    configured = MAX_RETRIES if provider.max_retries is None else provider.max_retries
    streamed = body.get("stream") is True and path in _COMPLETIONS
    end_marker = end_marker_of(provider)

    def new_parser() -> AnswerParser[list[Chunk]]:
        if path not in _COMPLETIONS:
            return JsonAnswer(service)
        return OpenAIAnswer(service, streamed=streamed, end_marker=end_marker)

    base_url = options.base_url or server.base_of(provider, catalogue.known(provider))
    return Call(
        name=f"{provider.name}/{name}",
        api="openai",
        destination=Destination(
            base_url=base_url,
            network=provider.network,
            service=service,
            headers=_headers(provider, options),
            rpm=provider.rpm,
            rate_key=(provider.name, base_url),
        ),
        request=ApiRequest(path, body, streams=streamed),
        new_parser=new_parser,
        join=merge,
        what=f"model `{name}`",
        prompt_characters=_prompt_characters(body),
        timeout=options.timeout or provider.timeout or math.inf,
        idle_timeout=IDLE_TIMEOUT,
        max_retries=configured if options.max_retries is None else options.max_retries,
    )


def end_marker_of(provider: CompatibleProvider) -> EndMarker:
    """Return what a complete stream of a server surely has: as configured, else what its kind is known for."""
    return provider.end_marker or server.profile_of(provider, catalogue.known(provider)).end_marker


def learn_from(error: StackSpotError, provider: CompatibleProvider, name: str) -> None:
    """Remember the context that a server's own error names."""
    if isinstance(error, ContextTooLong) and error.limit:
        catalogue.learn(provider, server.id_of(provider, catalogue.known(provider), name), error.limit)


_ADVICE = {
    401: "Check the provider's `api_key`.",
    403: "The key is not allowed to do this: check the provider's `api_key`, and what it is for.",
    404: "Check the model's name (`aider-stackspot models`) and the provider's base URL.",
    405: "Check the provider's base URL: it ends before `/chat/completions`.",
}


def _headers(provider: CompatibleProvider, options: CallOptions) -> dict[str, SecretStr]:
    """Return the headers of every request: the key, the configured ones, and over them the call's own."""
    headers: dict[str, SecretStr] = {}
    key = options.api_key or (provider.api_key.get_secret_value() if provider.api_key else "")
    if key:
        headers["Authorization"] = SecretStr(f"Bearer {key}")
    for more in (provider.extra_headers, {name: SecretStr(str(value)) for name, value in options.headers.items()}):
        for name, value in more.items():
            for known in [known for known in headers if known.lower() == name.lower()]:
                del headers[known]
            headers[name] = value
    return headers


def _prompt_characters(body: Mapping[str, Any]) -> int:
    messages = body.get("messages")
    contents = [message.get("content") for message in messages if isinstance(message, Mapping)] if messages else []
    return sum(len(content) for content in contents if isinstance(content, str))
