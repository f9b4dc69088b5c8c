"""One YAML (or JSON) file to plain data, safely, with the line of every key at hand for error messages."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from aider_stackspot.config.display import printable, shortened
from aider_stackspot.errors import ConfigurationError

MAX_CONFIG_FILE_BYTES = 128 * 1024
MAX_LINES = 10_000
MAX_YAML_NODES = 5_000
"""Values after every alias is followed: more is an alias bomb, not a configuration. PyYAML reads these in half a
second."""
MAX_DEPTH = 50
"""Mappings and lists inside each other."""

Location = tuple[str | int, ...]


@dataclass
class Document:
    """A file's data, and where in the file each key stands."""

    path: Path
    data: dict[str, Any] = field(repr=False)
    lines: dict[Location, int] = field(default_factory=dict, repr=False)

    def line(self, location: Location) -> int | None:
        """Return the line (from 1) of a key, or of the closest key above it."""
        while location:
            if location in self.lines:
                return self.lines[location]
            location = location[:-1]
        return None

    def place(self, location: Location) -> str:
        """Return the file and the line of a key, for people."""
        line = self.line(location)
        return f"{self.path}, line {line}" if line else str(self.path)

    def what(self, location: Location) -> str:
        """Return the file, the line and the key, for the beginning of a message."""
        key = ".".join(shortened(str(part)) for part in location)
        return printable(f"{self.place(location)}{': ' + key if key else ''}")

    def error(self, location: Location, problem: str) -> ConfigurationError:
        """Return the error that names the file, the line and the key."""
        return ConfigurationError(printable(f"{self.what(location)}: {problem}"))


def parse(path: Path, content: bytes) -> Document:
    """Return the data of a file, which is a mapping.

    Raises:
        ConfigurationError: it is no UTF-8, no YAML, no mapping, names a key twice, or expands to too much.
    """
    node, data = plain_data(path, content)
    document = Document(path, {} if data is None else data)
    if not isinstance(document.data, dict):
        raise document.error((), "a mapping with the key `providers` is expected at the top.")
    _collect_lines(node, (), document.lines)
    return document


def plain_data(path: Path, content: bytes) -> tuple[yaml.Node | None, Any]:
    """Return the data of a file, whatever its shape, and the node that it was made from.

    Raises:
        ConfigurationError: it is no UTF-8, no YAML, names a key twice, or expands to too much.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"this is not UTF-8 ({error.reason} at byte {error.start})") from None
    if text.count("\n") > MAX_LINES:
        raise _unreadable(path, f"the file has more than {MAX_LINES:,} lines")
    return _from_json(path, text) if path.suffix == ".json" else _from_yaml(path, text)


def _unreadable(path: Path, problem: str, line: int | None = None) -> ConfigurationError:
    return ConfigurationError(printable(f"{path}{f', line {line}' if line else ''}: {problem}."))


def _from_yaml(path: Path, text: str) -> tuple[yaml.Node | None, Any]:
    try:
        return _composed(text)
    except _Refused as error:
        raise _unreadable(path, str(error), error.line) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or getattr(error, "reason", None) or "unexpected content"
        raise _unreadable(path, f"this is not valid YAML: {why}", mark.line + 1 if mark else None) from None
    except Exception as error:  # PyYAML's own makers of values raise whatever they stumble upon
        raise _unreadable(path, f"this cannot be read as YAML ({type(error).__name__})") from None


def _from_json(path: Path, text: str) -> tuple[yaml.Node | None, Any]:
    """Read JSON as JSON: YAML knows neither tabs nor all of its escapes. Lines are known where it is YAML besides."""
    try:
        data = json.loads(text) if text.strip() else None
    except json.JSONDecodeError as error:
        raise _unreadable(path, f"this is not valid JSON: {error.msg}", error.lineno) from None
    except (RecursionError, ValueError) as error:
        raise _unreadable(path, f"this cannot be read as JSON ({type(error).__name__})") from None
    try:
        return _composed(text)[0], data
    except _Refused as error:
        raise _unreadable(path, str(error), error.line) from None
    except Exception:
        if text.count(",") + text.count(":") > MAX_YAML_NODES:
            raise _unreadable(path, _TOO_MANY) from None
        return None, data


def _composed(text: str) -> tuple[yaml.Node | None, Any]:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, None
        _check(node)
        return node, loader.construct_document(node)
    finally:
        loader.dispose()


class _Refused(Exception):
    """The file is YAML, but nothing that a configuration could be."""

    def __init__(self, problem: str, node: yaml.Node | None = None) -> None:
        super().__init__(problem)
        self.line = node.start_mark.line + 1 if node is not None else None


_TOO_MANY = f"the file holds more than {MAX_YAML_NODES:,} values"


class _Loader(yaml.SafeLoader):
    """SafeLoader knows no tags that make objects. This one stops early in a huge file."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = 0
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Count the nodes as they come: reading a long file takes seconds, and so does a deep one."""
        self._nodes += 1
        if self._nodes > MAX_YAML_NODES:
            raise _Refused(_TOO_MANY)
        if self._depth >= MAX_DEPTH:
            raise _Refused(f"more than {MAX_DEPTH} lists and mappings stand inside each other")
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def _check(root: yaml.Node) -> None:
    """Refuse alias bombs, circles and double keys before any object is made."""
    sizes: dict[int, int] = {}

    def size(node: yaml.Node, above: tuple[int, ...]) -> int:
        if id(node) in above:
            raise _Refused("an alias contains itself", node)
        if id(node) not in sizes:
            _refuse_double_keys(node)
            inside = (*above, id(node))
            sizes[id(node)] = 1 + sum(size(child, inside) for child in _children(node))
        return sizes[id(node)]

    if size(root, ()) > MAX_YAML_NODES:
        raise _Refused(f"the file holds more than {MAX_YAML_NODES:,} values once its aliases are followed")


def _refuse_double_keys(node: yaml.Node) -> None:
    """Refuse what YAML forbids and PyYAML allows: of two keys by one name, a reader may see the other."""
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[tuple[str, str]] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode):
            if (key.tag, key.value) in seen:
                raise _Refused(f"the key `{shortened(key.value)}` is given twice", key)
            seen.add((key.tag, key.value))


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _collect_lines(node: yaml.Node | None, location: Location, lines: dict[Location, int]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*location, str(key.value))
            lines[inner] = key.start_mark.line + 1
            _collect_lines(value, inner, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            inner = (*location, index)
            lines[inner] = value.start_mark.line + 1
            _collect_lines(value, inner, lines)
