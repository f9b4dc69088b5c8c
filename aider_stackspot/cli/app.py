"""The command `aider-stackspot`: a module of `commands` for each command, imported when that command is asked for."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from importlib import import_module
from typing import Annotated, Any, Literal

import click
import typer
from typer.core import TyperCommand, TyperGroup

from aider_stackspot import __version__
from aider_stackspot.cli.overview import COMMANDS, DESCRIPTION, NAME, print_overview

_MARKUP: Literal["markdown", "rich"] = "rich"
_HELP_NAMES = {"help_option_names": ["--help", "-h"]}
_EXAMPLES = "\n\nExamples:\n"

Function = Callable[..., Any]


class _LazyGroup(TyperGroup):
    """Lists commands of which it knows no more than a name and a line, until one of them is asked for."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands.update({name: TyperCommand(name, help=text) for name, text in COMMANDS.items()})

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the name, the command with all that belongs to it, and the arguments that are left."""
        name, command, left = super().resolve_command(ctx, args)
        return name, load_command(name) if name in COMMANDS else command, left

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Print the overview; typer's own help is printed at once, too."""
        print_overview()


app = typer.Typer(
    name=NAME,
    cls=_LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    rich_markup_mode=_MARKUP,
    context_settings=_HELP_NAMES,
    help=DESCRIPTION,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{NAME} {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", "-V", help="Print the version and exit.", is_eager=True, callback=_print_version),
    ] = False,
) -> None:
    """Take the options that stand before a command."""


def load_command(name: str) -> click.Command:
    """Return one of `COMMANDS`: the function of this name, or the functions by name, of the module of this name."""
    found: Function | dict[str, Function] = getattr(import_module(f".commands.{name}", __package__), name)
    part = typer.Typer(
        name=name,
        help=COMMANDS[name],
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=_MARKUP,
        context_settings=_HELP_NAMES,
    )
    for each, function in found.items() if isinstance(found, dict) else [(name, found)]:
        _add(part, each, function)
    return typer.main.get_command(part)


def _add(part: typer.Typer, name: str, function: Function) -> None:
    """Add a command. Its help is its docstring, with the lines under `Examples:` as a list at the end."""
    text, _, examples = inspect.cleandoc(function.__doc__ or "").partition(_EXAMPLES)
    lines = [f"[dim]$[/dim] {_escaped(line.strip())}" for line in examples.splitlines() if line.strip()]
    # typer makes an empty line in an epilog the end of a line.
    epilog = "\n\n".join(["[bold]Examples[/bold]", *lines]) if lines else None
    part.command(name, help=_marked_up(text), epilog=epilog, context_settings=_settings_of(name))(function)


def _settings_of(name: str) -> dict[str, Any]:
    """Return how a command's line is read: what stands behind the program that `launch` starts is the program's."""
    if name != "launch":
        return dict(_HELP_NAMES)
    return {**_HELP_NAMES, "allow_interspersed_args": False, "ignore_unknown_options": True}


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")


def _marked_up(text: str) -> str:
    """Return a text for rich: what stands between backticks in bold, a paragraph without line ends of its own."""
    paragraphs = (" ".join(paragraph.split()) for paragraph in _escaped(text).split("\n\n"))
    return re.sub(r"`([^`]+)`", r"[bold]\1[/bold]", "\n\n".join(paragraphs))
