"""`aider-stackspot providers add`: the servers that its options, the user or this machine name."""

from __future__ import annotations

from dataclasses import dataclass

import typer
from pydantic import SecretStr

from aider_stackspot.cli.local_servers import servers_of_this_machine
from aider_stackspot.cli.new_server import NewServer, connect, save, usable_name
from aider_stackspot.cli.server_menu import ask_for_server
from aider_stackspot.cli.terminal import before_writing, is_interactive, tell
from aider_stackspot.compatible import profiles
from aider_stackspot.compatible.server import BUDGET
from aider_stackspot.config.base_url import checked, checked_endpoint
from aider_stackspot.config.header_values import api_key as sendable_key
from aider_stackspot.config.settings import OAuth2Client
from aider_stackspot.errors import ConfigurationError


@dataclass(frozen=True)
class OAuth2Options:
    """An OAuth2 client, as far as the options say."""

    token_url: str | None
    client_id: str | None
    client_secret: str | None
    scope: str
    audience: str

    def client(self, allow_insecure_http: bool) -> OAuth2Client | None:
        """Return the client, and ask for what is missing; `None` where there is none.

        Raises:
            ConfigurationError: something is missing, or cannot be used.
        """
        if self.token_url is None:
            given = (self.client_id, self.client_secret, self.scope, self.audience)
            if any(given):
                raise ConfigurationError("--token-url is missing: an OAuth2 client needs its token endpoint.")
            return None
        url = checked_endpoint(self.token_url, what="--token-url", allow_insecure_http=allow_insecure_http)
        client_id = self.client_id or _ask("Client id", "--client-id")
        secret = self.client_secret or _ask("Client secret, not shown", "--client-secret", hidden=True)
        return OAuth2Client(url, client_id.strip(), SecretStr(secret.strip()), self.scope, self.audience)


@dataclass(frozen=True)
class ServerOptions:
    """A server, as far as the options say."""

    name: str | None
    base_url: str | None
    preset: str | None
    api_key: str | None
    allow_insecure_http: bool
    client: OAuth2Options

    @property
    def is_given(self) -> bool:
        """Tell whether any option says anything."""
        own = (self.name, self.base_url, self.preset, self.api_key, self.allow_insecure_http)
        return any((*own, *vars(self.client).values()))


def add_servers(options: ServerOptions, *, scan: bool, force: bool) -> None:
    """Connect to what the options say, or to what is asked for, and save it.

    Args:
        options: the server; what is missing is asked for.
        scan: look for the well-known servers of this machine instead.
        force: save it even if it does not answer.
    """
    with before_writing():
        if is_interactive() and not (options.is_given or scan or force):
            servers = [ask_for_server()]
        else:
            servers = _found_and_wanted() if scan else [_given_server(options)]
            for server in servers:
                connect(server, force=force and not scan)
    for server in servers:
        save(server)


def _given_server(options: ServerOptions) -> NewServer:
    """Return what the options say, and ask for the rest where somebody can answer."""
    name, base_url, preset, key = options.name, options.base_url, options.preset, options.api_key
    allow_insecure_http = options.allow_insecure_http
    profile = profiles.named(preset) if preset is not None else None
    if preset is not None and (profile is None or profile.base_url is None):
        known = ", ".join(one.name for one in profiles.PRESETS)
        raise ConfigurationError(f"There is no preset `{preset}`; there are {known}.")
    if profile is not None:
        name, base_url = name or profile.name, base_url or profile.base_url
        key = key if key is not None else ""
    name = usable_name(name if name is not None else _ask("Name (its models become NAME/model)", "NAME"))
    base_url = base_url if base_url is not None else _ask("Base URL, such as https://host/v1", "--base-url")
    base_url = checked(base_url, what="the base URL", allow_insecure_http=allow_insecure_http)
    client = options.client.client(allow_insecure_http)
    if client is not None and key:
        raise ConfigurationError("--api-key and --token-url both say who asks; give one of them.")
    if key is None and client is None and is_interactive():
        key = typer.prompt("Key, not shown (Enter for none)", default="", hide_input=True, show_default=False, err=True)
    return NewServer(name, base_url, sendable_key(key or "", "The key"), allow_insecure_http, client)


def _ask(what: str, option: str, *, hidden: bool = False) -> str:
    if not is_interactive():
        raise ConfigurationError(f"{option} is missing, and there is no terminal to ask at.")
    return str(typer.prompt(what, err=True, hide_input=hidden))


def _found_and_wanted() -> list[NewServer]:
    """Look for the well-known servers on this machine, and return the new ones that the user wants to add."""
    places = servers_of_this_machine(BUDGET)
    found = [server for server in places if server.snapshot is not None]
    if not found:
        tell(f"None of these answers: {', '.join(server.base_url for server in places)}.")
        raise typer.Exit(1)
    wanted = []
    for server in found:
        if server.configured:
            tell(f"{server.base_url}: configured already, as {server.configured}.")
        elif not is_interactive() or typer.confirm(f"Add {server.base_url} as {server.kind}?", default=True):
            wanted.append(NewServer(server.kind, server.base_url))
    return wanted
