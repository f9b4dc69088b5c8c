"""`aider-stackspot launch`."""

from __future__ import annotations

from typing import Annotated

import typer

from aider_stackspot.gateway.programs import PROGRAMS


def launch(
    program: Annotated[str, typer.Argument(help=f"One of {', '.join(PROGRAMS)}.", metavar="PROGRAM")] = "",
    arguments: Annotated[list[str] | None, typer.Argument(help="Its own arguments.", metavar="[ARGUMENTS]...")] = None,
    model: Annotated[str, typer.Option(help="The model to use.", metavar="NAME")] = "",
) -> None:
    """Start Claude Code, Codex, opencode, Cline or qwen on the configured models.

    It starts a gateway on a free port of this machine, with a key for this run only, and then the program. It ends when
    the program ends, with the same exit status. Options of this command come before the program's name, options of the
    program after it.

    Examples:
        aider-stackspot launch claude
        aider-stackspot launch --model lab/qwen3-coder codex
        aider-stackspot launch opencode run "Add a test"
    """
    from aider_stackspot.cli.launch import run_program

    run_program(program, arguments or [], model)
