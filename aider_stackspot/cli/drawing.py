"""What the commands draw with: rich, loaded when something is first drawn. JSON for programs needs none of it."""

from aider_stackspot.lazy import attributes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rich.cells import cell_len
    from rich.console import Console
    from rich.live import Live
    from rich.markdown import Markdown
    from rich.markup import escape
    from rich.spinner import Spinner
    from rich.table import Table

__all__ = ["Console", "Live", "Markdown", "Spinner", "Table", "cell_len", "escape"]

__getattr__ = attributes(
    __name__,
    {
        "Console": "console",
        "Live": "live",
        "Markdown": "markdown",
        "Spinner": "spinner",
        "Table": "table",
        "cell_len": "cells",
        "escape": "markup",
    },
    within="rich",
)
