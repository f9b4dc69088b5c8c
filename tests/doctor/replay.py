"""Puts a recorded transcript through the translators, as if the service had just answered."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from aider_stackspot.api import quick_command
from aider_stackspot.api.agent import AgentAnswer
from aider_stackspot.api.answer import AnswerParser, Finish
from aider_stackspot.api.chat import ChatAnswer
from aider_stackspot.api.error_response import from_response
from aider_stackspot.api.sse import EventStream
from aider_stackspot.api.stackspot_service import STACKSPOT
from aider_stackspot.doctor.record import FORMAT, Shape
from aider_stackspot.errors import ConfigurationError, StackSpotError

_BOM = "\ufeff"
_LENGTH = re.compile(r"<(\d+)>")
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
    length = sum(len(parser.feed(event)) for event in [*found, *events.finish()]) + len(parser.end_of_body())
    return Replayed(call, length, parser.finish)


def body_bytes(recorded: Shape) -> bytes:
    """Return a body of a recorded shape."""
    if "lines" in recorded:
        mark = _BOM if recorded.get("bom") else ""
        return (mark + "".join(_filled_line(line) for line in recorded["lines"])).encode()
    if "json" in recorded:
        return json.dumps(filled(recorded["json"])).encode()
    return b"<" if recorded["html"] else b"x" * recorded["bytes"]


def filled(value: Shape) -> Any:
    """Return JSON data of the same shape, with a text of the same length in each place."""
    if isinstance(value, dict):
        return {key: filled(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner) for inner in value]
    found = _LENGTH.fullmatch(value) if isinstance(value, str) else None
    return "x" * int(found[1]) if found else value


def _filled_line(line: Shape) -> str:
    end = line["end"]
    if "blank" in line:
        return str(end)
    if "comment" in line:
        return f":{'x' * line['comment']}{end}"
    if "unknown" in line:
        return f"{'x' * line['unknown']}{end}"
    indent = 1 if line.get("spread") else None
    value = json.dumps(filled(line["json"]), indent=indent) if "json" in line else str(filled(line["text"]))
    return "".join(f"{line['field']}:{' ' if line['space'] else ''}{part}{end}" for part in value.split("\n"))
