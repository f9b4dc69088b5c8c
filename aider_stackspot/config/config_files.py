"""The configuration files that are read, and what each declares."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from aider_stackspot.config import locations
from aider_stackspot.config.declared import DeclaredProvider, declared_providers
from aider_stackspot.config.display import printable
from aider_stackspot.config.environment import Environment, Value
from aider_stackspot.config.schema import STACKSPOT
from aider_stackspot.config.yaml_file import MAX_CONFIG_FILE_BYTES, Document, parse
from aider_stackspot.errors import ConfigurationError
from aider_stackspot.files import NotAFile, read_bounded

CONFIG_VARIABLE = "AIDER_STACKSPOT_CONFIG"
_MAX_BYTES_FOR_NAMES = 1024 * 1024
_MAX_NAMES = 2_000


@dataclass
class ConfigFile:
    """One file: its path, and what it declares. `problem` tells why it cannot be used.

    Of a file that cannot be used, as far as they can be made out, `models` has the names of StackSpot's providers and
    their models, and `servers` those of all other providers.
    """

    path: Path
    declared: dict[str, DeclaredProvider] = field(default_factory=dict)
    problem: str | None = None
    models: dict[str, list[str]] = field(default_factory=dict)
    servers: tuple[str, ...] = ()


def read_files(environment: Environment, notices: list[str]) -> list[ConfigFile]:
    """Return the files that exist, closest first."""
    named = environment.pick(CONFIG_VARIABLE, "names another configuration file")
    if named is not None and environment.named_file(environment.expanded(named.text), named.file) is None:
        assert named.file is not None
        what = f"{CONFIG_VARIABLE}, which names another configuration file,"
        environment.note_uncovered(named.source, what, environment.expanded(named.text), named.file)
        named = None
    if named is not None:
        path = Path(environment.expanded(named.text))
        file = _read(path, environment, notices, named=named)
        missing = f"{CONFIG_VARIABLE} in {named.source} names {path}, and there is no such file."
        return [file or ConfigFile(path, problem=printable(missing))]
    home = [environment.home] if environment.home is not None else []
    files: list[ConfigFile] = []
    for path in (directory / locations.FILE_NAME for directory in (*environment.project_directories, *home)):
        if not any(locations.same_file(path, other.path) for other in files):
            found = _read(path, environment, notices)
            files += [found] if found is not None else []
    return files


def _read(path: Path, environment: Environment, notices: list[str], *, named: Value | None = None) -> ConfigFile | None:
    try:
        content = environment.surroundings.read(path, MAX_CONFIG_FILE_BYTES)
    except NotAFile as error:
        return ConfigFile(path, problem=printable(f"{path}: {error.strerror}, not a file."))
    except OSError as error:
        problem = printable(f"{path}: the file cannot be read: {error.strerror}.")
        return ConfigFile(path, problem=problem, servers=possible_names(path))
    if content is None:
        return None
    document: Document | None = None
    try:
        document = parse(path, content)
        trusted = named is not None or environment.is_users_own(path, content, locations.FILE_NAME)
        voucher = named.file if named is not None else path
        return ConfigFile(path, declared_providers(document, environment, notices, trusted=trusted, voucher=voucher))
    except Exception as error:
        problem = str(error) if isinstance(error, ConfigurationError) else unusable(path, error)
        if document is None:
            return ConfigFile(path, problem=problem, servers=_names_in_broken_text(content))
        return ConfigFile(path, problem=problem, models=_names(document), servers=_servers(document))


def unusable(path: Path | str, error: Exception) -> str:
    """Return the line about a file that fails in a way that nobody thought of: no call is made then either."""
    return printable(f"{path}: this cannot be used, because of an error in aider-stackspot ({type(error).__name__}).")


def _servers(document: Document) -> tuple[str, ...]:
    """Return the providers of such a file that are not StackSpot's."""
    providers = document.data.get("providers")
    names = [name for name in providers if isinstance(name, str)] if isinstance(providers, dict) else []
    return tuple(name for name in names if name not in _names(document))


def possible_names(path: Path) -> tuple[str, ...]:
    """Return the names of servers that a file may declare, without understanding it; none where it cannot be read."""
    try:
        return _names_in_broken_text(read_bounded(path, _MAX_BYTES_FOR_NAMES, whole=False) or b"")
    except OSError:
        return ()


def _names_in_broken_text(content: bytes) -> tuple[str, ...]:
    """Return the providers of a file that is not even YAML: the keys one step below `providers:`.

    Where they are not written one below the other, everything that may be a key: a name too many does no harm.
    """
    text = content.decode("utf-8", errors="replace")
    block = re.search(r"^providers:[^\n]*\n((?:[ \t]+[^\n]*\n?|[ \t]*(?:#[^\n]*)?\n)*)", text, re.MULTILINE)
    keys = re.findall(
        r"^([ \t]+)[\"']?([^\s\"'#:\[{-][^\s\"':]*)[\"']?[ \t]*:", block[1] if block else "", re.MULTILINE
    )
    names = [name for indent, name in keys if indent == keys[0][0]]
    names = names or re.findall(r"(?<![\w.-])([A-Za-z0-9][A-Za-z0-9._-]*)[\"']?[ \t]*:", text)
    return tuple(dict.fromkeys(name for name in names if name not in (STACKSPOT, "providers")))[:_MAX_NAMES]


def _names(document: Document) -> dict[str, list[str]]:
    """Return the StackSpot providers, models and aliases of a file that has an error somewhere else."""
    providers = document.data.get("providers")
    found: dict[str, list[str]] = {}
    for name, provider in (providers if isinstance(providers, dict) else {}).items():
        kind = provider.get("type") if isinstance(provider, dict) else None
        if isinstance(name, str) and (name == STACKSPOT or kind == STACKSPOT):
            given = [provider.get(key) for key in ("models", "aliases")] if isinstance(provider, dict) else []
            found[name] = [
                model for names in given if isinstance(names, dict) for model in names if isinstance(model, str)
            ]
    return found
