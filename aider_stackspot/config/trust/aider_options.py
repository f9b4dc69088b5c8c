"""The options by which aider sets variables and chooses models: only what the user asked for is the user's word."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from aider_stackspot.config.locations import AIDER_NAME
from aider_stackspot.errors import ConfigurationError

_VARIABLES = {
    "openai-api-key": "OPENAI_API_KEY",
    "anthropic-api-key": "ANTHROPIC_API_KEY",
    "openai-api-base": "OPENAI_API_BASE",
    "openai-api-type": "OPENAI_API_TYPE",
    "openai-api-version": "OPENAI_API_VERSION",
    "openai-organization-id": "OPENAI_ORGANIZATION",
}
"""aider's options that set one variable each (aider.main)."""
MODEL_OPTIONS = ("model", "weak-model", "editor-model")
ALIAS_OPTION = "alias"
_LISTS = ("set-env", "api-key", ALIAS_OPTION)
VERIFY_VARIABLE = "SSL_VERIFY"
_LEADING = (*MODEL_OPTIONS, ALIAS_OPTION, *(option for option in _VARIABLES if option.endswith("api-base")))
_FILES = ("config", "env-file", "model-settings-file")
_OPTIONS = (*_LISTS, *_VARIABLES, *MODEL_OPTIONS, *_FILES, "verify-ssl", "no-verify-ssl")
_PREFIX = "AIDER_"


@dataclass
class RequestedSettings:
    """What one source asks of aider: variables with their values, and files to read.

    `of_project` tells that it came with a project, trusted or not. `env_files` are `.env` files, `settings` aider's
    settings, `model_settings` its settings of models. `models` has for `MODEL_OPTIONS` and `ALIAS_OPTION` what is given
    for them.
    """

    variables: dict[str, str] = field(default_factory=dict, repr=False)
    env_files: list[str] = field(default_factory=list)
    settings: list[str] = field(default_factory=list)
    model_settings: list[str] = field(default_factory=list)
    models: dict[str, list[str]] = field(default_factory=dict)
    of_project: bool = False


def asked_by_arguments(arguments: Sequence[str]) -> RequestedSettings:
    """Return what the arguments of the command `aider` ask."""
    parser = _Quiet(add_help=False)
    for option in _LISTS:
        parser.add_argument(f"--{option}", action="append", default=[])
    for option in (*_VARIABLES, *MODEL_OPTIONS):
        parser.add_argument(f"--{option}")
    parser.add_argument("--env-file")
    parser.add_argument("--model-settings-file")
    parser.add_argument("--config", "-c", action="append", default=[])
    parser.add_argument("--verify-ssl", action=argparse.BooleanOptionalAction, default=None)
    try:
        given, _ = parser.parse_known_args(list(arguments))
    except ValueError:
        return RequestedSettings()
    return _asked({name.replace("_", "-"): value for name, value in vars(given).items()})


def asked_by_environment(variables: Mapping[str, str]) -> RequestedSettings:
    """Return what variables with aider's prefix ask; aider has one for each option."""
    options = (*_LISTS, *_VARIABLES, *MODEL_OPTIONS, "env-file", "model-settings-file", "verify-ssl")
    given = {option: variables.get(_variable(option)) for option in options}
    return _asked({option: _listed(text) if option in _LISTS else text for option, text in given.items()})


def asked_by_settings(content: bytes) -> RequestedSettings:
    """Return what a file of aider's settings asks; nothing if it cannot be read."""
    given = {option: value for key, value in _settings_in(content).items() for option in _options_of(key)}
    if given.pop("no-verify-ssl", None) is True:
        given["verify-ssl"] = False
    return _asked(given)


def leading_options(content: bytes) -> dict[str, list[str]]:
    """Return what a file of aider's settings says that decides where code goes, by option; aider takes short forms."""
    found: dict[str, list[str]] = {}
    for key, value in _settings_in(content).items():
        for option in _options_of(key):
            if option in _LEADING:
                found.setdefault(option, []).extend(_texts(value))
    return found


def _settings_in(content: bytes) -> dict[str, Any]:
    from aider_stackspot.config.yaml_file import plain_data  # what reads YAML is loaded with the first such file

    try:
        _, data = plain_data(Path(AIDER_NAME), content)
    except ConfigurationError:
        return {}
    return {str(key): value for key, value in data.items()} if isinstance(data, dict) else {}


def leading_variables(variables: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the same of a `.env` file's variables, by variable: aider's own, and other vendors' hosts."""
    options = {_variable(option) for option in _LEADING}
    found: dict[str, list[str]] = {}
    for name, text in variables:
        is_host = name.endswith(("_API_BASE", "_BASE_URL")) and not name.startswith((_PREFIX, "STACKSPOTAI_"))
        if name in options or is_host:
            found.setdefault(name, []).extend(_listed(text))
    return found


def option_of(name: str) -> str:
    """Return the option that a name of `leading_options` or `leading_variables` stands for."""
    return name.removeprefix(_PREFIX).replace("_", "-").lower()


def _options_of(key: str) -> list[str]:
    """Return the options that a key of aider's settings may stand for: aider takes the beginning of a name for it."""
    short = key.lstrip("-")
    if short in _OPTIONS or len(short) < 2:
        return [short]
    return [option for option in _OPTIONS if option.startswith(short)]


def _variable(option: str) -> str:
    """Return aider's variable for an option."""
    return f"{_PREFIX}{option.replace('-', '_').upper()}"


def _asked(options: Mapping[str, Any]) -> RequestedSettings:
    asked = RequestedSettings()
    for name, value in _pairs(options.get("set-env")):
        asked.variables[name] = value
    for provider, key in _pairs(options.get("api-key")):
        asked.variables[f"{provider.upper()}_API_KEY"] = key
    for option, variable in _VARIABLES.items():
        if isinstance(options.get(option), str):
            asked.variables[variable] = options[option]
    if str(options.get("verify-ssl")).lower() in ("false", "no", "0", "off"):
        asked.variables[VERIFY_VARIABLE] = ""
    asked.env_files += _texts(options.get("env-file"))
    asked.settings += _texts(options.get("config"))
    asked.model_settings += _texts(options.get("model-settings-file"))
    asked.models = {option: texts for option in _LEADING if (texts := _texts(options.get(option)))}
    return asked


def _pairs(value: Any) -> Iterable[tuple[str, str]]:
    for text in _texts(value):
        name, equals, rest = text.partition("=")
        if equals:
            yield name.strip(), rest.strip()


def _texts(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    # Nothing nested: a few aliases in a file can make a list that fills the memory once it is a text.
    return [str(item) for item in items if isinstance(item, str | int | float)]


def _listed(text: str | None) -> list[str]:
    """Return the items of `[a=1, b=2]`, or of JSON, as aider's parser reads them from a variable."""
    if text is None or not (text.startswith("[") and text.endswith("]")):
        return _texts(text)
    try:
        return _texts(json.loads(text))
    except ValueError:
        return [item.strip() for item in text[1:-1].split(",")]


class _Quiet(argparse.ArgumentParser):
    """A parser that leaves complaints about the command line to aider's own."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(message)
