"""The two chat endpoints: ``/v1/agent/{id}/chat`` (docs/wire.md, "Agents API") and ``/v3/chat`` (docs/wire.md, "Chat API")."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from aider_stackspot.emulator import frames
from aider_stackspot.emulator.bodies import api_error, reply
from aider_stackspot.emulator.exchange import Exchange
from aider_stackspot.emulator.fault import Fault
from aider_stackspot.emulator.frames import Facts
from aider_stackspot.emulator.guard import begin, refuse
from aider_stackspot.emulator.schema import AGENT_FIELDS, CHAT_FIELDS, CONTEXT_FIELDS, ULID, problem, wrong_request
from aider_stackspot.emulator.style import Style

if TYPE_CHECKING:
    from aider_stackspot.emulator.emulator import Emulator

_LINE: Final = "0123456789abcdef" * 5 + "\n"


def agent(emulator: Emulator, exchange: Exchange) -> None:
    """Answer a call of the Agents API, streaming or not."""
    body = exchange.request.json
    agent_id = exchange.request.segments[2]
    if emulator.agents is not None and agent_id not in emulator.agents:
        exchange.reply(reply(404, {}))
        return
    if wrong := wrong_request(exchange.request, AGENT_FIELDS, ("user_prompt",)):
        refuse(exchange, 422, wrong)
        return
    if (planned := plan(emulator, exchange)) is None:
        return
    style, deltas = planned
    conversation = body.get("conversation_id") or emulator.new_id()
    facts = Facts(
        input_tokens=max(1, len(body["user_prompt"]) // 4),
        message_id=emulator.new_id(),
        conversation_id=conversation if body.get("use_conversation") else None,
    )
    exchange.pause(style.first_delay)
    if body.get("streaming") and not style.json_body:
        exchange.stream(frames.agent_frames(deltas, style, facts), style)
        return
    said = list(deltas)
    exchange.pause(style.delay * len(said))
    exchange.reply(reply(200, frames.agent_answer("".join(said), style, facts, len(said))))


def chat(emulator: Emulator, exchange: Exchange) -> None:
    """Answer a call of ``/v3/chat``, which always streams."""
    body = exchange.request.json
    wrong = wrong_request(exchange.request, CHAT_FIELDS, ("user_prompt",))
    context = {} if wrong else body.get("context", {})
    if wrong := wrong or problem(context, CONTEXT_FIELDS, ()):
        refuse(exchange, 422, wrong)
        return
    if not ULID.fullmatch(context.get("conversation_id", "")):
        details = "context.conversation_id is not a ULID."
        exchange.reply(api_error(400, "BadRequestError", "CODEBUDDY_1001_INVALID_CONVERSATION_ID", details))
        return
    if (planned := plan(emulator, exchange)) is None:
        return
    style, deltas = planned
    exchange.pause(style.first_delay)
    if style.json_body:
        exchange.reply(reply(200, {"answer": "".join(deltas)}))
    else:
        exchange.stream(frames.chat_frames(deltas, style), style)


def plan(emulator: Emulator, exchange: Exchange) -> tuple[Style, Iterable[str]] | None:
    """The style and the deltas for a request's prompt; None when the script's fault has answered it."""
    prompt = exchange.request.prompt
    rule = emulator.script.rule_for(prompt)
    style = (rule and rule.style) or emulator.style
    if rule and rule.fault and not exchange.fault.name:
        exchange.set_fault(rule.fault)
        if begin(exchange):
            return None
    fault = exchange.fault
    style = replace(style, empties=style.empties + fault.empties, junk=style.junk or fault.junk)
    answer = emulator.answer if rule is None or rule.answer is None else rule.answer
    if callable(answer):
        answer = answer(prompt)
    deltas = frames.pieces(answer) if isinstance(answer, str) else answer
    return style, _inflated(fault) or deltas


def _inflated(fault: Fault) -> Iterable[str] | None:
    if fault.event_bytes is not None:
        return ["x" * fault.event_bytes]
    return None if fault.answer_bytes is None else _lines(fault.answer_bytes)


def _lines(size: int) -> Iterator[str]:
    for _ in range(size // len(_LINE)):
        yield _LINE
    if rest := size % len(_LINE):
        yield _LINE[-rest:]
