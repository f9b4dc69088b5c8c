"""What `--help` says of a command: its docstring, with the examples as a list of their own at the end."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, Literal

import typer
from typer.core import TyperGroup

MARKUP: Literal["markdown", "rich"] = "rich"
HELP_NAMES = {"help_option_names": ["--help", "-h"]}
_EXAMPLES = "\n\nExamples:\n"


class InOrder(TyperGroup):
    """A group that lists its commands in the order of `order`; typer puts groups last."""

    order: tuple[str, ...] = ()

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands."""
        return sorted(self.commands, key=lambda name: (*self.order, name).index(name))


def add_command(app: typer.Typer, command: Callable[..., Any], name: str | None = None) -> None:
    """Add a command whose docstring ends with an indented list of examples, one a line, under `Examples:`."""
    text, _, examples = inspect.cleandoc(command.__doc__ or "").partition(_EXAMPLES)
    lines = [f"[dim]$[/dim] {_escaped(line.strip())}" for line in examples.splitlines() if line.strip()]
    # typer makes an empty line in an epilog the end of a line.
    epilog = "\n\n".join(["[bold]Examples[/bold]", *lines]) if lines else None
    app.command(name, help=_marked_up(text), epilog=epilog, context_settings=HELP_NAMES)(command)


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")


def _marked_up(text: str) -> str:
    """Return a text for rich: what stands between backticks in bold, a paragraph without line ends of its own."""
    paragraphs = (" ".join(paragraph.split()) for paragraph in _escaped(text).split("\n\n"))
    return re.sub(r"`([^`]+)`", r"[bold]\1[/bold]", "\n\n".join(paragraphs))
