"""The list of an account's agents, and what is told of one (docs/wire.md, "Lists of agents")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aider_stackspot.api.answer import clean

PAGE_SIZE = 100
PAGES: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("/v4/agents", {"size": str(PAGE_SIZE)}),
    ("/v1/agents", {"visibility": "personal"}),
    ("/v3/agents", {}),
)
"""Where a list may be, the newest first, each with its query; only the first has pages."""
_LISTS = ("items", "content", "data", "agents")
_PLANNERS = ("planner", "planner_type", "mode")
MAX_CHARACTERS = 200
"""Of a name."""


@dataclass(frozen=True)
class Agent:
    """One agent of the account; what was not told is empty.

    Attributes:
        id: what a call names it by.
        name: what the portal calls it.
        model: its language model.
        knowledge_sources: the ids, or names, of its own.
        planner: how it goes about a task.
    """

    id: str
    name: str
    model: str = ""
    knowledge_sources: tuple[str, ...] = ()
    planner: str = ""


def path_of(agent_id: str) -> str:
    """Return the path of one agent's record."""
    return f"/v1/agents/{agent_id}"


def agents_in(value: object) -> list[Agent]:
    """Read an array, or an object that holds one; the field's name was seen for a sibling only."""
    if isinstance(value, dict):
        value = next((value[key] for key in _LISTS if key in value), [])
    found = (agent_in(item) for item in (value if isinstance(value, list) else ()))
    return [agent for agent in found if agent is not None]


def agent_in(value: object) -> Agent | None:
    """Read one agent's record; `None` where it has no id."""
    if not isinstance(value, dict) or not isinstance(value.get("id"), str) or not value["id"].strip():
        return None
    return Agent(
        _text(value["id"]),
        _text(value.get("name")) or _text(value.get("slug")) or "unnamed",
        _text(value.get("model_name")),
        tuple(_knowledge_sources(value)),
        next(filter(None, (_text(value.get(key)) for key in _PLANNERS)), ""),
    )


def _knowledge_sources(record: Mapping[str, Any]) -> list[str]:
    config = record.get("knowledge_sources_config")
    given = config.get("knowledge_sources") if isinstance(config, dict) else record.get("knowledge_sources")
    items = given if isinstance(given, list) else []
    return [text for text in map(_name_of, items) if text]


def _name_of(item: object) -> str:
    if isinstance(item, dict):
        return next(filter(None, (_text(item.get(key)) for key in ("id", "slug", "name"))), "")
    return _text(item)


def _text(value: object) -> str:
    """Return a text as it can be shown: on one line, and not too long."""
    if not isinstance(value, str):
        return ""
    return "".join(char for char in clean(value.strip()) if char.isprintable())[:MAX_CHARACTERS]
