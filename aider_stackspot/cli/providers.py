"""`aider-stackspot providers`: the OpenAI-compatible servers of the user's configuration."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated

import typer

from aider_stackspot.cli.documented import HELP_NAMES, add_command
from aider_stackspot.cli.terminal import output

if TYPE_CHECKING:
    from aider_stackspot.config import CompatibleProvider

providers = typer.Typer(
    name="providers",
    help="Add, list, remove and refresh OpenAI-compatible servers.",
    no_args_is_help=True,
    context_settings=HELP_NAMES,
)


def add(
    name: Annotated[str | None, typer.Argument(help="How the provider shall be called: NAME/model.")] = None,
    base_url: Annotated[str | None, typer.Option(help="The server's base URL, such as https://host/v1.")] = None,
    preset: Annotated[
        str | None, typer.Option(help="A well-known local server: lmstudio, localai, vllm, ollama, llama.cpp …")
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(help="The server's key. Better left out: it is then asked for, and not shown."),
    ] = None,
    scan: Annotated[bool, typer.Option("--scan", help="Find the well-known servers that run on this machine.")] = False,
    allow_insecure_http: Annotated[
        bool, typer.Option("--allow-insecure-http", help="Allow http:// to another machine.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Save it even if the server does not answer.")] = False,
) -> None:
    """Connect to a server, show its models, and save it.

    The settings go to your own `.aider.litellm.yml`, where comments stay as they are. The key goes to `.env` in your
    home directory, readable by you alone. What is not given is asked for.

    Examples:
        aider-stackspot providers add
        aider-stackspot providers add gpu --base-url https://gpu.example.com/v1
        aider-stackspot providers add --preset lmstudio
        aider-stackspot providers add --scan
    """
    from aider_stackspot.cli import providers_add

    if scan:
        providers_add.scan()
    else:
        providers_add.add(name, base_url, preset, api_key, insecure=allow_insecure_http, force=force)


def list_(as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False) -> None:
    """List the configured servers, without asking them.

    Examples:
        aider-stackspot providers list
        aider-stackspot providers list --json
    """
    from rich.markup import escape

    from aider_stackspot.cli.models import show_notices, state_of
    from aider_stackspot.cli.models_table import new_table
    from aider_stackspot.config import current

    states = [state_of(server) for server in _configured(current().problem)]
    show_notices(current())
    if as_json:
        typer.echo(json.dumps(states, indent=2))
        return
    if not states:
        typer.echo("No server is configured. Add one: aider-stackspot providers add")
        return
    table = new_table(("Provider", "Base URL", "Kind", "Models"))
    for state in states:
        count = f"{state['models']}, {state['hidden']} not for chat" if state["hidden"] else str(state["models"])
        models = count if state["fetched_at"] else "not known yet"
        table.add_row(*(escape(str(cell)) for cell in (state["name"], state["api_base"], state["profile"], models)))
    output().print(table)


def remove(name: Annotated[str, typer.Argument(help="The provider's name.")]) -> None:
    """Take a server out of your file.

    Its key stays in the environment file; the command tells the variable's name.

    Examples:
        aider-stackspot providers remove lmstudio
    """
    from aider_stackspot.cli.providers_add import variable_of
    from aider_stackspot.compatible import catalogue
    from aider_stackspot.config import current
    from aider_stackspot.config.edit import (
        env_text_of,
        text_of,
        users_env_file,
        users_file,
        without_provider,
        write_text,
    )

    path = users_file()
    text = without_provider(text_of(path), name)
    server = current().compatible.get(name)
    write_text(path, text)
    if server is not None:
        catalogue.forget(server)
    typer.echo(f"Removed {name} from {path}.")
    env = users_env_file()
    if re.search(rf"^\s*(export\s+)?{re.escape(variable_of(name))}\s*=", env_text_of(env), re.MULTILINE):
        typer.echo(f"Its key was left in {env}, as {variable_of(name)}.")


def refresh(name: Annotated[str | None, typer.Argument(help="Only this provider.")] = None) -> None:
    """Ask the servers for their models again.

    Limits that were learned from a server's errors are forgotten. Exit status 1 when a server does not answer.

    Examples:
        aider-stackspot providers refresh
        aider-stackspot providers refresh lmstudio
    """
    from aider_stackspot.cli.models_table import print_server
    from aider_stackspot.cli.providers_add import PATIENCE
    from aider_stackspot.compatible.catalogue import catalogue
    from aider_stackspot.config import current
    from aider_stackspot.errors import ConfigurationError

    servers = [server for server in _configured(current().problem) if name in (None, server.name)]
    if not servers:
        raise ConfigurationError(
            f"There is no server `{name}`; see: aider-stackspot providers list."
            if name
            else "No server is configured. Add one: aider-stackspot providers add"
        )
    outcomes = catalogue.refresh(servers, PATIENCE)
    for server in servers:
        print_server(output(), server)
    if any(outcome.snapshot is None for outcome in outcomes.values()):
        raise typer.Exit(1)


def _configured(problem: str | None) -> list[CompatibleProvider]:
    from aider_stackspot.config import current
    from aider_stackspot.errors import ConfigurationError

    if problem is not None:
        raise ConfigurationError(problem)
    return list(current().compatible.values())


for _command, _name in ((add, "add"), (list_, "list"), (remove, "remove"), (refresh, "refresh")):
    add_command(providers, _command, _name)
