"""The command `aider-stackspot`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from aider_stackspot import __version__
from aider_stackspot.cli.demo import demo
from aider_stackspot.cli.emulator import emulator
from aider_stackspot.errors import StackSpotError

app = typer.Typer(
    name="aider-stackspot",
    help="StackSpot AI, and any OpenAI-compatible server, for an unmodified aider.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
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


app.command()(demo)
app.command()(emulator)


def main() -> None:
    """Run the command. What a person can mend ends with one line on stderr and exit status 2."""
    try:
        app()
    except StackSpotError as error:
        print(f"aider-stackspot: {error}", file=sys.stderr)
        raise SystemExit(2) from None
