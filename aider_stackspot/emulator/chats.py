"""The two chat endpoints: ``/v1/agent/{id}/chat`` (docs/wire.md, "Agents API") and ``/v3/chat`` ("Chat API")."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple, Protocol

from ulid import ULID

from aider_stackspot.emulator import frames
from aider_stackspot.emulator.agents import (
    AgentDetails,
    Conversations,
    Knowledge,
    limit_refusal,
    option_refusal,
    quotations,
    sources_in_answer,
    used_knowledge,
)
from aider_stackspot.emulator.exchange import Exchange
from aider_stackspot.emulator.fault import Fault
from aider_stackspot.emulator.frames import Facts
from aider_stackspot.emulator.responses import (
    AGENT_FIELDS,
    CHAT_CONTEXT_FIELDS,
    CHAT_FIELDS,
    conversation_problem,
    json_reply,
    object_problem,
    request_problem,
    unprocessable,
)
from aider_stackspot.emulator.script import Answer, Model, Script
from aider_stackspot.emulator.style import Style
from aider_stackspot.emulator.uploads import Uploads, upload_refusal

_LINE: Final = "0123456789abcdef" * 5 + "\n"


class ChatSettings(Protocol):
    """What the chat endpoints ask of the emulator; each may change between two requests.

    Attributes:
        style: How streams are written.
        answer: What the scripted model says where no rule does.
        script: The rules.
        agents: Names of the agents that exist, by id; None lets any id be one.
        details: What single agents have, by id.
        input_limit: Tokens that a prompt may have where an agent has no limit of its own; None for no limit.
        knowledge: The knowledge sources that exist, by id; None lets any id be one.
        conversations: What was said in those that are kept.
        uploads: The files that a call may name.
    """

    style: Style
    answer: Answer | Model
    script: Script
    agents: Mapping[str, str] | None
    details: dict[str, AgentDetails]
    input_limit: int | None
    knowledge: dict[str, Knowledge] | None
    conversations: Conversations
    uploads: Uploads


class ScriptedAnswer(NamedTuple):
    """What the scripted model says to a request, and how."""

    deltas: Iterable[str]
    style: Style


def agent(settings: ChatSettings, exchange: Exchange) -> None:
    """Answer a call of the Agents API, streaming or not."""
    body = exchange.request.json
    agent_id = exchange.request.segments[2]
    if settings.agents is not None and agent_id not in settings.agents:
        exchange.reply(json_reply(404, {}))
        return
    if problem := request_problem(exchange.request, AGENT_FIELDS, required="user_prompt"):
        exchange.reply(unprocessable(problem))
        return
    details = settings.details.get(agent_id)
    limit = settings.input_limit if details is None or details.input_limit is None else details.input_limit
    refusal = option_refusal(body, details, settings.knowledge) or limit_refusal(body["user_prompt"], limit)
    if refusal is not None:
        exchange.reply(refusal)
        return
    if refusal := upload_refusal(settings.uploads, body.get("upload_ids") or []):
        exchange.reply(refusal)
        return
    conversation = _conversation(body)
    if (answer := _answer_in(settings, exchange, conversation)) is None:
        return
    deltas, style = answer
    used = used_knowledge(body, details, settings.knowledge)
    if settings.knowledge is not None:
        deltas = itertools.chain(deltas, quotations(used))
    facts = Facts(
        input_tokens=_tokens_in(body["user_prompt"]),
        message_id=f"{ULID()}",
        conversation_id=conversation,
        sources=sources_in_answer(used) if body.get("return_ks_in_response") else {},
    )
    exchange.pause(style.first_delay)
    if body.get("streaming") and not style.json_body:
        exchange.stream(frames.agent_frames(deltas, style, facts), style)
        return
    said = list(deltas)
    exchange.pause(style.delay * len(said))
    exchange.reply(json_reply(200, frames.agent_answer("".join(said), style, facts, len(said))))


def chat(settings: ChatSettings, exchange: Exchange) -> None:
    """Answer a call of ``/v3/chat``, which always streams."""
    body = exchange.request.json
    problem = request_problem(exchange.request, CHAT_FIELDS, required="user_prompt")
    context = {} if problem else body.get("context", {})
    if problem := problem or object_problem(context, CHAT_CONTEXT_FIELDS):
        exchange.reply(unprocessable(problem))
        return
    if refusal := conversation_problem(context) or limit_refusal(body["user_prompt"], settings.input_limit):
        exchange.reply(refusal)
        return
    if refusal := upload_refusal(settings.uploads, context.get("upload_ids") or []):
        exchange.reply(refusal)
        return
    if (answer := _answer_in(settings, exchange, context["conversation_id"])) is None:
        return
    deltas, style = answer
    exchange.pause(style.first_delay)
    if style.json_body:
        exchange.reply(json_reply(200, {"answer": "".join(deltas)}))
        return
    facts = Facts(_tokens_in(body["user_prompt"]), message_id="", conversation_id=None)
    exchange.stream(frames.chat_frames(deltas, style, facts), style)


def _conversation(body: Mapping[str, Any]) -> str | None:
    """The id of the conversation that is to be kept; the first call of one may leave it to the service."""
    return (body.get("conversation_id") or f"{ULID()}") if body.get("use_conversation") else None


def _answer_in(settings: ChatSettings, exchange: Exchange, conversation: str | None) -> ScriptedAnswer | None:
    """The answer to a request's prompt, and to all that was said before in its conversation."""
    if conversation is None:
        return scripted_answer(settings, exchange)
    prompt = exchange.request.prompt
    answer = scripted_answer(settings, exchange, "\n".join([*settings.conversations.before(conversation), prompt]))
    if answer is None:
        return None
    return ScriptedAnswer(settings.conversations.remember(conversation, prompt, answer.deltas), answer.style)


def scripted_answer(settings: ChatSettings, exchange: Exchange, prompt: str | None = None) -> ScriptedAnswer | None:
    """The answer to a request's prompt; None when the fault of the rule that fits it has answered the request.

    Args:
        settings: The emulator's.
        exchange: The request.
        prompt: What is answered, where that is more than the request's own prompt.
    """
    prompt = exchange.request.prompt if prompt is None else prompt
    rule = settings.script.rule_for(prompt)
    style = (rule and rule.style) or settings.style
    if rule and rule.fault and not exchange.fault.name:
        exchange.set_fault(rule.fault)
        if exchange.meet_fault():
            return None
    fault = exchange.fault
    style = replace(style, empties=style.empties + fault.empties, junk=style.junk or fault.junk)
    answer = settings.answer if rule is None or rule.answer is None else rule.answer
    if callable(answer):
        answer = answer(prompt)
    deltas = frames.words(answer) if isinstance(answer, str) else answer
    return ScriptedAnswer(_inflated(fault) or deltas, style)


def _tokens_in(prompt: str) -> int:
    return max(1, len(prompt) // 4)


def _inflated(fault: Fault) -> Iterable[str] | None:
    """The huge text that a fault says instead of the answer."""
    if fault.event_bytes is not None:
        return ["x" * fault.event_bytes]
    return None if fault.answer_bytes is None else _lines(fault.answer_bytes)


def _lines(size: int) -> Iterator[str]:
    for _ in range(size // len(_LINE)):
        yield _LINE
    if rest := size % len(_LINE):
        yield _LINE[-rest:]
