"""An exchange with StackSpot without what was said: every text is replaced by its length, every id with it.

What stays is what the translators depend on: status, names of headers, framing, names of keys, numbers, and the few
words that have a meaning of their own. So a transcript may be published, and still be replayed.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

FORMAT = 1

_WORDS = {"stop_reason", "finish_reason", "status", "type", "code", "object"}
"""Keys whose values are words of the protocol."""
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,59}")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_IDENTIFIER = re.compile(r"[0-9A-Za-z]{26}|[0-9a-fA-F-]{32,36}")
_TEXT = re.compile(r"<(\d+)>")
_EVENT_NAME = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}")
_BOM = "\ufeff"
_MAX_FILLED = 16 * 1024 * 1024

Shape = Any


def shape(value: Any, key: str = "") -> Shape:
    """Return JSON data with every text as its length in characters: `<12>`."""
    if isinstance(value, dict):
        return {_key(name): shape(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    if isinstance(value, str):
        is_word = key in _WORDS and _WORD.fullmatch(value) and not _IDENTIFIER.fullmatch(value)
        return value if is_word else f"<{len(value)}>"
    return value


def filled(value: Shape) -> Any:
    """Return JSON data of the same shape, with a text of the same length in each place."""
    if isinstance(value, dict):
        return {key: filled(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner) for inner in value]
    found = _TEXT.fullmatch(value) if isinstance(value, str) else None
    return "x" * min(int(found[1]), _MAX_FILLED) if found else value


def body_shape(body: bytes, content_type: str) -> Shape:
    """Return the shape of a body: of each line of an event stream, of one JSON document, or just its size."""
    text = body.decode("utf-8", errors="replace")
    if "event-stream" in content_type:
        mark = {"bom": True} if text.startswith(_BOM) else {}
        raw = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text.removeprefix(_BOM))
        return {**mark, "lines": [line for group in _groups(raw) for line in _group(group)]}
    try:
        return {"json": shape(json.loads(text))}
    except (ValueError, RecursionError):
        return {"bytes": len(body), "html": text.lstrip()[:1] == "<"}


def body_bytes(recorded: Shape) -> bytes:
    """Return a body of a recorded shape."""
    if "lines" in recorded:
        mark = _BOM if recorded.get("bom") else ""
        return (mark + "".join(_filled_line(line) for line in recorded["lines"])).encode()
    if "json" in recorded:
        return json.dumps(filled(recorded["json"])).encode()
    return b"<" if recorded["html"] else b"x" * recorded["bytes"]


def _groups(lines: list[str]) -> Iterator[list[str]]:
    """Yield lines one by one, and `data` lines that follow one another together: their values are one text."""
    for is_data, group in itertools.groupby(lines, key=lambda line: line.startswith("data")):
        members = list(group)
        yield from [members] if is_data else [[line] for line in members]


def _group(lines: list[str]) -> list[Shape]:
    shapes = [_line(line) for line in lines]
    if len(lines) > 1 and not all("json" in each for each in shapes):
        joined = "\n".join(line.partition(":")[2].strip() for line in lines)
        try:
            whole = shape(json.loads(joined))
        except (ValueError, RecursionError):
            return shapes
        return [{**{key: shapes[0][key] for key in ("field", "space", "end")}, "json": whole, "spread": True}]
    return shapes


def _line(raw: str) -> Shape:
    text = raw.rstrip("\r\n")
    end = {"end": raw[len(text) :]}
    if not text:
        return {"blank": True, **end}
    if text.startswith(":"):
        return {"comment": len(text) - 1, **end}
    field, colon, value = text.partition(":")
    if field not in ("data", "event", "id", "retry"):
        return {"unknown": len(text), **end}
    space = colon and value.startswith(" ")
    value = value[1:] if space else value
    return {"field": field, "space": bool(space), **_field_shape(field, value), **end}


def _field_shape(field: str, value: str) -> dict[str, Shape]:
    if field == "data":
        try:
            return {"json": shape(json.loads(value))}
        except (ValueError, RecursionError):
            return {"text": value if value in ("", "[DONE]") else f"<{len(value)}>"}
    is_plain = (field == "event" and _EVENT_NAME.fullmatch(value)) or (field == "retry" and value.isdecimal())
    return {"text": value if is_plain or not value else f"<{len(value)}>"}


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


def _key(name: str) -> str:
    return name if _KEY.fullmatch(name) and not _IDENTIFIER.fullmatch(name) else f"<{len(name)}>"
