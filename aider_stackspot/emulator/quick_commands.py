"""Remote quick commands: create an execution, then ask for its progress (docs/wire.md, "Quick commands")."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal, Protocol

from ulid import ULID

from aider_stackspot.emulator.chats import ChatSettings, scripted_answer
from aider_stackspot.emulator.exchange import Exchange
from aider_stackspot.emulator.responses import QUICK_COMMAND_FIELDS, json_reply, request_problem, unprocessable
from aider_stackspot.emulator.uploads import upload_refusal


def _ulid() -> str:
    return f"{ULID()}"


@dataclass(frozen=True)
class QuickCommand:
    """How quick commands go.

    Attributes:
        polls: Callbacks that still show no result.
        outcome: The last status; ``stuck`` stays in CREATED for ever.
        created_as: Shape of the answer to the creation: the bare string, or an object with that member.
        slugs: The commands that exist; None for any.
        new_id: Makes the id of an execution, which may be any text; a ULID unless said otherwise.
    """

    polls: int = 1
    outcome: Literal["COMPLETED", "FAILURE", "FAILED", "stuck"] = "COMPLETED"
    created_as: Literal["string", "id", "execution_id"] = "string"
    slugs: frozenset[str] | None = None
    new_id: Callable[[], str] = _ulid


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


class QuickCommandSettings(ChatSettings, Protocol):
    """What the endpoints of quick commands ask of the emulator.

    Attributes:
        quick_command: How quick commands go.
        executions: Those that were created, by id.
    """

    quick_command: QuickCommand
    executions: dict[str, Execution]


def create(settings: QuickCommandSettings, exchange: Exchange) -> None:
    """Start an execution and answer its id."""
    request, command = exchange.request, settings.quick_command
    body, slug = request.json, request.segments[3]
    if command.slugs is not None and slug not in command.slugs:
        exchange.reply(json_reply(404, {}))
        return
    if problem := request_problem(request, QUICK_COMMAND_FIELDS, required="input_data"):
        exchange.reply(unprocessable(problem))
        return
    if refusal := upload_refusal(settings.uploads, body.get("upload_ids") or []):
        exchange.reply(refusal)
        return
    if (answer := scripted_answer(settings, exchange)) is None:
        return
    exchange.pause(answer.style.first_delay)
    conversation = request.query.get("conversationId") or _ulid()
    tag = body.get("execution_tag")
    execution = Execution(command.new_id(), slug, conversation, tag, "".join(answer.deltas), _now())
    settings.executions[execution.id] = execution
    created = execution.id if command.created_as == "string" else {command.created_as: execution.id}
    exchange.reply(json_reply(200, created))


def callback(settings: QuickCommandSettings, exchange: Exchange) -> None:
    """Answer how far an execution is."""
    execution = settings.executions.get(exchange.request.segments[3])
    if execution is None:
        exchange.reply(json_reply(404, {}))
        return
    with execution.lock:
        polled = execution.polled
        execution.polled += 1
    exchange.reply(json_reply(200, _progress(execution, settings.quick_command, polled)))


def _progress(execution: Execution, command: QuickCommand, polled: int) -> dict[str, Any]:
    over = polled >= command.polls and command.outcome != "stuck"
    waiting = "CREATED" if polled == 0 or command.outcome == "stuck" else "RUNNING"
    status = command.outcome if over else waiting
    done = status == "COMPLETED"
    share = 0.0 if command.outcome == "stuck" else min(1.0, polled / max(1, command.polls))
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
