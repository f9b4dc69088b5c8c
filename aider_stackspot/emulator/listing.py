"""The listing of agents, as far as anything is known about it (docs/wire.md, "Lists of agents")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aider_stackspot.emulator.bodies import reply
from aider_stackspot.emulator.exchange import Exchange

if TYPE_CHECKING:
    from aider_stackspot.emulator.emulator import Emulator

_SAMPLE = {"01GGGGGGGGGGGGGGGGGGGGGGGG": "my agent"}


def agents(emulator: Emulator, exchange: Exchange) -> None:
    """Answer an array on v1, an object with ``items`` on v3 and v4."""
    known = _SAMPLE if emulator.agents is None else emulator.agents
    items = [{"id": id_, "name": name, "model_name": "gpt-4.1"} for id_, name in known.items()]
    if exchange.request.segments[0] == "v1":
        exchange.reply(reply(200, items))
        return
    query = exchange.request.query
    page, size = _number(query.get("page"), 1), _number(query.get("size"), 100)
    exchange.reply(reply(200, {"items": items[(page - 1) * size : page * size], "page": page}))


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and int(text) > 0 else default
