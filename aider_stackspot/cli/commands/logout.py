"""`aider-stackspot logout`."""

from __future__ import annotations

from typing import Annotated

import typer


def logout(
    force: Annotated[bool, typer.Option("--force", help="Take them out without asking.")] = False,
) -> None:
    """Take the credentials out of your own `.env` file.

    The client id and the client key are removed from the `.env` in your home directory, and the keys of all your
    accounts from the system's keyring. Everything else stays: other lines, agents, the files of projects, and the
    credential itself, which only the portal can delete.

    Examples:
        aider-stackspot logout
        aider-stackspot logout --force
    """
    from aider_stackspot.cli.logout import log_out

    log_out(force=force)
