"""The options with which a user lets aider set environment variables: only what they themselves asked for is theirs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from aider_stackspot.config.locations import AIDER_NAME
from aider_stackspot.config.yaml_file import plain_data
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
_LISTS = ("set-env", "api-key")
VERIFY_VARIABLE = "SSL_VERIFY"


@dataclass
class RequestedSettings:
    """What one source asks of aider: variables with their values, and files to read.

    `env_files` are `.env` files, `settings` aider's settings, `model_settings` its settings of models.
    """

    variables: dict[str, str] = field(default_factory=dict, repr=False)
    env_files: list[str] = field(default_factory=list)
    settings: list[str] = field(default_factory=list)
    model_settings: list[str] = field(default_factory=list)


def asked_by_arguments(arguments: Sequence[str]) -> RequestedSettings:
    """Return what the arguments of the command `aider` ask."""
    parser = _Quiet(add_help=False)
    for option in _LISTS:
        parser.add_argument(f"--{option}", action="append", default=[])
    for option in _VARIABLES:
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
    options = (*_LISTS, *_VARIABLES, "env-file", "model-settings-file", "verify-ssl")
    given = {option: variables.get(f"AIDER_{option.replace('-', '_').upper()}") for option in options}
    return _asked({option: _listed(text) if option in _LISTS else text for option, text in given.items()})


def asked_by_settings(content: bytes) -> RequestedSettings:
    """Return what a file of aider's settings asks; nothing if it cannot be read."""
    try:
        _, data = plain_data(Path(AIDER_NAME), content)
    except ConfigurationError:
        return RequestedSettings()
    if not isinstance(data, dict):
        return RequestedSettings()
    given = {str(key).lstrip("-"): value for key, value in data.items()}
    if given.pop("no-verify-ssl", None) is True:
        given["verify-ssl"] = False
    return _asked(given)


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
