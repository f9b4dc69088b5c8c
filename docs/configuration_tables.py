"""Writes the tables of `docs/configuration.md` from the models that check the file, so that the two cannot differ.

Run it after a change of the keys: `python -m docs.configuration_tables docs/configuration.md`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr

from aider_stackspot.config.config_files import CONFIG_VARIABLE
from aider_stackspot.config.declared import GUARDED, GUARDED_OF_MODEL
from aider_stackspot.config.schema import ModelKeys, ProviderKeys
from aider_stackspot.config.settings import (
    DEFAULT_AGENT_API_BASE,
    DEFAULT_AGENT_TOOLS_BASE,
    DEFAULT_API_BASE,
    DEFAULT_AUTH_URL,
    DEFAULT_REALM,
    DEFAULT_UPLOAD_BASE,
)

VARIABLES = {
    "STACKSPOTAI_CLIENT_ID": ("required", "The client id of your service credential or personal access token."),
    "STACKSPOTAI_CLIENT_KEY": ("required", "Its client key."),
    "STACKSPOTAI_REALM": (
        f"`{DEFAULT_REALM}`",
        "The realm: your account's slug; `stackspot-freemium` if you still have a free account.",
    ),
    "STACKSPOTAI_AGENT_ID": ("none", "The agent for every model that names none."),
    "STACKSPOTAI_AUTH_URL": (f"`{DEFAULT_AUTH_URL}`", "Base URL of the token endpoint."),
    "STACKSPOTAI_API_BASE": (f"`{DEFAULT_API_BASE}`", "Base URL of the chat and of quick commands."),
    "STACKSPOTAI_AGENT_API_BASE": (f"`{DEFAULT_AGENT_API_BASE}`", "Base URL of the Agents API."),
    "STACKSPOTAI_UPLOAD_BASE": (
        f"`{DEFAULT_UPLOAD_BASE}`",
        "Base URL for files and pictures; where STACKSPOTAI_AGENT_API_BASE is another, that one.",
    ),
    "STACKSPOTAI_AGENT_TOOLS_BASE": (f"`{DEFAULT_AGENT_TOOLS_BASE}`", "Base URL of the lists of agents; likewise."),
    CONFIG_VARIABLE: ("none", "The configuration file to read, instead of all others."),
    "AIDER_STACKSPOT_GATEWAY_KEY": ("made once, in a file", "The key of `aider-stackspot serve`."),
    "AIDER_STACKSPOT_AUTOLOAD": ("`1`", "`0` switches the automatic registration with LiteLLM off."),
    "AIDER_STACKSPOT_WARM_UP": ("`1`", "`0`: aider gets no token and no connection ready while you type."),
    "AIDER_STACKSPOT_USAGE": ("`1`", "`0` keeps no record for `aider-stackspot usage`."),
    "AIDER_STACKSPOT_DEBUG": ("`0`", "`1` logs each call: host, status, times and counts; no content, no secrets."),
    "AIDER_STACKSPOT_LOG": (
        "none",
        "`1` logs the same, and warnings about calls and servers, to `~/.aider/aider-stackspot/log`; a path, to that "
        "file; `json` to stderr, one JSON object a line.",
    ),
}
"""Each variable's default and meaning."""


def updated(page: str) -> str:
    """Return the page with its generated tables made anew; each stands between two marks.

    Raises:
        ValueError: a mark is missing.
    """
    tables = {"variables": _variables(), "provider-keys": _keys(ProviderKeys), "model-keys": _keys(ModelKeys)}
    for name, lines in tables.items():
        marks = f"<!-- {name} -->", f"<!-- end of {name} -->"
        pattern = f"{re.escape(marks[0])}\n.*?{re.escape(marks[1])}"
        table = "\n".join([marks[0], *lines, marks[1]])
        page, found = re.subn(pattern, lambda _, table=table: table, page, flags=re.DOTALL)  # type: ignore[misc]
        if found != 1:
            raise ValueError(f"the page needs the marks {marks[0]} and {marks[1]}, once")
    return page


def _variables() -> Iterator[str]:
    yield from ("| Variable | Default | Meaning |", "|---|---|---|")
    yield from (f"| `{name}` | {default} | {meaning} |" for name, (default, meaning) in VARIABLES.items())


def _keys(model: type[BaseModel]) -> Iterator[str]:
    yield from ("| Key | Value | Meaning |", "|---|---|---|")
    for name, field in model.model_fields.items():
        alias = " (or `base_url`)" if name == "api_base" else ""
        trust = " *Needs trust.*" if name in (GUARDED if model is ProviderKeys else GUARDED_OF_MODEL) else ""
        yield f"| `{name}`{alias} | {_kind(field.annotation)} | {field.description}{trust} |"


def _kind(annotation: Any) -> str:
    """Return a type in words."""
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    if get_origin(annotation) is list:
        return "list of texts"
    if get_origin(annotation) is dict:
        return "names with their keys" if issubclass(get_args(annotation)[1], BaseModel) else "names with texts"
    if isinstance(annotation, type):
        names = {bool: "true or false", int: "whole number", float: "number", str: "text", SecretStr: "text (secret)"}
        return names[annotation]
    return next(_kind(part) for part in get_args(annotation) if part is not type(None))


def main() -> None:
    """Write the tables into the page that is named on the command line."""
    path = Path(sys.argv[1])
    path.write_text(updated(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
