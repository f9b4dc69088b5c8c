"""Remote quick commands: create an execution, then ask for its progress (docs/wire.md, "Quick commands")."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal

from aider_stackspot.emulator.bodies import reply
from aider_stackspot.emulator.chats import plan
from aider_stackspot.emulator.exchange import Exchange
from aider_stackspot.emulator.guard import refuse
from aider_stackspot.emulator.schema import QUICK_COMMAND_FIELDS, wrong_request

if TYPE_CHECKING:
    from aider_stackspot.emulator.emulator import Emulator


@dataclass(frozen=True)
class QuickCommand:
    """How quick commands go.

    Attributes:
        polls: Callbacks that still show no result.
        outcome: The last status; ``stuck`` stays in CREATED for ever.
        created_as: Shape of the answer to the creation: the bare string, or an object with that member.
        slugs: The commands that exist; None for any.
    """

    polls: int = 1
    outcome: Literal["COMPLETED", "FAILURE", "FAILED", "stuck"] = "COMPLETED"
    created_as: Literal["string", "id", "execution_id"] = "string"
    slugs: frozenset[str] | None = None


@dataclass
class Execution:
    """One execution on its way."""

    id: str
    slug: str
    conversation_id: str
    tag: str | None
    result: str
    start: str
    polled: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


def create(emulator: Emulator, exchange: Exchange) -> None:
    """Start an execution and answer its id."""
    request, settings = exchange.request, emulator.quick_command
    body, slug = request.json, request.segments[3]
    if settings.slugs is not None and slug not in settings.slugs:
        exchange.reply(reply(404, {}))
        return
    if wrong := wrong_request(request, QUICK_COMMAND_FIELDS, ("input_data",)):
        refuse(exchange, 422, wrong)
        return
    if (planned := plan(emulator, exchange)) is None:
        return
    style, deltas = planned
    exchange.pause(style.first_delay)
    conversation = request.query.get("conversationId") or emulator.new_id()
    tag = body.get("execution_tag")
    execution = Execution(emulator.new_id(), slug, conversation, tag, "".join(deltas), _now())
    emulator.executions[execution.id] = execution
    created = execution.id if settings.created_as == "string" else {settings.created_as: execution.id}
    exchange.reply(reply(200, created))


def callback(emulator: Emulator, exchange: Exchange) -> None:
    """Answer how far an execution is."""
    execution = emulator.executions.get(exchange.request.segments[3])
    if execution is None:
        exchange.reply(reply(404, {}))
        return
    with execution.lock:
        polled = execution.polled
        execution.polled += 1
    exchange.reply(reply(200, _progress(execution, emulator.quick_command, polled)))


def _progress(execution: Execution, settings: QuickCommand, polled: int) -> dict[str, Any]:
    over = polled >= settings.polls and settings.outcome != "stuck"
    waiting = "CREATED" if polled == 0 or settings.outcome == "stuck" else "RUNNING"
    status = settings.outcome if over else waiting
    done = status == "COMPLETED"
    share = 0.0 if settings.outcome == "stuck" else min(1.0, polled / max(1, settings.polls))
    step = {"answer": execution.result, "sources": []}
    tag = {} if execution.tag is None else {"execution_tag": execution.tag}
    return {
        "execution_id": execution.id,
        "quick_command_slug": execution.slug,
        "conversation_id": execution.conversation_id,
        **tag,
        "progress": {
            "start": execution.start,
            "end": _now() if over else None,
            "duration": polled,
            "execution_percentage": 1.0 if done else share,
            "status": status,
        },
        "steps": [{"step_name": "ask", "execution_order": 0, "type": "LLM", "step_result": step}] if done else [],
        "result": execution.result if done else None,
    }


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
