"""A StackSpot model's call: from messages, options and the configuration to one request for the API that serves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pydantic import SecretStr

from aider_stackspot.api import agent, chat, quick_command
from aider_stackspot.api.answer import AnswerParser, ApiRequest
from aider_stackspot.api.error_response import Service
from aider_stackspot.api.stackspot_service import STACKSPOT
from aider_stackspot.config import Account, Model, home
from aider_stackspot.config.learned_limits import learn_limit
from aider_stackspot.config.settings import TOTAL_TIMEOUT
from aider_stackspot.config.trust.call_arguments import base_of_call, checked_headers
from aider_stackspot.errors import ConfigurationError, InvalidRequest
from aider_stackspot.pipeline import prompt, usage_record
from aider_stackspot.pipeline.arguments import Conversation, model_of_call
from aider_stackspot.pipeline.attachments import Attachments
from aider_stackspot.pipeline.credentials import credentials_of
from aider_stackspot.pipeline.request import Call, Destination, Uploads
from aider_stackspot.pipeline.stream import AnswerStream, start_text

DEFAULT_MODEL = "stackspot-ai-code"
TEMPERATURES = (0.0, 1.0)


@dataclass(frozen=True)
class Options:
    """What one call may change. `None` and empty mean: as configured.

    `timeout` is the total in seconds, retries included. `api_key` is a client key, `api_base` the base URL of the API
    that serves the model. `temperature` is checked, not sent: StackSpot has it in the agent's settings (docs/wire.md,
    "Limits"). `instructions` and `tool_syntax` are `prompt.render`'s. `arguments` are what is asked of an agent, by the
    names of `arguments.AGENT_ARGUMENTS`; they win over the model's keys.
    """

    temperature: float | None = None
    timeout: float | None = None
    max_retries: int | None = None
    api_key: str | None = field(default=None, repr=False)
    api_base: str | None = None
    extra_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    stop: str | Sequence[str] | None = None
    instructions: str = field(default="", repr=False)
    tool_syntax: bool = False
    arguments: Mapping[str, Any] = field(default_factory=dict)


def start(model: Model, messages: Sequence[prompt.Message], options: Options) -> AnswerStream[str]:
    """Begin a call.

    Raises:
        InvalidRequest: a message or an option cannot be used.
        ConfigurationError: credentials or settings are missing or unusable.
    """
    return start_text(stackspot_call(model, messages, options), _stop_sequences(options.stop))


def stackspot_call(model: Model, messages: Sequence[prompt.Message], options: Options) -> Call[str]:
    """Return the call that `start` begins.

    Raises:
        InvalidRequest: a message or an option cannot be used.
        ConfigurationError: credentials or settings are missing or unusable.
    """
    _check_temperature(options.temperature)
    model, conversation = model_of_call(model, options.arguments)
    account = model.account
    credentials = credentials_of(account, options.api_key)
    if conversation.id is not None:
        messages = prompt.new_messages(messages)
    attachments = Attachments() if model.vision else None
    text = prompt.render(messages, options.instructions, tool_syntax=options.tool_syntax, attachments=attachments)
    named_in, new_parser = _request(model, text, conversation)
    files = attachments.files if attachments is not None else ()
    return Call(
        name=model.route,
        api=model.api,
        destination=Destination(
            base_url=_base_url(model, account, options),
            network=account.network,
            service=_SERVICES.get(model.api, STACKSPOT),
            credentials=credentials,
            headers={**account.extra_headers, **_secret(checked_headers(options.extra_headers))},
            account=credentials.shown,
            rpm=account.rpm,
            rate_key=(account.auth_url, account.realm, credentials.client_id),
        ),
        request=named_in(()),
        new_parser=new_parser,
        join="".join,
        what={"agent": f"agent `{model.agent_id}`", "quick-command": f"quick command `{model.quick_command}`"}.get(
            model.api, ""
        ),
        quick_command=model.quick_command if model.api == "quick-command" else None,
        prompt_characters=len(text),
        timeout=options.timeout or account.timeout or TOTAL_TIMEOUT,
        max_retries=account.max_retries if options.max_retries is None else options.max_retries,
        uploads=Uploads(account.upload_base, files, named_in) if files else None,
        record=usage_record.place(),
        learn_limit=lambda limit: learn_limit(model, limit, home=home()),
    )


_SERVICES: dict[str, Service] = {
    "chat": Service(
        STACKSPOT.name,
        {
            **STACKSPOT.advice,
            403: "Check that this credential may use StackSpot's chat, or choose an agent: aider-stackspot init.",
            404: "Check the base URL if you set one.",
        },
    ),
    "quick-command": Service(
        STACKSPOT.name,
        {
            **STACKSPOT.advice,
            404: "Check the slug in `quick_command`, and publish the command for this credential.",
        },
    ),
}
"""How the APIs other than the agents' differ from them in what helps."""


def base_url_of(model: Model) -> str:
    """Return the base URL of the API that serves a model."""
    return model.account.agent_api_base if model.api == "agent" else model.account.api_base


def _request(
    model: Model, text: str, conversation: Conversation
) -> tuple[Callable[[Sequence[str]], ApiRequest], Callable[[], AnswerParser[str]]]:
    """Return what makes the request to the API that serves a model, of the ids of uploads; and what reads an answer.

    Raises:
        ConfigurationError: the model wants the Agents API and there is no agent id.
    """
    if model.api == "quick-command":
        return partial(quick_command.request, text, model.quick_command or ""), agent.AgentAnswer
    if model.api == "chat":
        identifier = conversation.id or chat.new_conversation()

        def to_chat(upload_ids: Sequence[str]) -> ApiRequest:
            sources = model.knowledge_source_ids
            return chat.request(
                text, identifier, agent_id=model.agent_id, knowledge_sources=sources, upload_ids=upload_ids
            )

        return to_chat, partial(chat.ChatAnswer, identifier if conversation.is_kept else None)
    if not model.agent_id:
        raise ConfigurationError(
            f"The model `{model.name}` uses the Agents API, and no agent id is set: set STACKSPOTAI_AGENT_ID, or "
            "`agent_id` of the model or its provider."
        )
    return partial(_to_agent, model, model.agent_id, text, conversation), agent.AgentAnswer


def _to_agent(
    model: Model, agent_id: str, text: str, conversation: Conversation, upload_ids: Sequence[str]
) -> ApiRequest:
    asked = agent.AgentOptions(
        stackspot_knowledge=model.stackspot_knowledge,
        return_ks_in_response=model.return_ks_in_response,
        deep_search_ks=model.deep_search_ks,
        knowledge_source_ids=model.knowledge_source_ids,
        agent_version_number=model.agent_version_number,
        selected_model=model.selected_model,
        use_conversation=conversation.is_kept,
        conversation_id=conversation.id,
        upload_ids=upload_ids,
    )
    return agent.request(text, agent_id, asked)


def _secret(headers: Mapping[str, str]) -> dict[str, SecretStr]:
    return {name: SecretStr(str(value)) for name, value in headers.items()}


def _base_url(model: Model, account: Account, options: Options) -> str:
    if options.api_base:
        return base_of_call(
            options.api_base,
            configured=(account.api_base, account.agent_api_base),
            allow_insecure_http=account.network.allow_insecure_http,
        )
    return base_url_of(model)


def _check_temperature(temperature: float | None) -> None:
    if temperature is None:
        return
    low, high = TEMPERATURES
    if isinstance(temperature, bool) or not isinstance(temperature, int | float) or not low <= temperature <= high:
        raise InvalidRequest(
            f"The temperature {temperature!r} is out of range: StackSpot's models take {low} to {high}."
        )


def _stop_sequences(stop: str | Sequence[str] | None) -> tuple[str, ...]:
    if stop is None:
        return ()
    return (stop,) if isinstance(stop, str) else tuple(stop)
