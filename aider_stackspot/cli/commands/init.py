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
        bool, typer.Option("--project", help="For the working directory alone, not for all your projects.")
    ] = False,
    non_interactive: Annotated[
        bool, typer.Option("--non-interactive", help="Ask nothing; take options and STACKSPOTAI_* variables.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace other credentials without asking.")] = False,
    no_check: Annotated[bool, typer.Option("--no-check", help="Save without a token request and a chat.")] = False,
) -> None:
    """Set up credentials and models, and prove that they work.

    It asks for what the StackSpot portal shows, asks for a token, and lets each chosen agent answer with one word,
    which counts against your quota. `.env` gets the credentials (readable by you alone, kept out of git),
    `.aider.litellm.yml` the agents; what else stands in them stays. Both are in your home directory, or with --project
    in the working directory. The key is never an option: it is asked for without echo, or comes from
    STACKSPOTAI_CLIENT_KEY or standard input.

    Examples:
        aider-stackspot init
        aider-stackspot init --agent 01ARZ3NDEKTSV4RRFFQ69G5FAV
        aider-stackspot init --client-id ID --client-key-stdin < key.txt
    """
    from aider_stackspot.cli.init import InitOptions, set_up

    set_up(InitOptions(client_id, client_key_stdin, realm, agent or [], project, non_interactive, force, no_check))
