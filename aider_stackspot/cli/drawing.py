"""What the commands draw with: rich, loaded when something is first drawn. JSON for programs needs none of it."""

from aider_stackspot.lazy import attributes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.markdown import Markdown
    from rich.markup import escape
    from rich.spinner import Spinner
    from rich.table import Table

__all__ = ["Console", "Live", "Markdown", "Spinner", "Table", "escape"]

__getattr__ = attributes(
    __name__,
    {
        "Console": "console",
        "Live": "live",
        "Markdown": "markdown",
        "Spinner": "spinner",
        "Table": "table",
        "escape": "markup",
    },
    within="rich",
)
