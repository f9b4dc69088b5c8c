"""What it means to trust a file: where it sends things, and which settings it changes. For the user, before they do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from aider_stackspot.config import locations
from aider_stackspot.config.config_files import CONFIG_VARIABLE
from aider_stackspot.config.declared import BASE_KEYS, CREDENTIALS, GUARDED, GUARDED_OF_MODEL, declared_providers
from aider_stackspot.config.display import printable, shown_url
from aider_stackspot.config.env_file import MAX_ENV_FILE_BYTES, parsed
from aider_stackspot.config.environment import Environment, is_off_word
from aider_stackspot.config.network import CA_FILE_VARIABLES, NETWORK_VARIABLES
from aider_stackspot.config.schema import STACKSPOT
from aider_stackspot.config.server_credentials import files_of_command
from aider_stackspot.config.settings import CREDENTIAL_VARIABLES
from aider_stackspot.config.stackspot import AGENT_VARIABLE, BASES
from aider_stackspot.config.trust.aider_options import (
    VERIFY_VARIABLE,
    asked_by_environment,
    asked_by_settings,
    leading_options,
    leading_variables,
)
from aider_stackspot.config.trust.call_arguments import described
from aider_stackspot.config.trust.store import MAX_NAMED_FILE_BYTES
from aider_stackspot.config.yaml_file import Document, Location, parse, plain_data
from aider_stackspot.errors import ConfigurationError

PROJECT_FILES = (locations.FILE_NAME, locations.ENV_NAME, locations.AIDER_NAME, locations.MODEL_SETTINGS_NAME)
"""The names of files that a project may bring along, and that can be trusted."""

_CONFIGURATIONS = (".yml", ".yaml", ".json")
_REFERENCE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^{}]*))?\}")

State = Literal["yours", "trusted", "changed", "new"]


@dataclass(frozen=True)
class FilePreview:
    """What trusting a file would mean, with the content that would be trusted.

    `state` is `yours` for a file of the home directory, which needs no trust, `trusted` as it is, `changed` since it
    was, or `new`. `allows` has a line for each thing that trust makes effective. `named` has the files that it names,
    with their content: they are trusted with it.
    """

    path: Path
    content: bytes = field(repr=False)
    state: State
    allows: tuple[str, ...]
    named: Mapping[Path, bytes] = field(default_factory=dict, repr=False)


def preview_of(path: Path, environment: Environment) -> FilePreview:
    """Return what the user has to know about a file before they trust it.

    Raises:
        ConfigurationError: there is no such file, or it could not be used if it were trusted.
    """
    try:
        content = environment.surroundings.read(path, MAX_ENV_FILE_BYTES)
    except OSError as error:
        raise ConfigurationError(printable(f"{path}: {error.strerror}.")) from None
    if content is None:
        raise ConfigurationError(printable(f"{path}: there is no such file."))
    allows, named = list(_allows(path, content, environment)), _named(path, content, environment)
    allows += _shown_names(named, environment)
    return FilePreview(path, content, _state(path, content, environment), tuple(allows), named)


def project_files(environment: Environment) -> list[Path]:
    """Return the files of the project in which one works, as far as there are any."""
    found = [directory / name for directory in environment.project_directories for name in PROJECT_FILES]
    return [path for path in found if path.is_file() and not _is_homes(path, environment)]


def _state(path: Path, content: bytes, environment: Environment) -> State:
    if _is_homes(path, environment):
        return "yours"
    if environment.trust.has(path, content):
        return "trusted"
    return "changed" if str(path.resolve()) in environment.trust.entries() else "new"


def _is_homes(path: Path, environment: Environment) -> bool:
    home = environment.home
    return home is not None and any(locations.same_file(path, home / name) for name in PROJECT_FILES)


def _allows(path: Path, content: bytes, environment: Environment) -> Iterator[str]:
    if path.name == locations.AIDER_NAME:
        parse(path, content)
        asked = asked_by_settings(content)
        yield from _variables(asked.variables, environment)
        yield from (f"loads {name}, if you trust that file too" for name in asked.env_files)
        yield from _leads(leading_options(content))
    elif path.name == locations.MODEL_SETTINGS_NAME:
        plain_data(path, content)
        yield from described(path, content)
    elif path.suffix in _CONFIGURATIONS:
        yield from _providers(_checked_document(path, content, environment), environment)
    else:
        values = _env_values(path, content)
        if not values and path.name != locations.ENV_NAME:
            raise ConfigurationError(printable(f"{path}: this is no configuration file, it sets no variable."))
        asked = asked_by_environment(values)
        yield from _variables(values | asked.variables, environment)
        yield from (f"lets aider load {name}, if you trust that file too" for name in asked.env_files)
        yield from _leads(leading_variables(values.items()))


def _leads(leads: Mapping[str, list[str]]) -> Iterator[str]:
    """Yield what aider is told of where code goes."""
    yield from (f"aider follows {name} = {shown_url(value)}" for name, values in leads.items() for value in values)


def _named(path: Path, content: bytes, environment: Environment) -> dict[Path, bytes]:
    """Return the files that a file names and that its trust makes effective, each with its content."""
    if path.suffix in _CONFIGURATIONS and path.name not in (locations.AIDER_NAME, locations.MODEL_SETTINGS_NAME):
        document = _checked_document(path, content, environment)
        declared = declared_providers(document, environment, [], trusted=True, voucher=None).values()
        base = path.resolve().parent
        files = [file for one in declared for file in (one.keys.ca_bundle, one.keys.client_certificate) if file]
        names = [environment.expanded(file, base) for file in files]
        for one in declared:
            names += files_of_command(one.keys.api_key_command or (), base, environment)
    elif path.name == locations.MODEL_SETTINGS_NAME:
        names = []
    else:
        is_aiders = path.name == locations.AIDER_NAME
        values = asked_by_settings(content).variables if is_aiders else _env_values(path, content)
        values = {name: _resolved(text, environment, values) for name, text in values.items()}
        names = [
            environment.expanded(values[name]) for name in (CONFIG_VARIABLE, *CA_FILE_VARIABLES) if values.get(name)
        ]
    found: dict[Path, bytes] = {}
    for name in map(Path, dict.fromkeys(names)):
        try:
            text = environment.surroundings.read(name, MAX_NAMED_FILE_BYTES)
        except OSError as error:
            raise ConfigurationError(printable(f"{path} names {name}: {error.strerror}.")) from None
        if text is not None:
            found[name] = text
            if name.suffix in _CONFIGURATIONS and path.suffix not in _CONFIGURATIONS:
                found |= _named(name, text, environment)
    return found


def _shown_names(named: Mapping[Path, bytes], environment: Environment) -> Iterator[str]:
    for path, content in named.items():
        yield f"names {path}, which is trusted with it, as it is now"
        if path.suffix in _CONFIGURATIONS:
            yield from (f"{path.name}, {line}" for line in _allows(path, content, environment))


def _checked_document(path: Path, content: bytes, environment: Environment) -> Document:
    document = parse(path, content)
    declared_providers(document, environment, [], trusted=True, voucher=None)
    return document


def _env_values(path: Path, content: bytes) -> dict[str, str]:
    try:
        return dict(parsed(content))
    except ValueError as error:
        raise ConfigurationError(printable(f"{path}: the file cannot be read: {error}.")) from None


def _variables(values: Mapping[str, str], environment: Environment) -> Iterator[str]:
    """Yield what variables do; of those that may hold a secret, only that they are there."""
    bases = [variable for variable, _ in BASES.values()]
    secret = (CREDENTIAL_VARIABLES["client_id"], CREDENTIAL_VARIABLES["api_key"])
    shown = (*bases, *NETWORK_VARIABLES, CONFIG_VARIABLE, AGENT_VARIABLE, CREDENTIAL_VARIABLES["client_realm"])
    others = [name for name in values if name not in shown and name not in secret and not name.startswith("AIDER_")]
    for name in shown:
        if name in values:
            text = shown_url(_resolved(values[name], environment, values))
            is_off = name == VERIFY_VARIABLE and (not text.strip() or is_off_word(text))
            yield f"{name} = {text or '(empty)'}{': certificates are not checked' if is_off else ''}"
    yield from (f"{name} (credentials of its own)" for name in secret if name in values)
    if others:
        yield f"variables for ${{…}} in your own files: {', '.join(sorted(map(printable, others)))}"


def _providers(document: Document, environment: Environment) -> Iterator[str]:
    """Yield what the providers of a file do."""
    providers = document.data.get("providers") or {}
    for name, keys in providers.items():
        for key, value in (keys or {}).items():
            where = f"line {document.line(('providers', str(name), key)) or '?'}: {name}.{key}"
            written = _written("api_base" if key == "base_url" else key, value, environment)
            if written is not None:
                yield f"{where} = {written}"
            elif key in CREDENTIALS and _is_written_out(str(value)):
                yield f"{where} (a credential of its own)"
            elif (key, value) == ("type", STACKSPOT) or key == "client_realm":
                yield f"{where} = {printable(_resolved(str(value), environment))}"
            elif key == "models" and STACKSPOT in (name, keys.get("type")):
                yield f"{where}: these names mean models of {name}: {', '.join(_names(value))}"
            if key == "models" and isinstance(value, dict):
                yield from _models(document, ("providers", str(name), key), value, environment)
        variables = sorted(set(re.findall(r"\$\{(\w+)", str(keys))))
        if variables:
            yield f"{name} is given the variables {', '.join(variables)}"


def _is_written_out(credential: str) -> bool:
    reference = _REFERENCE.fullmatch(credential)
    return reference is None or bool(reference["default"])


def _names(models: Any) -> Iterator[str]:
    """Yield the names of models: the user's word with the trust, also where others have models of these names."""
    for model in models or ():
        yield printable(str(model.get("id") or model.get("name") if isinstance(model, dict) else model))


def _models(document: Document, place: Location, models: Mapping[Any, Any], environment: Environment) -> Iterator[str]:
    """Yield what the models of a provider do."""
    for model, keys in models.items():
        for key in GUARDED_OF_MODEL:
            if isinstance(keys, dict) and keys.get(key) is not None:
                line = document.line((*place, str(model), key)) or "?"
                yield f"line {line}: {key} of {place[1]}/{model} = {_resolved(str(keys[key]), environment)}"


def _written(key: str, value: Any, environment: Environment) -> str | None:
    if key in BASE_KEYS or key == "proxy":
        return shown_url(_resolved(str(value), environment))
    if key == "aliases" and isinstance(value, dict):
        return printable(", ".join(f"{alias} → {_resolved(str(model), environment)}" for alias, model in value.items()))
    if key == "extra_headers" and isinstance(value, dict):
        return f"{', '.join(map(str, value))} (values not shown)"
    return printable(_resolved(str(value), environment)) if key in GUARDED else None


def _resolved(text: str, environment: Environment, beside: Mapping[str, str] | None = None) -> str:
    """Return a text with those references filled in that show no secret: the project's own words, and defaults."""

    def replace(match: re.Match[str]) -> str:
        own = (beside or {}).get(match["name"])
        if own is not None and own != text:
            return own
        value = environment.get(match["name"])
        if value is None:
            return match[0] if match["default"] is None else match["default"]
        return match[0] if value.trusted else value.text

    return _REFERENCE.sub(replace, text)
