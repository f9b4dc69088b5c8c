"""`aider-stackspot demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aider_stackspot.cli.demo_sample import SAMPLE_NAME


def demo(
    repo: Annotated[
        Path | None,
        typer.Option(help="Work on a copy of this git repository instead of a small sample.", file_okay=False),
    ] = None,
    file: Annotated[str, typer.Option(help="The file to edit; it must define __version__.")] = SAMPLE_NAME,
    live: Annotated[bool, typer.Option("--live", help="Use the real StackSpot and your credentials.")] = False,
) -> None:
    """Watch the unmodified aider change a file, without an account.

    It starts an emulated StackSpot on this machine, copies a git repository to a temporary place, runs `aider` there
    as you would, and shows the commit. Your own files are not changed.

    Examples:
        aider-stackspot demo
        aider-stackspot demo --repo . --file package/__about__.py
        aider-stackspot demo --live
    """
    from aider_stackspot.cli.demo import run_demo

    run_demo(repo, file, live=live)
