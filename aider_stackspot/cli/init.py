"""`aider-stackspot init`: from the portal's credentials to a working configuration."""

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
        typer.Option(help="An agent for every model, or for one: NAME=ID. May be repeated.", metavar="[NAME=]ID"),
    ] = None,
    home: Annotated[bool, typer.Option("--home", help="Write to the home directory, for all projects.")] = False,
    non_interactive: Annotated[
        bool, typer.Option("--non-interactive", help="Ask nothing; take options and STACKSPOTAI_* variables.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there without asking.")] = False,
    no_check: Annotated[bool, typer.Option("--no-check", help="Save without a token request.")] = False,
) -> None:
    """Set up credentials and models, and prove that they work.

    It asks for what the StackSpot portal shows. `.env` gets the credentials (readable by you alone, kept out of git,
    its other lines stay), `.aider.litellm.yml` the agents. Both go to the working directory, or with --home to your
    home directory. The key is never an option: it is asked for without echo, or comes from STACKSPOTAI_CLIENT_KEY or
    standard input.

    Examples:
        aider-stackspot init
        aider-stackspot init --home --agent 01ARZ3NDEKTSV4RRFFQ69G5FAV
        aider-stackspot init --client-id ID --client-key-stdin < key.txt
    """
    from aider_stackspot.cli.init_steps import InitOptions, set_up

    set_up(InitOptions(client_id, client_key_stdin, realm, agent or [], home, non_interactive, force, no_check))
