"""A call to an OpenAI-compatible server: from a request's body to one call of the pipeline."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from aider_stackspot.api.answer import AnswerParser, ApiRequest
from aider_stackspot.api.chunks import Chunk, merge
from aider_stackspot.api.error_response import Service
from aider_stackspot.api.openai import EndMarker, JsonAnswer, OpenAIAnswer
from aider_stackspot.compatible import answer_limit, server
from aider_stackspot.compatible.catalogue import catalogue
from aider_stackspot.compatible.profiles import LIMIT_NAMES, LimitName, ServerProfile
from aider_stackspot.compatible.tools_by_prompt import ToolsInText
from aider_stackspot.config import CompatibleProvider
from aider_stackspot.config.schema import is_unlimited
from aider_stackspot.config.settings import MAX_RETRIES
from aider_stackspot.errors import ContextTooLong, InvalidRequest, StackSpotError
from aider_stackspot.pipeline import usage_record
from aider_stackspot.pipeline.request import Call, Destination
from aider_stackspot.tools import AnswerRequirements

IDLE_TIMEOUT = 600.0
"""Seconds without a byte: a model on this machine may read a long prompt for minutes before its first word."""
_CHAT = "/chat/completions"
_COMPLETIONS = (_CHAT, "/completions")


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
    provider: CompatibleProvider,
    name: str,
    path: str,
    body: Mapping[str, Any],
    options: CallOptions,
    requirements: AnswerRequirements | None = None,
) -> Call[list[Chunk]]:
    """Return the call that a request makes.

    Args:
        provider: the server.
        name: the model's public name behind the provider.
        path: the endpoint below the base URL, such as "/chat/completions".
        body: what is sent, as it is, but for a limit of tokens that means "none", or that the model takes under its
            other name only.
        options: what this call has of its own.
        requirements: what the prompt says of the answer (`tools_by_prompt`), whose text is then read for it.

    Raises:
        MissingCredentials: a variable for the provider's OAuth2 client is not set.
    """
    body = {key: value for key, value in body.items() if key not in LIMIT_NAMES or not is_unlimited(value)}
    if path == _CHAT:
        body = answer_limit.under(body, _learned_limit_name(provider, name))
    configured = MAX_RETRIES if provider.max_retries is None else provider.max_retries
    streamed = body.get("stream") is True and path in _COMPLETIONS
    end_marker = end_marker_of(provider)

    base_url = options.base_url or server.base_of(provider, catalogue.known(provider))
    service = _service(provider, base_url + path)

    def new_parser() -> AnswerParser[list[Chunk]]:
        if path not in _COMPLETIONS:
            return JsonAnswer(service)
        is_chat = path == _CHAT
        answer = OpenAIAnswer(service, streamed=streamed, end_marker=end_marker, is_chat=is_chat)
        if requirements is None:
            return answer
        return ToolsInText(answer, requirements, whole=not streamed, name=f"{provider.name}/{name}")

    return Call(
        name=f"{provider.name}/{name}",
        api="openai",
        destination=Destination(
            base_url=base_url,
            network=provider.network,
            service=service,
            credentials=server.credentials_of(provider, api_key=options.api_key, headers=options.headers),
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
        record=usage_record.place(),
        corrected=partial(_corrected, provider, name) if path == _CHAT else None,
    )


def chat_body(
    provider: CompatibleProvider, name: str, messages: Sequence[Message], parameters: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a chat's body as a server takes it.

    Args:
        provider: the server.
        name: the model's public name behind the provider.
        messages: the conversation.
        parameters: all other fields.

    Raises:
        InvalidRequest: the server would refuse a field or a message, and the answer depends on it.
    """
    known = catalogue.known(provider)
    profile = server.profile_of(provider, known)
    given = parameters_for(profile, parameters)
    keys = provider.models.get(name)
    if keys is not None and keys.temperature is not None:
        given.setdefault("temperature", keys.temperature)
    return {"model": server.id_of(provider, known, name), "messages": messages_for(profile, messages), **given}


def end_marker_of(provider: CompatibleProvider) -> EndMarker:
    """Return what a complete stream of a server surely has: as configured, else what its kind is known for."""
    return provider.end_marker or server.profile_of(provider, catalogue.known(provider)).end_marker


def learn_from(error: StackSpotError, provider: CompatibleProvider, name: str) -> None:
    """Remember the context that a server's own error names."""
    if isinstance(error, ContextTooLong) and error.limit:
        catalogue.learn(provider, server.id_of(provider, catalogue.known(provider), name), error.limit)


def _learned_limit_name(provider: CompatibleProvider, name: str) -> LimitName | None:
    known = catalogue.known(provider)
    return known.limit_names.get(server.id_of(provider, known, name)) if known is not None else None


def _corrected(
    provider: CompatibleProvider, name: str, request: ApiRequest, error: StackSpotError
) -> ApiRequest | None:
    """Return a chat as the server takes it, where its refusal tells how; further ones go out so at once."""
    limit_name = answer_limit.taught_by(error, request.body)
    if limit_name is None:
        return None
    catalogue.learn_limit_name(provider, server.id_of(provider, catalogue.known(provider), name), limit_name)
    return replace(request, body=answer_limit.under(request.body, limit_name))


def _service(provider: CompatibleProvider, url: str) -> Service:
    asked = f"The request went to {url}; the provider's base URL reads {provider.api_base}: check it"
    key = server.credential_keys(provider)
    advice = {
        401: f"Check the provider's {key}.",
        403: f"The key is not allowed to do this: check the provider's {key}, and what it is for.",
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


Message = Mapping[str, Any]

_HINTS = frozenset(
    {
        "metadata",
        "parallel_tool_calls",
        "prompt_cache_key",
        "safety_identifier",
        "service_tier",
        "store",
        "user",
    }
)
"""Fields that an answer does not depend on."""
_CLIENT_ARGUMENTS = frozenset({"extra_body", "extra_headers", "max_retries"})
"""Arguments of OpenAI's Python client that are no fields of a request."""
_TEXT_TYPES = frozenset({"text", "input_text"})
_ROLES = {"developer": "system", "function": "user", "tool": "user"}


def messages_for(profile: ServerProfile, messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return the messages as a server takes them.

    Raises:
        InvalidRequest: a message holds what the server cannot read.
    """
    if not profile.text_only and profile.roles is None and profile.message_name:
        return [dict(message) for message in messages]
    return [_message_for(profile, message) for message in messages]


def _message_for(profile: ServerProfile, message: Message) -> dict[str, Any]:
    changed = dict(message)
    if profile.text_only:
        changed["content"] = _text_of(profile, changed.get("content"))
    if profile.roles is not None and changed.get("role") not in profile.roles:
        if changed.get("role") not in _ROLES:
            raise InvalidRequest(f"{profile.title} knows no messages of the role `{changed.get('role')}`.")
        changed["role"] = _ROLES[str(changed["role"])]
    if not profile.message_name:
        if changed.get("tool_calls") or changed.get("function_call"):
            raise InvalidRequest(f"{profile.title} knows no tool calls.")
        changed = {key: changed[key] for key in ("role", "content") if key in changed}
    return changed


def _text_of(profile: ServerProfile, content: object) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    pieces = []
    for part in content if isinstance(content, Sequence) else ():
        kind = part.get("type", "text") if isinstance(part, Mapping) else "text"
        if kind not in _TEXT_TYPES:
            raise InvalidRequest(f"{profile.title} takes text only, and a message holds a part of the type `{kind}`.")
        pieces.append(str(part.get("text", "")) if isinstance(part, Mapping) else str(part))
    return "\n".join(pieces)


def parameters_for(profile: ServerProfile, given: Mapping[str, Any], *, drop: bool = False) -> dict[str, Any]:
    """Return the parameters as a server takes them.

    Args:
        profile: the server's kind.
        given: the arguments of OpenAI's Python client, but for `model` and `messages`.
        drop: leave out what the server does not take, as the caller wished.

    Raises:
        InvalidRequest: the server would refuse a parameter, and the answer depends on it.
    """
    changed = answer_limit.under(given, profile.limit_name)
    extra = changed.get("extra_body")
    if isinstance(extra, Mapping):
        changed["extra_body"] = extra = answer_limit.under(extra, profile.limit_name)
    if profile.parameters is None:
        return changed
    if isinstance(extra, Mapping):
        changed["extra_body"] = _taken(profile, extra, drop)
    kept = {key: value for key, value in changed.items() if key in _CLIENT_ARGUMENTS}
    kept.update(_taken(profile, {key: value for key, value in changed.items() if key not in _CLIENT_ARGUMENTS}, drop))
    if profile.stream_options is not None and isinstance(kept.get("stream_options"), Mapping):
        options = {key: value for key, value in kept["stream_options"].items() if key in profile.stream_options}
        kept["stream_options"] = options
    if profile.finish_needs_usage and kept.get("stream"):
        kept["stream_options"] = {**(kept.get("stream_options") or {}), "include_usage": True}
    return kept


def _taken(profile: ServerProfile, given: Mapping[str, Any], drop: bool) -> dict[str, Any]:
    known = profile.parameters or frozenset()
    refused = [
        key
        for key, value in given.items()
        if key not in known and key not in _HINTS and value is not None and not (key == "n" and value == 1)
    ]
    if refused and not drop:
        raise InvalidRequest(
            f"{profile.title} takes no {', '.join(f'`{key}`' for key in sorted(refused))}. Leave it out, or set "
            "`drop_params`."
        )
    return {key: value for key, value in given.items() if key in known}
