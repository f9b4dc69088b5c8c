"""Sets one key of a model in the text of a configuration file; everything else in it, comments too, stays."""

from __future__ import annotations

import json
from typing import Any

import yaml

from aider_stackspot.errors import ConfigurationError

_INDENT = 2


def has_provider(text: str, provider: str) -> bool:
    """Tell whether a configuration file's text, which can be read, has a provider of this name."""
    data = yaml.safe_load(text) or {}
    return provider in (data.get("providers") or {})


def with_model_key(text: str, provider: str, model: str, key: str, value: str) -> str:
    """Return a configuration file's text in which a model has this key.

    Args:
        text: the file as it is; empty for a new one.
        provider: the provider's name, which is added where it is missing, as are the other levels.
        model: the model's name.
        key: one of the keys of a model.
        value: the new value, a text.

    Raises:
        ConfigurationError: the file is written in a way that cannot be changed safely.
    """
    path = ("providers", provider, "models", model, key)
    data = yaml.safe_load(text)
    changed = _set(text, yaml.compose(text, Loader=yaml.SafeLoader), path, value)
    if yaml.safe_load(changed) != _expected(data, path, value):
        raise _by_hand(path, value)
    return changed


def _set(text: str, node: yaml.Node | None, path: tuple[str, ...], value: str) -> str:
    key: yaml.Node | None = None
    while path:
        found = _entry(node, path[0])
        if found is None:
            return _inserted(text, key, node, path, value)
        (key, node), path = found, path[1:]
    if not isinstance(node, yaml.ScalarNode):
        raise _by_hand(path, value)
    return _replaced(text, node, value)


def _replaced(text: str, node: yaml.Node, value: str) -> str:
    gap = "" if text[node.start_mark.index - 1 : node.start_mark.index].isspace() else " "
    return text[: node.start_mark.index] + gap + json.dumps(value) + text[node.end_mark.index :]


def _inserted(text: str, key: yaml.Node | None, node: yaml.Node | None, path: tuple[str, ...], value: str) -> str:
    """Put what is missing of the path into the deepest part of it that is there."""
    if node is None:
        gap = "" if not text or text.endswith("\n") else "\n"
        return f"{text}{gap}{_block(path, value, 0)}"
    if isinstance(node, yaml.MappingNode) and node.flow_style:
        end = node.end_mark.index - 1
        inner = text[node.start_mark.index + 1 : end].strip()
        return f"{text[:end]}{', ' if inner and not inner.endswith(',') else ''}{_flow(path, value)}{text[end:]}"
    if isinstance(node, yaml.MappingNode):
        last = node.value[-1][1]
        column = node.value[0][0].start_mark.column
        return _with_lines(text, _last_line(last, node.value[-1][0]), _block(path, value, column))
    if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null" and key is not None:
        text = text[: node.start_mark.index] + text[node.end_mark.index :]
        return _with_lines(text, key.end_mark.line, _block(path, value, key.start_mark.column + _INDENT))
    raise _by_hand(path, value)


def _with_lines(text: str, after: int, new: str) -> str:
    lines = text.splitlines(keepends=True)
    if not lines[after].endswith("\n"):
        lines[after] += "\n"
    return "".join([*lines[: after + 1], new, *lines[after + 1 :]])


def _last_line(node: yaml.Node, key: yaml.Node) -> int:
    """Return the last line on which anything of a node stands; a block's own end mark is beyond its comments."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[1], last[0]) if isinstance(last, tuple) else _last_line(last, key)
    after = node.end_mark.column == 0 and node.end_mark.line > node.start_mark.line
    return max(int(key.end_mark.line), int(node.end_mark.line) - (1 if after else 0))


def _block(path: tuple[str, ...], value: str, column: int) -> str:
    heads = [f"{' ' * (column + _INDENT * depth)}{_name(name)}:" for depth, name in enumerate(path)]
    return "\n".join(heads) + f" {json.dumps(value)}\n"


def _flow(path: tuple[str, ...], value: str) -> str:
    document: Any = value
    for name in reversed(path[1:]):
        document = {name: document}
    return f"{json.dumps(path[0])}: {json.dumps(document)}"


def _name(name: str) -> str:
    return name if yaml.safe_load(name) == name and yaml.safe_load(f"{name}: 1") == {name: 1} else json.dumps(name)


def _entry(node: yaml.Node | None, name: str) -> tuple[yaml.Node, yaml.Node] | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next(((key, value) for key, value in pairs if key.value == name), None)


def _expected(data: Any, path: tuple[str, ...], value: str) -> Any:
    if not path:
        return value
    known = data if isinstance(data, dict) else {}
    return {**known, path[0]: _expected(known.get(path[0]), path[1:], value)}


def _by_hand(path: tuple[str, ...], value: str) -> ConfigurationError:
    where = ".".join(path)
    return ConfigurationError(
        f"The file is written in a way that cannot be changed safely: please set `{where}` to {json.dumps(value)} by "
        "hand."
    )
