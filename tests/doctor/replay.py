"""Puts a recorded transcript through the translators, as if the service had just answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aider_stackspot.api import quick_command
from aider_stackspot.api.agent import AgentAnswer
from aider_stackspot.api.answer import AnswerParser, Finish
from aider_stackspot.api.chat import ChatAnswer
from aider_stackspot.api.error_response import from_response
from aider_stackspot.api.sse import EventStream
from aider_stackspot.api.stackspot_service import STACKSPOT
from aider_stackspot.doctor.transcript import FORMAT, body_bytes
from aider_stackspot.errors import ConfigurationError, StackSpotError

_PIECE = 61
"""Bytes of a piece: events are cut at odd places on purpose."""


@dataclass(frozen=True)
class Replayed:
    """What the translators made of one exchange: a text's length and its end, or an error."""

    call: str
    length: int = 0
    finish: Finish | None = None
    error: StackSpotError | None = None


def replay(transcript: dict[str, Any]) -> list[Replayed]:
    """Replay every exchange.

    Raises:
        ConfigurationError: the file has another format.
    """
    if transcript.get("format") != FORMAT:
        raise ConfigurationError(f"This transcript has the format {transcript.get('format')!r}, not {FORMAT}.")
    return [_one(exchange) for exchange in transcript["exchanges"]]


def _one(exchange: dict[str, Any]) -> Replayed:
    call, status, body = exchange["call"], exchange["status"], body_bytes(exchange["body"])
    text = body.decode()
    if status != 200:
        return Replayed(call, error=from_response(status, text, service=STACKSPOT))
    try:
        if call in ("agent", "chat"):
            return _answer(call, AgentAnswer() if call == "agent" else ChatAnswer(), exchange, body)
        if call == "quick-command":
            return Replayed(call, length=len(quick_command.execution_id(text)))
        if call == "quick-command-callback":
            progress = quick_command.progress(text, "recorded")
            done = Finish(reason="stop") if progress.is_done else None
            return Replayed(call, length=len(progress.text or ""), finish=done)
    except StackSpotError as error:
        return Replayed(call, error=error)
    return Replayed(call, length=len(text))


def _answer(call: str, parser: AnswerParser[str], exchange: dict[str, Any], body: bytes) -> Replayed:
    if "lines" not in exchange["body"]:
        length = len(parser.whole(body.decode()))
        return Replayed(call, length, parser.finish)
    events = EventStream()
    found = [event for at in range(0, len(body), _PIECE) for event in events.feed(body[at : at + _PIECE])]
    length = sum(len(parser.feed(event)) for event in [*found, *events.finish()])
    return Replayed(call, length, parser.finish)
