"""The knowledge sources that an answer names (docs/wire.md, "Agents API: whole answer").

Clients saw texts and objects in the same fields; either is read, in every event.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from aider_stackspot.api.answer import KnowledgeSource, clean

_FIELDS = ("source", "cross_account_source", "knowledge_source_id")
"""Those that say most come first."""
_SCORES = ("document_score", "score")
MAX_SOURCES = 200
"""Of one answer; more are nothing that anybody reads."""
MAX_CHARACTERS = 500
"""Of an id or a name."""


class KnowledgeSources:
    """Collects the sources of one answer, each once and with its best score."""

    def __init__(self) -> None:
        self._by_key: dict[str, KnowledgeSource] = {}

    @property
    def found(self) -> tuple[KnowledgeSource, ...]:
        """The sources so far, in the order in which they came."""
        return tuple(self._by_key.values())

    def add(self, frame: Mapping[str, Any]) -> None:
        """Take what an event, or a whole answer, names."""
        for field in _FIELDS:
            entries = frame.get(field)
            for entry in entries if isinstance(entries, list) else ():
                source = _from_object(entry) if isinstance(entry, dict) else _from_text(entry, field)
                if source is not None:
                    self._take(source)

    def _take(self, source: KnowledgeSource) -> None:
        key = source.id or source.name or ""
        known = self._by_key.get(key)
        if known is None:
            if len(self._by_key) < MAX_SOURCES:
                self._by_key[key] = source
            return
        scores = [one.score for one in (known, source) if one.score is not None]
        self._by_key[key] = KnowledgeSource(known.id or source.id, known.name or source.name, max(scores, default=None))


def _from_text(entry: object, field: str) -> KnowledgeSource | None:
    text = _text(entry)
    if text is None:
        return None
    return KnowledgeSource(id=text) if field == "knowledge_source_id" else KnowledgeSource(name=text)


def _from_object(entry: Mapping[str, Any]) -> KnowledgeSource | None:
    own_id = _text(entry.get("id")) or _text(entry.get("knowledge_source_id")) or _text(entry.get("document_id"))
    name = _text(entry.get("name")) or _text(entry.get("slug"))
    if own_id is None and name is None:
        return None
    return KnowledgeSource(
        own_id, name, next((score for key in _SCORES if (score := _number(entry.get(key))) is not None), None)
    )


def _text(value: object) -> str | None:
    return clean(value.strip())[:MAX_CHARACTERS] if isinstance(value, str) and value.strip() else None


def _number(value: object) -> float | None:
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    return number if math.isfinite(number) else None
