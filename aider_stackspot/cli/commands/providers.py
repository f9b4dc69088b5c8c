"""`aider-stackspot providers`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def add(
    name: Annotated[
        str | None, typer.Argument(help="A name for the server; its models are then called NAME/model.")
    ] = None,
    base_url: Annotated[str | None, typer.Option(help="The server's base URL, such as https://host/v1.")] = None,
    preset: Annotated[
        str | None, typer.Option(help="A well-known local server: lmstudio, localai, vllm, ollama, llama.cpp …")
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(help="The server's key. Better leave it out: you are asked, and it is not shown."),
    ] = None,
    token_url: Annotated[
        str | None, typer.Option(help="The OAuth2 token endpoint, for a server that wants tokens instead of a key.")
    ] = None,
    client_id: Annotated[str | None, typer.Option(help="The OAuth2 client's id.")] = None,
    client_secret: Annotated[
        str | None, typer.Option(help="Its secret. Better leave it out: you are asked, and it is not shown.")
    ] = None,
    scope: Annotated[str, typer.Option(help="The OAuth2 scope, where one is wanted.")] = "",
    audience: Annotated[str, typer.Option(help="The OAuth2 audience, where one is wanted.")] = "",
    scan: Annotated[bool, typer.Option("--scan", help="Find the well-known servers that run on this machine.")] = False,
    allow_insecure_http: Annotated[
        bool, typer.Option("--allow-insecure-http", help="Allow http:// to another machine.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Save it even if the server does not answer.")] = False,
) -> None:
    """Connect to a server, show its models, and save it.

    The settings go to your own `.aider.litellm.yml`, where comments stay as they are. The key goes to `.env` in your
    home directory, which only you can read. You are asked for what you do not give; without any option there is a menu,
    with the well-known servers that run on this machine.

    Examples:
        aider-stackspot providers add
        aider-stackspot providers add gpu --base-url https://gpu.example.com/v1
        aider-stackspot providers add corp --token-url https://id.example.com/token
        aider-stackspot providers add --preset lmstudio
        aider-stackspot providers add --scan
    """
    from aider_stackspot.cli.server_options import OAuth2Options, ServerOptions, add_servers

    client = OAuth2Options(token_url, client_id, client_secret, scope, audience)
    server = ServerOptions(name, base_url, preset, api_key, allow_insecure_http, client)
    add_servers(server, scan=scan, force=force)


def import_(
    file: Annotated[Path | None, typer.Argument(help="StatCode's file (default: its own place).")] = None,
    name: Annotated[str | None, typer.Option(help="Another name for the server, where there is only one.")] = None,
    allow_insecure_http: Annotated[
        bool, typer.Option("--allow-insecure-http", help="Allow http:// to another machine.")
    ] = False,
) -> None:
    """Take over the servers of StatCode's `providers.json`.

    They are saved as by `providers add`, also if they do not answer now. `summarize_model` becomes the `weak_model` of
    the models that the file names. The line that selects `orchestration_model` in aider's settings is printed.

    Examples:
        aider-stackspot providers import
        aider-stackspot providers import ~/.config/statcode-ai/providers.json
        aider-stackspot providers import --name lab
    """
    from aider_stackspot.cli.statcode_import import take_over

    take_over(file, name, allow_insecure_http=allow_insecure_http)


def list_(as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False) -> None:
    """List the configured servers, without asking them.

    Examples:
        aider-stackspot providers list
        aider-stackspot providers list --json
    """
    from aider_stackspot.cli.providers import print_servers

    print_servers(as_json=as_json)


def remove(name: Annotated[str, typer.Argument(help="The provider's name.")]) -> None:
    """Take a server out of your file.

    Its key stays in the environment file; the command prints the name of the variable.

    Examples:
        aider-stackspot providers remove lmstudio
    """
    from aider_stackspot.cli.providers import remove_server

    remove_server(name)


def refresh(name: Annotated[str | None, typer.Argument(help="Only this provider.")] = None) -> None:
    """Ask the servers for their models again.

    Limits that were learned from a server's errors are forgotten. The exit status is 1 when a server does not answer.

    Examples:
        aider-stackspot providers refresh
        aider-stackspot providers refresh lmstudio
    """
    from aider_stackspot.cli.providers import ask_again

    ask_again(name)


providers = {"add": add, "import": import_, "list": list_, "remove": remove, "refresh": refresh}
"""The commands of the group."""
