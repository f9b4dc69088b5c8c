"""`aider-stackspot providers`: the OpenAI-compatible servers of the user's configuration."""

from __future__ import annotations

import json

import typer

from aider_stackspot.cli.models import print_server, server_state, show_notices
from aider_stackspot.cli.new_server import LIST_TIMEOUT, variable_for
from aider_stackspot.cli.tables import print_table
from aider_stackspot.cli.terminal import ASKING_SERVERS, output, tell, waiting
from aider_stackspot.compatible.catalogue import catalogue, forget
from aider_stackspot.config import CompatibleProvider, current
from aider_stackspot.config.edit import (
    changing,
    env_text_of,
    env_values,
    text_of,
    users_env_file,
    users_file,
    write_text,
)
from aider_stackspot.config.edit_yaml import without_provider
from aider_stackspot.errors import ConfigurationError


def print_servers(*, as_json: bool) -> None:
    """Print the configured servers, as far as they are known."""
    states = [server_state(server) for server in _configured()]
    show_notices(current())
    if as_json:
        typer.echo(json.dumps(states, indent=2))
        return
    if not states:
        tell("No server is configured. Add one: aider-stackspot providers add")
        return
    rows = []
    for state in states:
        count = f"{state['models']}, {state['hidden']} not for chat" if state["hidden"] else str(state["models"])
        models = count if state["fetched_at"] else "not known yet"
        rows.append([state["name"], state["api_base"], state["profile"], models])
    print_table(output(), ("Provider", "Base URL", "Kind", "Models"), rows)


def remove_server(name: str) -> None:
    """Take a server out of the user's file, and forget its models."""
    path = users_file()
    server = current().compatible.get(name)
    with changing(path):
        write_text(path, without_provider(text_of(path), name))
    if server is not None:
        forget(server)
    tell(f"Removed {name} from {path}.")
    env = users_env_file()
    kept = env_values(env_text_of(env))
    for kind, what in (("API_KEY", "key"), ("CLIENT_SECRET", "client secret")):
        if variable_for(name, kind) in kept:
            tell(f"Its {what} was left in {env}, as {variable_for(name, kind)}.")


def ask_again(name: str | None) -> None:
    """Ask one server, or all, for their models, and print them.

    Raises:
        ConfigurationError: there is none to ask.
    """
    servers = [server for server in _configured() if name in (None, server.name)]
    if not servers:
        raise ConfigurationError(
            f"There is no server `{name}`; see: aider-stackspot providers list."
            if name
            else "No server is configured. Add one: aider-stackspot providers add"
        )
    with waiting(ASKING_SERVERS):
        outcomes = catalogue.refresh(servers, LIST_TIMEOUT)
    for server in servers:
        print_server(output(), server)
    if any(outcome.snapshot is None for outcome in outcomes.values()):
        raise typer.Exit(1)


def _configured() -> list[CompatibleProvider]:
    settings = current()
    if settings.problem is not None:
        raise ConfigurationError(settings.problem)
    return list(settings.compatible.values())
