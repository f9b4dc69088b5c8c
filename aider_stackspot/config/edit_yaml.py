"""Changes the text of a configuration file: a provider, or one key of a model. Everything else, comments too, stays.

Every change is checked: the new text must read as the old data with just that change in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from aider_stackspot.errors import ConfigurationError

_INDENT = 2


def with_provider(text: str, name: str, keys: Mapping[str, Any]) -> str:
    """Return a configuration file's text with one more provider at the end of its list.

    Args:
        text: the file as it is; empty for a new one.
        name: the provider's name, which the file does not have yet.
        keys: the provider's keys, in order.

    Raises:
        ConfigurationError: the file cannot be read, has such a provider, or is written in a way that cannot be changed
            safely.
    """
    data, root = _read(text)
    if name in (data.get("providers") or {}):
        raise ConfigurationError(f"There is a provider `{name}` already. Remove it first, or choose another name.")
    expected = {**data, "providers": {**(data.get("providers") or {}), name: dict(keys)}}
    key, value = _entry(root, "providers")
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    if key is None or value is None:
        new = [*lines, "providers:\n", *_written(name, keys, 2)]
    elif isinstance(value, yaml.MappingNode) and value.value and not value.flow_style:
        first, last = value.value[0][0], value.value[-1]
        end = _end_of_entry(lines, first.start_mark.column, _last_line(last[1], last[0]))
        new = [*lines[:end], *_written(name, keys, first.start_mark.column), *lines[end:]]
    elif not value.value:
        line = key.start_mark.line
        comment = re.search(r"\s+#.*$", lines[line].rstrip("\n"))
        head = f"{lines[line][: key.end_mark.column]}:{comment.group() if comment else ''}\n"
        new = [*lines[:line], head, *_written(name, keys, key.start_mark.column + 2), *lines[line + 1 :]]
    else:
        raise _by_hand("its `providers` are written in braces")
    return _checked("".join(new), expected)


def without_provider(text: str, name: str) -> str:
    """Return a configuration file's text without a provider.

    Raises:
        ConfigurationError: the file cannot be read, has no such provider, or cannot be changed safely.
    """
    data, root = _read(text)
    if name not in (data.get("providers") or {}):
        raise ConfigurationError(f"There is no provider `{name}` in your file; see: aider-stackspot providers list.")
    expected = {**data, "providers": {key: value for key, value in data["providers"].items() if key != name}}
    _, providers = _entry(root, "providers")
    key, value = _entry(providers, name)
    if providers is None or key is None or value is None or providers.flow_style:
        raise _by_hand("its `providers` are written in braces")
    lines = text.splitlines(keepends=True)
    end = _end_of_entry(lines, key.start_mark.column, _last_line(value, key))
    new = [*lines[: key.start_mark.line], *lines[end:]]
    if not expected["providers"]:
        expected["providers"] = None
    return _checked("".join(new), expected)


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
        raise _to_be_set_by_hand(path, value)
    return changed


def without_model_key(text: str, provider: str, model: str, key: str) -> str:
    """Return a configuration file's text in which a model does not have this key; the model itself stays.

    Args:
        text: the file as it is, which need not have any of this.
        provider: the provider's name.
        model: the model's name.
        key: one of the keys of a model.

    Raises:
        ConfigurationError: the file cannot be read, or cannot be changed safely.
    """
    data, node = _read(text)
    expected = dict(data)
    holder: dict[str, Any] = expected
    for name in ("providers", provider, "models", model):
        _, node = _entry(node, name)
        if not isinstance(holder.get(name), dict):
            return text
        # A copy of each level, because YAML's aliases are one and the same mapping.
        outer, holder[name] = holder, dict(holder[name])
        holder = holder[name]
    entry, value = _entry(node, key)
    if entry is None or not isinstance(node, yaml.MappingNode):
        return text
    del holder[key]
    if node.flow_style:
        before, after = text[: entry.start_mark.index], text[value.end_mark.index :]
        without_comma = re.sub(r"^\s*,\s*", "", after)
        return _checked((before if without_comma != after else re.sub(r",\s*$", "", before)) + without_comma, expected)
    if not holder:
        outer[model] = None
    lines = text.splitlines(keepends=True)
    end = _end_of_entry(lines, entry.start_mark.column, _last_line(value, entry))
    return _checked("".join([*lines[: entry.start_mark.line], *lines[end:]]), expected)


def _set(text: str, node: yaml.Node | None, path: tuple[str, ...], value: str) -> str:
    key: yaml.Node | None = None
    while path:
        found, inner = _entry(node, path[0])
        if found is None:
            return _inserted(text, key, node, path, value)
        key, node, path = found, inner, path[1:]
    if not isinstance(node, yaml.ScalarNode):
        raise _to_be_set_by_hand(path, value)
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
    raise _to_be_set_by_hand(path, value)


def _with_lines(text: str, after: int, new: str) -> str:
    lines = text.splitlines(keepends=True)
    if not lines[after].endswith("\n"):
        lines[after] += "\n"
    return "".join([*lines[: after + 1], new, *lines[after + 1 :]])


def _block(path: tuple[str, ...], value: str, column: int) -> str:
    heads = [f"{' ' * (column + _INDENT * depth)}{_name(name)}:" for depth, name in enumerate(path)]
    return "\n".join(heads) + f" {json.dumps(value)}\n"


def _flow(path: tuple[str, ...], value: str) -> str:
    document: Any = value
    for name in reversed(path[1:]):
        document = {name: document}
    return f"{json.dumps(path[0])}: {json.dumps(document)}"


def _expected(data: Any, path: tuple[str, ...], value: str) -> Any:
    if not path:
        return value
    known = data if isinstance(data, dict) else {}
    return {**known, path[0]: _expected(known.get(path[0]), path[1:], value)}


def _to_be_set_by_hand(path: tuple[str, ...], value: str) -> ConfigurationError:
    where = ".".join(path)
    return ConfigurationError(
        f"The file is written in a way that cannot be changed safely: please set `{where}` to {json.dumps(value)} by "
        "hand."
    )


def _read(text: str) -> tuple[dict[str, Any], yaml.Node | None]:
    try:
        data, root = yaml.safe_load(text), yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:  # its words would repeat the line, which may hold a key
        raise ConfigurationError("The file is not valid YAML; mend it first.") from None
    if data is not None and not isinstance(data, dict):
        raise ConfigurationError("The file is no mapping; mend it first.")
    providers = (data or {}).get("providers")
    if providers is not None and not isinstance(providers, dict):
        raise ConfigurationError("The file's `providers` are no mapping; mend it first.")
    return data or {}, root


def _entry(node: yaml.Node | None, name: str) -> tuple[yaml.Node | None, Any]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == name:
                return key, value
    return None, None


def _last_line(node: yaml.Node, key: yaml.Node) -> int:
    """Return the last line on which anything of a node stands; a block's own end mark is beyond its comments."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[1], last[0]) if isinstance(last, tuple) else _last_line(last, key)
    after = node.end_mark.column == 0 and node.end_mark.line > node.start_mark.line
    return max(int(key.end_mark.line), int(node.end_mark.line) - (1 if after else 0))


def _end_of_entry(lines: list[str], column: int, last: int) -> int:
    """Return the line after an entry, its own deeper comments included."""
    end = last + 1
    for number in range(end, len(lines)):
        stripped = lines[number].lstrip(" ")
        if stripped.startswith("#") and len(lines[number]) - len(stripped) > column:
            end = number + 1
        elif stripped.strip():
            break
    return end


def _written(name: str, keys: Mapping[str, Any], column: int) -> list[str]:
    """Return the lines of a mapping under its name; the mappings in it, unless they are empty, are written likewise."""
    lines = [f"{' ' * column}{_name(name)}:\n"]
    for key, value in keys.items():
        if isinstance(value, Mapping) and value:
            lines += _written(key, value, column + _INDENT)
        else:  # JSON's strings are YAML's, too: nothing in a value can be taken for something else
            lines.append(f"{' ' * (column + _INDENT)}{_name(key)}: {json.dumps(value)}\n")
    return lines


def _checked(text: str, expected: dict[str, Any]) -> str:
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError:
        data = None
    if data != expected:
        raise _by_hand("it is written in an unusual way")
    return text


def _by_hand(why: str) -> ConfigurationError:
    return ConfigurationError(f"The file cannot be changed safely, because {why}: please change it by hand.")


def _name(name: str) -> str:
    """Return a name as a key of YAML: `123` or `on` would be no text."""
    return name if yaml.safe_load(name) == name and yaml.safe_load(f"{name}: 1") == {name: 1} else json.dumps(name)
