"""One provider as a file declares it, and how much of it is the user's own word."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from aider_stackspot.config.display import ignored_line, shown_url
from aider_stackspot.config.interpolate import Interpolated
from aider_stackspot.config.schema import ProviderKeys
from aider_stackspot.config.yaml_file import Document
from aider_stackspot.errors import ConfigurationError

STACKSPOT = "stackspot"
BASE_KEYS = ("auth_url", "api_base", "agent_api_base")
GUARDED = {
    "auth_url": "leads elsewhere",
    "api_base": "leads elsewhere",
    "agent_api_base": "leads elsewhere",
    "proxy": "leads everything through another host",
    "ca_bundle": "changes which certificates are trusted",
    "allow_insecure_http": "lets credentials travel unencrypted",
    "extra_headers": "can lead requests elsewhere",
}
"""The keys that decide where credentials go, and what each can do: only the user may set them. A header counts because
`Host` makes a shared front end hand the request to another customer's server."""


@dataclass
class DeclaredProvider:
    """A provider as a file declares it (or, without a document, as it is built in).

    `trusted` tells whether the file is the user's, `own_data` what it holds when only the user's variables are filled
    in. `notices` collects a line for each key that is ignored.
    """

    name: str
    keys: ProviderKeys
    notices: list[str]
    document: Document | None = None
    interpolated: Interpolated = field(default_factory=lambda: Interpolated(data=None))
    own_data: Any = field(default=None, repr=False)
    trusted: bool = True

    @property
    def is_stackspot(self) -> bool:
        """Tell the type: named, or by the provider's name."""
        return (self.keys.type or (STACKSPOT if self.name == STACKSPOT else "openai-compatible")) == STACKSPOT

    def guarded(self, key: str) -> Any:
        """Return the value of a key that only the user may set; note one that is theirs not or not alone."""
        own, given = getattr(self.own, key), getattr(self.keys, key)
        if given and given != own:
            self.ignore(key)
        return own

    def ignore(self, key: str, what: str | None = None) -> None:
        """Note that a key is ignored, or with it what it stands for."""
        if self.document is None:
            return
        shown = f" ({shown_url(str(self._written(key)))})" if key in BASE_KEYS else ""
        path = self.document.path if not self.trusted else self._foreign_file(key)
        what = f"{what or f'`{key}` of the provider `{self.name}`'}, which {GUARDED[key]}{shown},"
        self.notices.append(ignored_line(path or self.document.path, self.origin(key), what))

    def origin(self, key: str) -> str:
        """Return where a key stands, for people."""
        if self.document is None:
            return "default"
        return self.document.place(("providers", self.name, self._spelled(key)))

    def error(self, key: str, problem: str, *, model: str | None = None) -> ConfigurationError:
        """Return an error at a key of the provider, or of one of its models."""
        if self.document is None:
            return ConfigurationError(f"{key}: {problem}")
        inside = ("models", model) if model is not None else ()
        return self.document.error(("providers", self.name, *inside, self._spelled(key)), problem)

    def unset(self, key: str) -> list[str]:
        """Return the variables for want of which a key was left out."""
        return self.interpolated.unset.get(("providers", self.name, self._spelled(key)), [])

    @cached_property
    def own(self) -> ProviderKeys:
        """The keys as the user alone gives them: none from a project's file, none with a project's variable in it."""
        if self.document is None or (self.trusted and not self._has_foreign_values()):
            return self.keys
        if not self.trusted:
            return ProviderKeys.model_validate({})
        try:
            return ProviderKeys.model_validate(self.own_data["providers"][self.name])
        except (ValidationError, KeyError, TypeError):
            return ProviderKeys.model_validate({})

    def _foreign_file(self, key: str) -> Path | None:
        """Return the project's file that has a variable for a key of the user's own file."""
        here = ("providers", self.name, self._spelled(key))
        return next((path for place, path in self.interpolated.untrusted.items() if place[:3] == here), None)

    def _has_foreign_values(self) -> bool:
        return any(location[:2] == ("providers", self.name) for location in self.interpolated.untrusted)

    def _spelled(self, key: str) -> str:
        """Return a key as the file spells it."""
        assert self.document is not None
        other = ("providers", self.name, "base_url")
        return "base_url" if key == "api_base" and other in self.document.lines else key

    def _written(self, key: str) -> Any:
        """Return what stands at a key in the file, references not filled in: a message must not show a secret."""
        assert self.document is not None
        data: Any = self.document.data
        for part in ("providers", self.name, self._spelled(key)):
            data = data.get(part) if isinstance(data, dict) else None
        return data
