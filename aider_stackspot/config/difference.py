"""What a change does to a configuration file, as lines to read before agreeing, without the secrets beside it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any

import yaml

from aider_stackspot.config.display import printable
from aider_stackspot.redact import scrub

_SHOWN_KEYS = ("agent_id",)
"""The keys whose values are what the change is about."""
_COMMENT = re.compile(r"(^|\s)#.*$")
_VALUE = re.compile(r"""^(\s*(?:[\w.-]+|"[^"]*"|'[^']*')\s*:)\s+(?=[^\s#]).*$""")


def difference(before: str, after: str, name: str) -> list[str]:
    """Return a unified diff of two texts of a YAML file.

    Lines that stay are shown for orientation only, so their values and comments are left out: a key may stand there,
    and a comment may hold an older one. In lines that change, the values of all keys but an agent's id are left out.

    Args:
        before: the file as it is, valid YAML.
        after: the file as it is going to be, valid YAML.
        name: the file's, for the two lines at the top.
    """
    secrets = _values(yaml.safe_load(before)) | _values(yaml.safe_load(after))
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), name, name, lineterm=""))
    return [*map(printable, lines[:2]), *(_shown(line, secrets) for line in lines[2:])]


def _shown(line: str, secrets: set[str]) -> str:
    kind, text = line[:1], line[1:]
    if kind == "@":
        return line
    text = _COMMENT.sub(r"\1# …", text)
    if kind == " ":
        has_structure = text.strip().startswith("#") or text.rstrip().endswith(":") or not text.strip()
        text = text if has_structure else _VALUE.sub(r"\1 …", text)
        text = text if has_structure or text.endswith("…") else _indented(text)
    return printable(kind + scrub(text, secrets))


def _indented(text: str) -> str:
    """Return what is shown of a line that is neither a key nor a comment: the inside of a longer text, a list's."""
    return f"{text[: len(text) - len(text.lstrip())]}…"


def _values(data: Any) -> set[str]:
    """Return the lines of every text that is a value, but for those that are shown and for names."""
    return set(_texts(data)) - set(_names(data))


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        for name, inner in data.items():
            yield from _texts(inner) if name not in _SHOWN_KEYS else ()
    elif isinstance(data, list):
        for inner in data:
            yield from _texts(inner)
    elif isinstance(data, str):
        yield from (line.strip() for line in data.splitlines())


def _names(data: Any) -> Iterator[str]:
    for inner in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from _names(inner)
    if isinstance(data, dict):
        yield from map(str, data)
