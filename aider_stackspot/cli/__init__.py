"""The command `aider-stackspot`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from aider_stackspot import __version__
from aider_stackspot.cli.demo import demo
from aider_stackspot.cli.doctor import doctor
from aider_stackspot.cli.emulator import emulator
from aider_stackspot.cli.init import init
from aider_stackspot.cli.models import models
from aider_stackspot.cli.providers import providers
from aider_stackspot.cli.serve import serve
from aider_stackspot.cli.trust import trust
from aider_stackspot.cli.usage import usage
from aider_stackspot.errors import StackSpotError

app = typer.Typer(
    name="aider-stackspot",
    help="StackSpot AI, and any OpenAI-compatible server, for an unmodified aider.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="markdown",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"aider-stackspot {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """StackSpot AI, and any OpenAI-compatible server, for an unmodified aider."""


# In the order in which a person meets them.
app.command()(init)
app.command()(doctor)
app.command()(models)
app.add_typer(providers)
app.command()(trust)
app.command()(usage)
app.command()(serve)
app.command()(demo)
app.command()(emulator)


def main() -> None:
    """Run the command. What a person can mend ends with one line on stderr and exit status 2."""
    try:
        app()
    except StackSpotError as error:
        print(f"aider-stackspot: {error}", file=sys.stderr)
        raise SystemExit(2) from None
