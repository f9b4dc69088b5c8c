"""Pieces of tool calls as OpenAI-compatible servers stream them, to pieces with an index, an id and texts."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from aider_stackspot.api.answer import clean
from aider_stackspot.api.chunks import Chunk


class ToolCallPieces:
    """Gives every tool call of one choice an index of its own, whatever the server numbers them with."""

    def __init__(self) -> None:
        self._by_given: dict[int, int] = {}
        self._by_id: dict[str, int] = {}
        self._ids: list[str] = []
        self._arguments: list[str] = []

    def canonical(self, calls: Sequence[Any]) -> list[Chunk]:
        """Return pieces of tool calls with their indices, and with arguments that are texts."""
        return [self._one(call) for call in calls if isinstance(call, dict)]

    def _one(self, given: Mapping[str, Any]) -> Chunk:
        function = dict(given["function"]) if isinstance(given.get("function"), dict) else {}
        if "arguments" in function:
            function["arguments"] = _arguments(function["arguments"])
        identifier, name = given.get("id"), function.get("name")
        identifier = identifier if isinstance(identifier, str) and identifier else None
        index = self._index(given.get("index"), identifier, name if isinstance(name, str) and name else None)
        call = {**given, "index": index, "function": function}
        if index == len(self._ids):  # a new one
            identifier = identifier or f"call_{uuid.uuid4().hex[:24]}"
            self._ids.append(identifier)
            self._by_id[identifier] = index
            self._arguments.append("")
            call |= {"id": identifier, "type": given.get("type") or "function"}
            function.setdefault("arguments", "")
        elif not call.get("id"):
            call.pop("id", None)
        self._arguments[index] += function.get("arguments", "")
        return call

    def _index(self, given: object, identifier: str | None, name: str | None) -> int:
        """Return the index of the call that a piece belongs to; the number of calls for a new one."""
        new = len(self._ids)
        if identifier is not None and identifier in self._by_id:
            return self._by_id[identifier]
        if not isinstance(given, int) or isinstance(given, bool):
            return new if identifier is not None or name is not None or not new else new - 1
        known = self._by_given.get(given)
        goes_on = known is not None and identifier is None and not (name and _is_json(self._arguments[known]))
        if known is None or not goes_on:
            self._by_given[given] = known = new
        return known


def _arguments(given: object) -> str:
    if given is None:
        return ""
    return clean(given if isinstance(given, str) else json.dumps(given, ensure_ascii=False))


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
