"""Canonical chunks of an OpenAI-style stream, and several of them as one where they only go on with a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
