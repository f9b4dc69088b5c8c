"""The arguments of a call, by the names that OpenAI's API and StackSpot's have for them: honoured, harmless or refused.

Every way of calling goes through here, so that nothing which was asked for is dropped in silence. The table for users
is in docs/arguments.md.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aider_stackspot.config import Model
from aider_stackspot.config.schema import AgentKeys, CallKeys, checked_arguments
from aider_stackspot.errors import InvalidRequest
from aider_stackspot.pipeline.audience import GATEWAY_ARGUMENT

log = logging.getLogger(__name__)

AGENT_ARGUMENTS = frozenset(CallKeys.model_fields)
"""What can be asked of an agent, in a call, and but for a conversation also as keys of a model."""
HONOURED = AGENT_ARGUMENTS | {
    "temperature",
    "stop",
    "stream",
    "stream_options",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "functions",
    "function_call",
    "response_format",
    "max_retries",
    GATEWAY_ARGUMENT,
}
"""What is done, or refused where it is read because of its value."""
HARMLESS = frozenset(
    {
        "max_tokens",
        "max_completion_tokens",
        "top_p",
        "frequency_penalty",
        "presence_penalty",
        "seed",
        "user",
        "metadata",
        "service_tier",
        "store",
        "safety_identifier",
        "prompt_cache_key",
        "prompt_cache_retention",
        "verbosity",
    }
)
"""What tunes an answer and does not change what it is, or is only for the vendor's accounts: passed over."""
_NOTHING: Mapping[str, Sequence[Any]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "modalities": (["text"],),
}
"""Values that ask for nothing but what every answer is."""


def known_arguments(
    given: Mapping[str, Any], *, honoured: Collection[str] = HONOURED, drop: bool = False
) -> dict[str, Any]:
    """Return a call's arguments by name, those that stand in `extra_body` among them; `None` means: not given.

    Args:
        given: the arguments.
        honoured: the names of those that the way of calling has a use for.
        drop: leave out what cannot be honoured, as the caller wished.

    Raises:
        InvalidRequest: there are arguments that cannot be honoured; the text names them.
    """
    arguments = {name: value for name, value in given.items() if name != "extra_body"}
    extra = given.get("extra_body")
    if extra is not None and not isinstance(extra, Mapping):
        raise InvalidRequest(f"The argument `extra_body` is a {type(extra).__name__}; names with values are expected.")
    arguments.update(extra or {})
    arguments = {name: value for name, value in arguments.items() if value is not None}
    refused = sorted(name for name, value in arguments.items() if name not in honoured and _is_asking(name, value))
    if refused and not drop:
        raise InvalidRequest(
            f"StackSpot's models take no {', '.join(f'`{name}`' for name in refused)}. Leave it out, or set "
            "`drop_params`."
        )
    if refused:
        log.info("dropped, as the caller wished: %s", ", ".join(refused))
    return {name: value for name, value in arguments.items() if name not in refused}


def _is_asking(name: str, value: Any) -> bool:
    """Tell whether an answer without an argument would not be what was asked for."""
    return name not in HARMLESS and value not in _NOTHING.get(name, ())


@dataclass(frozen=True)
class Conversation:
    """Whether the service keeps the history of a call, and of which conversation; the first call has no id yet."""

    is_kept: bool = False
    id: str | None = None


def model_of_call(model: Model, given: Mapping[str, Any]) -> tuple[Model, Conversation]:
    """Return the model as a call wants it, whose arguments win over the model's keys, and the call's conversation.

    Args:
        model: as configured.
        given: the call's arguments; others than `AGENT_ARGUMENTS` are not looked at.

    Raises:
        InvalidRequest: an argument cannot be used, or not with this model.
    """
    asked = checked_arguments({name: value for name, value in given.items() if name in AGENT_ARGUMENTS})
    changed = {name: getattr(asked, name) for name in AgentKeys.model_fields if getattr(asked, name) is not None}
    if asked.knowledge_source_ids is not None:
        changed["knowledge_source_ids"] = tuple(asked.knowledge_source_ids)
    if asked.agent_id and model.api == "chat" and not model.agent_id:
        changed["api"] = "agent"
    called = replace(model, **changed) if changed else model
    if asked.use_conversation is False and asked.conversation_id:
        raise InvalidRequest("The argument `conversation_id` goes on with a conversation: `use_conversation` is false.")
    _refuse_foreign(called, {name: getattr(asked, name) for name in CallKeys.model_fields})
    return called, Conversation(bool(asked.use_conversation or asked.conversation_id), asked.conversation_id)


_MISSING_IN: Mapping[str, tuple[str, frozenset[str]]] = {
    "agent": ("an agent", frozenset()),
    "chat": (
        "StackSpot's chat",
        frozenset(AgentKeys.model_fields) - {"agent_id", "knowledge_source_ids"},
    ),
    "quick-command": ("a quick command", AGENT_ARGUMENTS),
}
"""What serves a model, and what it does not have (docs/wire.md, "Chat API: request" and "Quick commands")."""


def _refuse_foreign(model: Model, asked: Mapping[str, Any]) -> None:
    """Refuse what is asked of an API that does not have it, by a call or by the model's keys.

    An agent that is everybody's is no wish of a model with a quick command of its own.
    """
    server, missing = _MISSING_IN[model.api]
    keys = {name: getattr(model, name) for name in AgentKeys.model_fields if name != "agent_id"}
    wishes = {**asked, **keys}
    refused = sorted(name for name in missing if wishes.get(name))
    if refused:
        raise InvalidRequest(
            f"The model `{model.name}` is served by {server}, which has no {', '.join(f'`{name}`' for name in refused)}"
            ". Leave it out, or take a model with an agent: one that has an `agent_id`."
        )
