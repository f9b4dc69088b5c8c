"""The command `aider-stackspot`, put together from its parts."""

from __future__ import annotations

from typing import Annotated

import typer

from aider_stackspot import __version__
from aider_stackspot.cli import demo, doctor, emulator, init, models, providers, serve, trust, usage

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
app.command()(init.init)
app.command()(doctor.doctor)
app.command()(models.models)
app.add_typer(providers.providers)
app.command()(trust.trust)
app.command()(usage.usage)
app.command()(serve.serve)
app.command()(demo.demo)
app.command()(emulator.emulator)
