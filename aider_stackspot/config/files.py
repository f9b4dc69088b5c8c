"""The configuration files that are read, and what each declares."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from aider_stackspot.config import places
from aider_stackspot.config.declared import STACKSPOT, Declared
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.interpolate import interpolate
from aider_stackspot.config.schema import validate
from aider_stackspot.config.surroundings import NotAFile
from aider_stackspot.config.text import printable
from aider_stackspot.config.yaml_file import LARGEST_FILE, Document, parse
from aider_stackspot.errors import ConfigurationError

CONFIG_VARIABLE = "AIDER_STACKSPOT_CONFIG"


@dataclass
class ConfigFile:
    """One file: its path, and what it declares. `problem` tells why it cannot be used.

    `models` has the names of StackSpot's providers and models that it gives, as far as they can be made out in a file
    that cannot be used.
    """

    path: Path
    declared: dict[str, Declared] = field(default_factory=dict)
    problem: str | None = None
    models: dict[str, list[str]] = field(default_factory=dict)


def read_files(environment: Environment, notices: list[str]) -> list[ConfigFile]:
    """Return the files that exist, closest first."""
    named = environment.pick(CONFIG_VARIABLE, "names another configuration file")
    if named is not None:
        path = Path(environment.expanded(named.text))
        file = _read(path, environment, notices, trusted=True)
        missing = f"{CONFIG_VARIABLE} in {named.source} names {path}, and there is no such file."
        return [file or ConfigFile(path, problem=printable(missing))]
    home = [environment.home] if environment.home is not None else []
    files: list[ConfigFile] = []
    for path in (directory / places.FILE_NAME for directory in (*environment.project_directories, *home)):
        if not any(places.same_file(path, other.path) for other in files):
            found = _read(path, environment, notices)
            files += [found] if found is not None else []
    return files


def _read(path: Path, environment: Environment, notices: list[str], *, trusted: bool = False) -> ConfigFile | None:
    try:
        content = environment.surroundings.read(path, LARGEST_FILE)
    except NotAFile as error:
        return ConfigFile(path, problem=printable(f"{path}: {error.strerror}, not a file."))
    except OSError as error:
        return ConfigFile(path, problem=printable(f"{path}: the file cannot be read: {error.strerror}."))
    if content is None:
        return None
    document: Document | None = None
    try:
        document = parse(path, content)
        trusted = trusted or environment.is_users_own(path, content, places.FILE_NAME)
        return ConfigFile(path, _declared(document, environment, notices, trusted=trusted))
    except ConfigurationError as error:
        return ConfigFile(path, problem=str(error), models=_names(document) if document is not None else {})


def _declared(
    document: Document, environment: Environment, notices: list[str], *, trusted: bool
) -> dict[str, Declared]:
    interpolated = interpolate(document, environment.get)
    own = interpolate(document, environment.chosen).data if interpolated.untrusted else None
    keys = validate(document, interpolated.data)
    return {
        name: Declared(name, provider, notices, document, interpolated, own, trusted)
        for name, provider in keys.providers.items()
    }


def _names(document: Document) -> dict[str, list[str]]:
    """Return the StackSpot providers and models of a file that has an error somewhere else."""
    providers = document.data.get("providers")
    found: dict[str, list[str]] = {}
    for name, provider in (providers if isinstance(providers, dict) else {}).items():
        kind = provider.get("type") if isinstance(provider, dict) else None
        if isinstance(name, str) and (name == STACKSPOT or kind == STACKSPOT):
            models = provider.get("models") if isinstance(provider, dict) else None
            found[name] = [model for model in models if isinstance(model, str)] if isinstance(models, dict) else []
    return found
