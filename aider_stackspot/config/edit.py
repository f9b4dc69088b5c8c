"""The user's own files, to be changed in place: where they are, how they are read and written, and a `.env`'s lines."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from pathlib import Path

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
