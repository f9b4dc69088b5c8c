"""`aider-stackspot docs`."""

from __future__ import annotations

from typing import Annotated

import typer


def docs(
    page: Annotated[str | None, typer.Argument(help="The page's name; without one the pages are listed.")] = None,
) -> None:
    """Read the documentation of the version that is installed.

    Examples:
        aider-stackspot docs
        aider-stackspot docs troubleshooting
    """
    from aider_stackspot.cli.docs import show_page

    show_page(page)
