"""One provider as a file declares it: of each key its value, where it stands, and whose word it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aider_stackspot.config import public_names
from aider_stackspot.config.display import ignored_line, shown_url
from aider_stackspot.config.environment import Environment, Value
from aider_stackspot.config.schema import ProviderKeys, is_stackspot, validate
from aider_stackspot.config.yaml_file import Document, Location
from aider_stackspot.errors import ConfigurationError

_REFERENCE = re.compile(
    r"(?P<literal>\$\$\{)|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^{}]*))?\}|(?P<unknown>\$\{)"
)
_LEFT_OUT = object()
MAX_FILLED_CHARACTERS = 1024 * 1024
"""Of all values of a file together, once their references are filled in."""

Lookup = Callable[[str, Location], Value | None]
"""Returns the value of a variable for a place in the file."""


@dataclass
class Interpolated:
    """A file's data with its references filled in.

    `unset` has for each place the variables for want of which its value was left out.
    """

    data: Any = field(repr=False)
    unset: dict[Location, list[str]] = field(default_factory=dict)


def interpolate(document: Document, lookup: Lookup) -> Interpolated:
    """Fill in every reference. A value with an unset variable is left out, so that its default applies.

    Raises:
        ConfigurationError: there is a `${` that is no reference, or the file comes to too much.
    """
    result = Interpolated(data=None)
    filled_characters = 0

    def walk(value: Any, location: Location) -> Any:
        if isinstance(value, dict):
            walked = {key: walk(inner, (*location, str(key))) for key, inner in value.items()}
            return {key: inner for key, inner in walked.items() if inner is not _LEFT_OUT}
        if isinstance(value, list):
            items = [walk(inner, (*location, index)) for index, inner in enumerate(value)]
            return [item for item in items if item is not _LEFT_OUT]
        if isinstance(value, str) and "${" in value:
            return fill(value, location)
        return value

    def fill(text: str, location: Location) -> Any:
        nonlocal filled_characters
        unset: list[str] = []

        def replace(match: re.Match[str]) -> str:
            nonlocal filled_characters
            if match["literal"]:
                return "${"
            if match["unknown"]:
                raise document.error(
                    location, "`${` begins `${NAME}` or `${NAME:-default}`; write `$${` for a plain `${`."
                )
            value = lookup(match["name"], location)
            if value is None:
                unset.extend([match["name"]] if match["default"] is None else [])
                return match["default"] or ""
            filled_characters += len(value.text)
            if filled_characters > MAX_FILLED_CHARACTERS:
                raise document.error(
                    location, "the references of this file come to more text than a configuration has."
                )
            return value.text

        filled = _REFERENCE.sub(replace, text)
        if not unset:
            return filled
        result.unset[location] = unset
        return _LEFT_OUT

    result.data = walk(document.data, ())
    return result


BASE_KEYS = ("auth_url", "token_url", "api_base", "agent_api_base")
GUARDED = {
    "auth_url": "leads elsewhere",
    "token_url": "leads elsewhere",
    "api_base": "leads elsewhere",
    "agent_api_base": "leads elsewhere",
    "proxy": "leads everything through another host",
    "ca_bundle": "changes which certificates are trusted",
    "client_certificate": "is shown to servers in your name",
    "api_key_command": "runs a program",
    "allow_insecure_http": "lets credentials travel unencrypted",
    "extra_headers": "can lead requests elsewhere",
}
"""The keys that decide where credentials go, and what each can do: only the user may set them. A header counts because
`Host` makes a shared front end hand the request to another customer's server."""
CREDENTIALS = {
    "client_id": "chooses the account that gets to see what is sent",
    "api_key": "chooses the account that gets to see what is sent",
    "client_secret": "chooses the account that gets to see what is sent",
}
"""The keys that say who the user is. A project may have some of its own; it does not replace the user's in silence."""
ALIASES = {"aliases": "gives a name of yours another meaning"}
"""A project may give its own provider's models other names, as long as they are nobody's; and in the user's own file
its variables do not choose what a name means."""
GUARDED_OF_MODEL = {"weak_model": "lets aider send code to another model"}
"""The same for the keys of a model."""


@dataclass
class DeclaredProvider:
    """A provider as a file declares it (or, without a document, as it is built in).

    `trusted` tells whether the file is the user's, and `voucher` is the file whose trust that comes from. `passed_over`
    has the places in the user's file at which a variable of a project's file was not believed, `filled_by_project`
    those at which one was. `notices` collects a line for each value that is ignored.
    """

    name: str
    keys: ProviderKeys
    notices: list[str] = field(default_factory=list)
    document: Document | None = None
    trusted: bool = True
    voucher: Path | None = None
    unset_variables: dict[Location, list[str]] = field(default_factory=dict)
    passed_over: dict[Location, Value] = field(default_factory=dict, repr=False)
    filled_by_project: frozenset[Location] = frozenset()

    @property
    def is_stackspot(self) -> bool:
        """Tell the type: named, or by the provider's name."""
        return is_stackspot(self.name, self.keys)

    def is_users(self, key: str) -> bool:
        """Tell whether the value of a key is the user's own word, references included."""
        return self.trusted and self._place(key) not in self.filled_by_project

    def guarded(self, key: str) -> Any:
        """Return the value of a key that only the user may set. Another one is ignored, with a line that says so."""
        value, default = getattr(self.keys, key), ProviderKeys.model_fields[key].get_default(call_default_factory=True)
        if not self.trusted:
            if value:
                self.ignore(key)
            return default
        self.note_passed_over(key)
        return value

    def note_passed_over(self, key: str, *, model: str | None = None) -> bool:
        """Say so if a project's variable was not believed for a key, or for a part of it; tell whether it was so."""
        was = self._passed_over(key, model) is not None
        if was:
            self.ignore(key, model=model)
        return was

    def ignore(self, key: str, what: str | None = None, *, model: str | None = None) -> None:
        """Say that a key is ignored, or with it what it stands for."""
        if self.document is None:
            return
        can = {**GUARDED, **CREDENTIALS, **ALIASES}[key] if model is None else GUARDED_OF_MODEL[key]
        owner = f"the provider `{self.name}`" if model is None else f"the model `{model}`"
        shown = f" ({shown_url(str(self._written(key)))})" if key in BASE_KEYS else ""
        variable = self._passed_over(key, model)
        path = variable.file if variable is not None else None
        what = what or f"`{key}` of {owner}"
        where = self.origin(key, model=model)
        self.notices.append(ignored_line(path or self.document.path, where, what, f"{can}{shown}"))

    def origin(self, key: str, *, model: str | None = None) -> str:
        """Return where a key of the provider, or of one of its models, stands, for people."""
        return "default" if self.document is None else self.document.place(self._place(key, model))

    def error(
        self, key: str, problem: str, *, model: str | None = None, alias: str | None = None
    ) -> ConfigurationError:
        """Return an error at a key of the provider, or of one of its models, or at one of its aliases."""
        if self.document is None:
            return ConfigurationError(f"{key}: {problem}")
        place = self._place(key, model)
        return self.document.error(place if alias is None else (*place, alias), problem)

    def unset(self, key: str) -> list[str]:
        """Return the variables for want of which a key was left out."""
        return self.unset_variables.get(self._place(key), [])

    def _passed_over(self, key: str, model: str | None = None) -> Value | None:
        here = self._place(key, model)
        return next((value for place, value in self.passed_over.items() if place[: len(here)] == here), None)

    def _place(self, key: str, model: str | None = None) -> Location:
        """Return the place of a key, as the file spells it."""
        here: Location = ("providers", self.name)
        if model is not None:
            return (*here, "models", model, key)
        other = (*here, "base_url")
        return (
            other if key == "api_base" and self.document is not None and other in self.document.lines else (*here, key)
        )

    def _written(self, key: str) -> Any:
        """Return what stands at a key in the file, references not filled in: a message must not show a secret."""
        data: Any = self.document.data if self.document is not None else None
        for part in self._place(key):
            data = data.get(part) if isinstance(data, dict) else None
        return data


def declared_providers(
    document: Document, environment: Environment, notices: list[str], *, trusted: bool, voucher: Path | None
) -> dict[str, DeclaredProvider]:
    """Return the providers that a file declares, by name.

    In a file of the user's, the keys that only they may set see only their variables: a project's must not choose a
    host. For a key or client id their own variable comes first, where they have one.

    Raises:
        ConfigurationError: the file cannot be used.
    """
    passed_over: dict[Location, Value] = {}
    filled_by_project: set[Location] = set()

    def lookup(name: str, location: Location) -> Value | None:
        value = environment.get(name)
        if value is None or value.trusted or not trusted:
            return value
        own = environment.chosen(name)
        if not (_is_guarded(location) or (own is not None and location[2:3] and location[2] in CREDENTIALS)):
            filled_by_project.add(location)
            return value
        if own is None or own.text != value.text:
            passed_over[location] = value
        return own

    interpolated = interpolate(document, lookup)
    keys = validate(document, interpolated.data)
    public_names.check(document, keys.providers)
    return {
        name: DeclaredProvider(
            name,
            provider,
            notices,
            document,
            trusted,
            voucher,
            interpolated.unset,
            {place: value for place, value in passed_over.items() if place[:2] == ("providers", name)},
            frozenset(filled_by_project),
        )
        for name, provider in keys.providers.items()
    }


def _is_guarded(location: Location) -> bool:
    """Tell whether only the user may set what stands at a place."""
    key = location[2] if len(location) > 2 else None
    is_models = key == "models" and len(location) == 5 and location[4] in GUARDED_OF_MODEL
    return key in GUARDED or key in ALIASES or key == "base_url" or is_models
