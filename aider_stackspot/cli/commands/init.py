"""`aider-stackspot init`."""

from __future__ import annotations

from typing import Annotated

import typer


def init(
    client_id: Annotated[str | None, typer.Option(help="Client id, as the portal shows it.", metavar="ID")] = None,
    client_key_stdin: Annotated[
        bool, typer.Option("--client-key-stdin", help="Read the client key from standard input.")
    ] = False,
    realm: Annotated[str | None, typer.Option(help="The account's slug.", metavar="SLUG")] = None,
    agent: Annotated[
        list[str] | None,
        typer.Option(
            help="An agent for every model, or for one: NAME=ID; - for none. May be repeated.", metavar="[NAME=]ID"
        ),
    ] = None,
    project: Annotated[
        bool, typer.Option("--project", help="Only for the working directory, not for all your projects.")
    ] = False,
    non_interactive: Annotated[
        bool, typer.Option("--non-interactive", help="Ask nothing; use the options and the STACKSPOTAI_* variables.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace other credentials without asking.")] = False,
    no_check: Annotated[bool, typer.Option("--no-check", help="Save without a token request and a chat.")] = False,
) -> None:
    """Set up credentials and models, and prove that they work.

    It asks for the credentials that the StackSpot portal shows, and requests a token with them. Then it asks each agent
    that you choose for one word, which counts against your quota. The credentials are saved in `.env`, which only you
    can read and which git ignores; the agents are saved in `.aider.litellm.yml`. All other lines of these files stay.
    Both files are in your home directory, or with --project in the working directory. With the extra
    `aider-stackspot[keyring]` the client key can be kept in the system's keyring instead.

    The client key is never an option of the command: you type it without seeing it, or it is read from
    STACKSPOTAI_CLIENT_KEY or from standard input.

    Examples:
        aider-stackspot init
        aider-stackspot init --agent 01ARZ3NDEKTSV4RRFFQ69G5FAV
        aider-stackspot init --client-id ID --client-key-stdin < key.txt
    """
    from aider_stackspot.cli.init import InitOptions, set_up

    set_up(InitOptions(client_id, client_key_stdin, realm, agent or [], project, non_interactive, force, no_check))
