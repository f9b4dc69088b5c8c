"""Canonical chunks of an OpenAI-style stream, and several of them as one where they only go on with a text."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from aider_stackspot.api.answer import clean

Chunk = dict[str, Any]

_TEXTS = ("content", "reasoning_content", "reasoning", "text")
"""Fields of a delta (`text`: of a text completion's choice) whose pieces can be joined."""


def merge(pieces: Sequence[list[Chunk]]) -> list[Chunk]:
    """Return the chunks of several pieces, those that only go on with a text joined to one."""
    merged: list[Chunk] = []
    texts: list[str] = []
    open_field: str | None = None
    for chunk in (chunk for piece in pieces for chunk in piece):
        field = _only_text(chunk)
        if field is not None and field == open_field and _same_envelope(merged[-1], chunk):
            texts.append(_text_holder(chunk, field)[field])
            continue
        _close(merged, open_field, texts)
        merged.append(chunk)
        open_field = field or _ends_with_text(chunk)
        texts = [_text_holder(chunk, open_field)[open_field]] if open_field is not None else []
    _close(merged, open_field, texts)
    return merged


def _only_text(chunk: Chunk) -> str | None:
    """Return the field, if all that a chunk says is a piece of one text."""
    choices = chunk["choices"]
    if len(choices) != 1 or len(choices[0]) != 2:
        return None
    holder = choices[0].get("delta", choices[0])
    fields = [key for key in holder if key != "index"]
    return fields[0] if len(fields) == 1 and fields[0] in _TEXTS and isinstance(holder[fields[0]], str) else None


def _ends_with_text(chunk: Chunk) -> str | None:
    """Return the field that the next chunk may go on with: the first chunk says the role besides."""
    choices = chunk["choices"]
    if len(choices) != 1 or len(choices[0]) != 2 or set(choices[0].get("delta", ())) - {"role", *_TEXTS}:
        return None
    fields = [key for key in choices[0].get("delta", ()) if key != "role"]
    return fields[0] if len(fields) == 1 and isinstance(choices[0]["delta"][fields[0]], str) else None


def _text_holder(chunk: Chunk, field: str) -> Chunk:
    choice: Chunk = chunk["choices"][0]
    holder: Chunk = choice if field == "text" and "text" in choice else choice["delta"]
    return holder


def _same_envelope(first: Chunk, second: Chunk) -> bool:
    """Tell whether two chunks differ in nothing but their choice's text; when they were made does not matter."""
    if first["choices"][0]["index"] != second["choices"][0]["index"]:
        return False
    names = first.keys() | second.keys()
    return all(first.get(name) == second.get(name) for name in names if name not in ("choices", "created"))


def _close(merged: list[Chunk], field: str | None, texts: list[str]) -> None:
    if field is not None and len(texts) > 1:
        choice = merged[-1]["choices"][0]
        text = "".join(texts)
        changed = (
            {**choice, "text": text} if "text" in choice else {**choice, "delta": {**choice["delta"], field: text}}
        )
        merged[-1] = {**merged[-1], "choices": [changed]}


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
