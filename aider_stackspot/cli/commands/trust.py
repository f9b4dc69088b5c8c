"""`aider-stackspot trust`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def trust(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files to trust, or directories with such files; the project's if not given."),
    ] = None,
    show_list: Annotated[
        bool, typer.Option("--list", help="Show what is trusted, and whether it has changed.")
    ] = False,
    revoke: Annotated[
        list[Path] | None, typer.Option("--revoke", help="Stop trusting a file; may be repeated.", metavar="PATH")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; for scripts.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --list: print JSON, for programs.")] = False,
) -> None:
    """Trust a project's configuration files as they are now.

    A project's `.aider.litellm.yml`, `.env` and aider settings came with its code: until you trust them, they cannot
    name hosts, proxies or certificates. The command first shows what a file would do. When a file changes, you have to
    trust it again.

    Examples:
        aider-stackspot trust
        aider-stackspot trust .aider.litellm.yml --yes
        aider-stackspot trust --list --json
        aider-stackspot trust --revoke .env
    """
    from aider_stackspot.cli.trust import change_trust

    change_trust(paths or [], show_list=show_list, revoke=revoke or [], yes=yes, as_json=as_json)
