"""A server that the user adds to their configuration: what is known of it, its proof, and how it is saved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import typer
from pydantic import SecretStr

from aider_stackspot.cli.models import print_server
from aider_stackspot.cli.terminal import output, tell, waiting
from aider_stackspot.compatible.catalogue import catalogue
from aider_stackspot.compatible.server import models_of
from aider_stackspot.config import CompatibleProvider, current
from aider_stackspot.config.edit import changing, save_variable, text_of, users_env_file, users_file, write_text
from aider_stackspot.config.edit_yaml import with_provider
from aider_stackspot.config.schema import PROVIDER_NAME, STACKSPOT
from aider_stackspot.config.settings import OAuth2Client
from aider_stackspot.errors import ConfigurationError

LIST_TIMEOUT = 10.0
"""Seconds for the list of a server that the user just named; a start waits for two at most."""


@dataclass(frozen=True)
class NewServer:
    """A server to add, as far as the user said."""

    name: str
    base_url: str
    key: str = ""
    allow_insecure_http: bool = False
    client: OAuth2Client | None = None
    models: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def variable(self) -> str:
        """The environment variable that will hold the key, or the client's secret."""
        return variable_for(self.name, "API_KEY" if self.client is None else "CLIENT_SECRET")

    @property
    def secret(self) -> str:
        """What the variable will hold."""
        secret = self.client.client_secret if self.client is not None else None
        return secret.get_secret_value() if secret is not None else self.key

    @property
    def keys(self) -> dict[str, Any]:
        """The keys of the provider in the file."""
        keys: dict[str, Any] = {"api_base": self.base_url}
        if self.client is not None:
            keys |= {"token_url": self.client.token_url, "client_id": self.client.client_id}
            keys["client_secret"] = f"${{{self.variable}}}"
            asked = {"scope": self.client.scope, "audience": self.client.audience}
            keys |= {key: value for key, value in asked.items() if value}
        elif self.key:
            keys["api_key"] = f"${{{self.variable}}}"
        if self.allow_insecure_http:
            keys["allow_insecure_http"] = True
        if self.models:
            keys["models"] = {name: dict(more) for name, more in self.models.items()}
        return keys

    @property
    def provider(self) -> CompatibleProvider:
        """The server as the configuration will have it: the machine's own proxy and certificates hold for it."""
        network = next(iter(current().accounts.values())).network
        key = SecretStr(self.key) if self.key else None
        return CompatibleProvider(self.name, self.base_url, key, self.client, network=network)


def usable_name(name: str) -> str:
    """Return a name that a server can have.

    Raises:
        ConfigurationError: it is none.
    """
    if not name:
        raise ConfigurationError("A server needs a name, of letters, digits, `-`, `_` and `.`.")
    if name == STACKSPOT:
        raise ConfigurationError(f"`{name}` cannot be a server's name: it means StackSpot AI.")
    if PROVIDER_NAME.fullmatch(name) is None:
        raise ConfigurationError(f"`{name}` cannot be a server's name: it has letters, digits, `-`, `_` and `.` only.")
    return name


def refuse_taken(name: str, keys: Mapping[str, Any] | None = None) -> None:
    """Refuse a name that the user's file has already, before anything is asked of the server.

    Raises:
        ConfigurationError: so it is; or the file cannot be changed.
    """
    with_provider(text_of(users_file()), name, keys or {"api_base": ""})


def show_models(server: NewServer) -> bool:
    """Show the server's models with their limits, or why there are none; return whether it answers."""
    provider = server.provider
    with waiting(f"Asking {server.name} for its models"):
        outcome = catalogue.refresh([provider], LIST_TIMEOUT)[server.name]
    print_server(output(), provider, show_all=True)
    return outcome.snapshot is not None


def connect(server: NewServer, *, force: bool) -> None:
    """Show the server's models, or why there are none; end the command there unless it is to be saved all the same.

    Raises:
        ConfigurationError: the user's file cannot be changed, or has a server of this name.
    """
    refuse_taken(server.name, server.keys)
    if not show_models(server) and not force:
        output().print("Nothing was saved. To save it anyway, add --force.")
        raise typer.Exit(1)


def save(server: NewServer) -> None:
    """Put a server into the user's file, and its secret beside it.

    Raises:
        ConfigurationError: a file cannot be changed; then nothing was, or the secret alone.
    """
    path, env = users_file(), users_env_file()
    with changing(path, env):
        text = with_provider(text_of(path), server.name, server.keys)
        if server.secret:
            save_variable(env, server.variable, server.secret)
            what = "key" if server.client is None else "client secret"
            tell(f"The {what} is in {env} as {server.variable}, readable only by you.")
        write_text(path, text)
    output().print(f"Saved to {path}.", soft_wrap=True)
    usable = [model.public for model in models_of(server.provider, catalogue.known(server.provider)) if model.chat]
    tell(f"Use it: aider --model {usable[0] if usable else f'{server.name}/MODEL'}")


def variable_for(name: str, kind: str) -> str:
    """Return the environment variable for a provider's key, or for another secret of its."""
    plain = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    return f"{'_' if plain[:1].isdigit() else ''}{plain}_{kind}"
