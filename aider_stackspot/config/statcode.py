"""The file of another program, StatCode AI, in which people have their servers already: `providers.json`.

It has the shape of our own file, with two keys of its own (`schema.STATCODE_KEYS`): the models for the work itself and
for summaries. Servers whose entry has no base URL are its own business: it knows those vendors by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from aider_stackspot.config.base_url import checked
from aider_stackspot.config.display import printable
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.header_values import api_key
from aider_stackspot.config.schema import STATCODE_KEYS, ProviderKeys, first_problem
from aider_stackspot.config.yaml_file import MAX_CONFIG_FILE_BYTES, Document, parse
from aider_stackspot.errors import ConfigurationError
from aider_stackspot.files import read_bounded

_PLACE = ("statcode-ai", "providers.json")
_TAKEN = ("name", "api_key", "base_url", "api_base", "models")


@dataclass(frozen=True)
class StatCodeServer:
    """One server of the file. `models` are the ids that StatCode found there the last time."""

    name: str
    base_url: str
    key: SecretStr
    models: tuple[str, ...]


@dataclass(frozen=True)
class StatCodeFile:
    """What the file says.

    Attributes:
        servers: those that have a base URL.
        other_providers: the names of those without one.
        left_out: a line for each thing that cannot be taken over.
        orchestration_model: the model for the work itself, as it is written; may be empty.
        summarize_model: the model for summaries, likewise.
    """

    servers: tuple[StatCodeServer, ...]
    other_providers: frozenset[str]
    left_out: tuple[str, ...]
    orchestration_model: str
    summarize_model: str


def usual_path() -> Path:
    """Return StatCode's own place for the file: under `XDG_CONFIG_HOME`, else under `.config` of the home directory.

    Raises:
        ConfigurationError: the user has no home directory.
    """
    environment = Environment()
    chosen = environment.chosen("XDG_CONFIG_HOME")
    if chosen is not None and Path(chosen.text).is_absolute():
        return Path(chosen.text, *_PLACE)
    if environment.home is None:
        raise ConfigurationError("There is no home directory to look for StatCode's file in: name the file.")
    return environment.home.joinpath(".config", *_PLACE)


def read_statcode_file(path: Path, *, allow_insecure_http: bool = False) -> StatCodeFile:
    """Read the file.

    Args:
        path: the file.
        allow_insecure_http: accept `http://` to other machines.

    Raises:
        ConfigurationError: it cannot be read, or a server in it cannot be used; names the file and the line.
    """
    try:
        content = read_bounded(path, MAX_CONFIG_FILE_BYTES)
    except OSError as error:
        raise ConfigurationError(printable(f"{path}: the file cannot be read: {error.strerror}.")) from None
    if content is None:
        raise ConfigurationError(printable(f"{path}: there is no such file. Name it: providers import FILE."))
    document = parse(path, content)
    providers = document.data.get("providers") or {}
    if not isinstance(providers, dict):
        raise document.error(("providers",), "a mapping of names to servers is expected.")
    servers: list[StatCodeServer] = []
    others: list[str] = []
    left_out: list[str] = []
    for name, entry in providers.items():
        if not isinstance(entry, dict):
            raise document.error(("providers", name), "a mapping of keys to values is expected.")
        if not (entry.get("base_url") or entry.get("api_base")):
            others.append(name)
            left_out.append(f"{name}: it has no base URL; StatCode knows this vendor by name, this program does not.")
            continue
        servers.append(_server(document, name, entry, allow_insecure_http))
        left_out += [f"{name}: its key `{key}` has no meaning here." for key in entry if key not in _TAKEN]
    said = {key: _text(document, key) for key in STATCODE_KEYS}
    return StatCodeFile(tuple(servers), frozenset(others), tuple(map(printable, left_out)), **said)


def _server(document: Document, name: str, entry: Mapping[str, Any], allow_insecure_http: bool) -> StatCodeServer:
    where = ("providers", name)
    known = {key: entry[key] for key in _TAKEN if entry.get(key) is not None}
    try:
        keys = ProviderKeys.model_validate(known)
    except ValidationError as error:
        raise first_problem(document, error, where) from None
    place = (*where, "base_url" if "base_url" in entry else "api_base")
    base_url = checked(str(keys.api_base), what=document.what(place), allow_insecure_http=allow_insecure_http)
    key = keys.api_key.get_secret_value() if keys.api_key else ""
    sent = api_key(key, document.what((*where, "api_key")))
    return StatCodeServer(name, base_url, SecretStr(sent), tuple(keys.models or ()))


def _text(document: Document, key: str) -> str:
    value = document.data.get(key)
    if value is not None and not isinstance(value, str):
        raise document.error((key,), "a model's name is expected.")
    return (value or "").strip()
