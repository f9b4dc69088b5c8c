"""Changes the user's own files in place: a provider in the YAML file, a key in a `.env` file. Comments stay.

Every change is checked before it is written: the new text must read as the old data with just that change in it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values
from dotenv.parser import parse_stream

from aider_stackspot.config import locations
from aider_stackspot.config.config_files import CONFIG_VARIABLE
from aider_stackspot.config.display import printable
from aider_stackspot.config.env_file import MAX_ENV_FILE_BYTES
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.yaml_file import MAX_CONFIG_FILE_BYTES, parse
from aider_stackspot.errors import ConfigurationError
from aider_stackspot.files import locked, read_bounded, write_atomically

_OWNER_ONLY = 0o600


def users_file() -> Path:
    """Return the user's configuration file: the one that a variable names, else the one in their home directory.

    Raises:
        ConfigurationError: the user has no home directory.
    """
    environment = Environment()
    named = environment.pick(CONFIG_VARIABLE, "names another configuration file")
    if named is not None:
        return Path(environment.expanded(named.text))
    return _home(environment) / locations.FILE_NAME


def users_env_file() -> Path:
    """Return the user's own `.env` file, which every start reads.

    Raises:
        ConfigurationError: the user has no home directory.
    """
    return _home(Environment()) / locations.ENV_NAME


def _home(environment: Environment) -> Path:
    if environment.home is None:
        raise ConfigurationError("There is no home directory to keep the settings in.")
    return environment.home


@contextlib.contextmanager
def changing(*paths: Path) -> Iterator[None]:
    """Hold files for reading, changing and writing them, while no other process does.

    Raises:
        ConfigurationError: another process holds one of them for too long, or its directory cannot be used.
    """
    directories = {os.path.dirname(os.path.realpath(path)): path for path in paths}  # a lock is a directory's
    with contextlib.ExitStack() as held:
        for directory, path in sorted(directories.items()):
            try:
                os.makedirs(directory, exist_ok=True)
                held.enter_context(locked(path))
            except OSError as error:
                raise ConfigurationError(printable(f"{path} cannot be changed: {error.strerror}.")) from None
        yield


def text_of(path: Path) -> str:
    """Return the text of a configuration file that can be used and changed; the empty string where there is none.

    Raises:
        ConfigurationError: names the file and the line; the words of the file, which may be secret, stay out of it.
    """
    text = _read_text(path, MAX_CONFIG_FILE_BYTES)
    parse(path, text.encode())
    if path.suffix == ".json":
        raise ConfigurationError(printable(f"{path} is JSON, which this command cannot change: change it by hand."))
    return text


def env_text_of(path: Path) -> str:
    """Return the text of a `.env` file, or of another that is read as it stands; the empty string where there is none.

    Raises:
        ConfigurationError: it cannot be read.
    """
    return _read_text(path, MAX_ENV_FILE_BYTES)


def _read_text(path: Path, max_bytes: int) -> str:
    try:
        return (read_bounded(path, max_bytes) or b"").decode("utf-8-sig")
    except OSError as error:
        raise ConfigurationError(printable(f"{path}: the file cannot be read: {error.strerror}.")) from None
    except UnicodeError:
        raise ConfigurationError(printable(f"{path}: this is not UTF-8: save it as UTF-8 first.")) from None


def with_provider(text: str, name: str, keys: Mapping[str, str | bool]) -> str:
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
        raise ConfigurationError(f"There is no provider `{name}` in the file.")
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


def write_text(path: Path, text: str, *, private: bool = False) -> None:
    """Replace a file at once, keeping its permissions.

    Args:
        path: the file, which need not be there yet.
        text: its new content.
        private: from now on, only its owner can read it.

    Raises:
        ConfigurationError: it cannot be written.
    """
    _replace(path, text, _OWNER_ONLY if private else None)


def env_values(text: str) -> dict[str, str]:
    """Return the variables of a `.env` file's text, with references filled in."""
    return {name: value or "" for name, value in dotenv_values(stream=StringIO(text), interpolate=True).items()}


def with_variables(text: str, values: Mapping[str, str]) -> str:
    """Return the text of a `.env` file in which variables have these values.

    A variable stays in the place where it was set first, also behind `export`; one that is new comes last. All other
    lines stay as they are.

    Raises:
        ConfigurationError: a value cannot be written so that it reads the same.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    left, changed = dict(values), ""
    for binding in parse_stream(StringIO(text)):
        written = binding.original.string
        if binding.key not in values:
            changed += written
        elif binding.key in left:
            before = re.match(r"\s*(?:export\s+)?", written)
            changed += f"{before[0] if before else ''}{binding.key}={_quoted(left.pop(binding.key))}{newline}"
    for name, value in left.items():
        changed = with_line(changed, f"{name}={_quoted(value)}", newline)
    read_back = env_values(changed)
    for name, value in values.items():
        if read_back.get(name) != value or not value.isprintable():
            raise ConfigurationError(
                f"{name} has a value that a .env file cannot hold, such as one with `${{` in it: set it in the "
                "environment instead."
            )
    return changed


def without_variables(text: str, names: Iterable[str]) -> str:
    """Return the text of a `.env` file without these variables. All other lines stay as they are."""
    taken_out, left = set(names), ""
    for binding in parse_stream(StringIO(text)):
        written = binding.original.string
        blank_lines = re.match(r"(?:[ \t]*\r?\n)*", written)
        left += written if binding.key not in taken_out else blank_lines[0] if blank_lines else ""
    return left


def with_line(text: str, line: str, newline: str | None = None) -> str:
    """Return a text with one more line at its end, in the text's own line ends if no others are given."""
    newline = newline or ("\r\n" if "\r\n" in text else "\n")
    gap = newline if text and not text.endswith(("\n", "\r")) else ""
    return f"{text}{gap}{line}{newline}"


def save_variable(path: Path, name: str, value: str) -> None:
    """Set a variable in a `.env` file, which from then on only its owner can read.

    Raises:
        ConfigurationError: the value cannot be written in such a file, or the file cannot be written.
    """
    write_text(path, with_variables(env_text_of(path), {name: value}), private=True)


def _quoted(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_./:@+=-]+", value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _replace(path: Path, text: str, mode: int | None = None) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text, mode)
    except OSError as error:
        raise ConfigurationError(printable(f"{path} cannot be written: {error.strerror}.")) from None


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
    if isinstance(node, yaml.ScalarNode) or getattr(node, "flow_style", False):
        # A block scalar's mark stands at the beginning of the line after it.
        after = node.end_mark.column == 0 and node.end_mark.line > node.start_mark.line
        return int(node.end_mark.line) - (1 if after else 0)
    if not node.value:
        return int(key.end_mark.line)
    last = node.value[-1]
    return _last_line(last[1], last[0]) if isinstance(last, tuple) else _last_line(last, key)


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


def _written(name: str, keys: Mapping[str, str | bool], column: int) -> list[str]:
    # JSON's strings are YAML's, too: nothing in a value can be taken for something else.
    indent, inner = " " * column, " " * (column + 2)
    head = name if yaml.safe_load(name) == name else json.dumps(name)  # `123` or `on` would be no text
    return [f"{indent}{head}:\n", *(f"{inner}{key}: {json.dumps(value)}\n" for key, value in keys.items())]


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
