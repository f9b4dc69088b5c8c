"""`aider-stackspot status`."""

from __future__ import annotations

from typing import Annotated

import typer


def status(as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False) -> None:
    """Show the account, its token and which agents answer, one line for each.

    It requests a token and starts no chat, so it costs nothing; `aider-stackspot doctor` checks everything. The exit
    status is 1 when something is not right.

    Examples:
        aider-stackspot status
        aider-stackspot status --json
    """
    from aider_stackspot.cli.status import show_status

    show_status(as_json=as_json)
