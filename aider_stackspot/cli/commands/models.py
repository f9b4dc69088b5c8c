"""`aider-stackspot models`."""

from __future__ import annotations

from typing import Annotated

import typer


def models(
    provider: Annotated[str | None, typer.Option(help="Only the models of this provider.")] = None,
    show_all: Annotated[bool, typer.Option("--all", help="Also show what is not for chat, as embeddings.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """List every model for `aider --model`, with its limits.

    Each number is shown with its source; a `~` means that it is a guess. The lists of other servers are kept for an
    hour; `aider-stackspot providers refresh` asks the servers again.

    Examples:
        aider-stackspot models
        aider-stackspot models --provider lmstudio --all
        aider-stackspot models --json
    """
    from aider_stackspot.cli.models import list_models

    list_models(provider, show_all=show_all, as_json=as_json)
