"""A call to an OpenAI-compatible server: from a request's body to one call of the pipeline."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aider_stackspot.api.answer import AnswerParser, ApiRequest
from aider_stackspot.api.chunks import Chunk, merge
from aider_stackspot.api.error_response import Service
from aider_stackspot.api.openai import EndMarker, JsonAnswer, OpenAIAnswer
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
    configured = MAX_RETRIES if provider.max_retries is None else provider.max_retries
    streamed = body.get("stream") is True and path in _COMPLETIONS
    end_marker = end_marker_of(provider)

    base_url = options.base_url or server.base_of(provider, catalogue.known(provider))
    service = _service(provider, base_url + path)

    def new_parser() -> AnswerParser[list[Chunk]]:
        if path not in _COMPLETIONS:
            return JsonAnswer(service)
        return OpenAIAnswer(service, streamed=streamed, end_marker=end_marker)

    return Call(
        name=f"{provider.name}/{name}",
        api="openai",
        destination=Destination(
            base_url=base_url,
            network=provider.network,
            service=service,
            headers=server.request_headers(provider, api_key=options.api_key, headers=options.headers),
            rpm=provider.rpm,
            rate_key=(provider.name, base_url),
        ),
        request=ApiRequest(path, body, streams=streamed),
        new_parser=new_parser,
        join=merge if path in _COMPLETIONS else _only_document,
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


def _service(provider: CompatibleProvider, url: str) -> Service:
    asked = f"The request went to {url}; the provider's base URL reads {provider.api_base}: check it"
    advice = {
        401: "Check the provider's `api_key`.",
        403: "The key is not allowed to do this: check the provider's `api_key`, and what it is for.",
        404: f"{asked}, and the model's name (`aider-stackspot models`).",
        405: f"{asked}.",
    }
    return Service(f"the server `{provider.name}`", advice)


def _only_document(pieces: Sequence[list[Chunk]]) -> list[Chunk]:
    """Return the one piece of an answer that does not stream."""
    return pieces[0]


def _prompt_characters(body: Mapping[str, Any]) -> int:
    messages = body.get("messages")
    contents = [message.get("content") for message in messages if isinstance(message, Mapping)] if messages else []
    return sum(len(content) for content in contents if isinstance(content, str))
