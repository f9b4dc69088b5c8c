"""Canonical chunks of an OpenAI-style stream, and several of them as one where they only go on with a text."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from aider_stackspot.api.answer import clean
from aider_stackspot.api.sse import is_json

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


def whole_of(chunks: Sequence[Chunk]) -> Chunk:
    """Return the completion that whoever asked for no stream gets: the document, or what a stream's chunks make."""
    if len(chunks) == 1 and not any("delta" in choice for choice in chunks[0].get("choices", ())):
        return chunks[0]
    document: Chunk = {}
    choices: dict[int, Chunk] = {}
    for chunk in chunks:
        document.update({key: value for key, value in chunk.items() if key != "choices"})
        for said in chunk["choices"]:
            choice = choices.setdefault(said["index"], {"index": said["index"]})
            _add(choice, {key: value for key, value in said.items() if key not in ("index", "delta")})
            if "delta" in said:
                _add_delta(choice.setdefault("message", {"role": "assistant", "content": None}), said["delta"])
    is_chat = any("message" in choice for choice in choices.values())
    document["object"] = "chat.completion" if is_chat else "text_completion"
    empty = {} if is_chat else {"text": ""}
    return {**document, "choices": [{**empty, **_joined(choices[index])} for index in sorted(choices)]}


class _Pieces(list[str]):
    """The pieces of a text; adding to a text itself would copy all of it for each of them."""


def _add_delta(message: Chunk, delta: Chunk) -> None:
    for call in delta.get("tool_calls", ()):
        calls = message.setdefault("tool_calls", [])
        if call["index"] == len(calls):
            calls.append({})
        _add(calls[call["index"]], {key: value for key, value in call.items() if key != "index"})
    _add(message, {key: value for key, value in delta.items() if key != "tool_calls"})


def _add(whole: Chunk, piece: Chunk) -> None:
    """Add the pieces of texts and lists to what there is already; of anything else the last counts."""
    for key, value in piece.items():
        known = whole.get(key)
        if isinstance(value, str) and key not in _SAID_ONCE:
            whole[key] = known if isinstance(known, _Pieces) else _Pieces()
            whole[key].append(value)
        elif isinstance(value, dict):
            whole[key] = known if isinstance(known, dict) else {}
            _add(whole[key], value)
        elif isinstance(value, list) and isinstance(known, list):
            known.extend(value)
        else:
            whole[key] = [*value] if isinstance(value, list) else value


def _joined(value: Any) -> Any:
    if isinstance(value, _Pieces):
        return "".join(value)
    if isinstance(value, dict):
        return {key: _joined(inner) for key, inner in value.items()}
    return [_joined(inner) for inner in value] if isinstance(value, list) else value


_SAID_ONCE = ("role", "id", "type", "name", "finish_reason")


class ToolCallPieces:
    """Gives every tool call of one choice an index of its own, whatever the server numbers them with."""

    def __init__(self) -> None:
        self._by_given: dict[int, int] = {}
        self._by_id: dict[str, int] = {}
        self._ids: list[str] = []
        self._arguments: list[list[str]] = []

    def canonical(self, calls: Sequence[Any]) -> list[Chunk]:
        """Return pieces of tool calls with their indices, and with arguments that are texts."""
        return [self._one(call) for call in calls if isinstance(call, dict)]

    def _one(self, given: Mapping[str, Any]) -> Chunk:
        flat = {key: given[key] for key in ("name", "arguments") if key in given}
        function = dict(given["function"]) if isinstance(given.get("function"), dict) else flat
        if "arguments" in function:
            function["arguments"] = _arguments(function["arguments"])
        identifier, name = given.get("id"), function.get("name")
        identifier = identifier if isinstance(identifier, str) and identifier else None
        index = self._index(_whole_number(given.get("index")), identifier, name if isinstance(name, str) else None)
        call = {**given, "index": index, "function": function}
        if index == len(self._ids):  # a new one
            if identifier is None or identifier in self._by_id:
                identifier = f"call_{uuid.uuid4().hex[:24]}"
            self._ids.append(identifier)
            self._by_id[identifier] = index
            self._arguments.append([])
            call |= {"id": identifier, "type": given.get("type") or "function"}
            function.setdefault("arguments", "")
        elif call.get("id") != self._ids[index]:
            call.pop("id", None)  # a call keeps the id that it began with
        self._arguments[index].append(function.get("arguments", ""))
        return call

    def _index(self, given: int | None, identifier: str | None, name: str | None) -> int:
        """Return the index of the call that a piece belongs to; the number of calls for a new one.

        Only a piece with a name can begin another call where its number or its id is known already.
        """
        new = len(self._ids)
        known = self._by_id.get(identifier) if identifier is not None else None
        if known is not None:
            return new if name and given is not None and self._is_another(given, known) else known
        if given is None:
            return new if identifier is not None or name or not new else new - 1
        known = self._by_given.get(given)
        if known is None or (name and (identifier is not None or is_json("".join(self._arguments[known])))):
            self._by_given[given] = known = new
        return known

    def _is_another(self, given: int, known: int) -> bool:
        """Tell whether a piece with a name, and with the id of a whole call, has another number than that call."""
        if given in self._by_given or not is_json("".join(self._arguments[known])):
            return False
        self._by_given[given] = len(self._ids)
        return True


def _whole_number(given: object) -> int | None:
    if isinstance(given, str) and given.strip().isdecimal():
        return int(given)
    if isinstance(given, float) and given.is_integer():
        return int(given)
    return given if isinstance(given, int) and not isinstance(given, bool) else None


def _arguments(given: object) -> str:
    if given is None:
        return ""
    return clean(given if isinstance(given, str) else json.dumps(given, ensure_ascii=False))
