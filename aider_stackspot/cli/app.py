"""The command `aider-stackspot`, put together from its parts.

What is imported here is imported for every `--help` and every completion: the parts load what they need when they run.
"""

from __future__ import annotations

from typing import Annotated

import typer

from aider_stackspot import __version__
from aider_stackspot.cli import demo, doctor, emulator, init, models, providers, serve, trust, usage
from aider_stackspot.cli.documented import HELP_NAMES, MARKUP, InOrder, add_command


class _Commands(InOrder):
    order = ("init", "doctor", "models", "providers", "trust", "usage", "serve", "demo", "emulator")
    """In the order in which a person meets them."""


app = typer.Typer(
    name="aider-stackspot",
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    rich_markup_mode=MARKUP,
    context_settings=HELP_NAMES,
    epilog="Set up with [bold]aider-stackspot init[/bold], then run: [bold]aider --model stackspot-ai-code[/bold]",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"aider-stackspot {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", "-V", help="Print the version and exit.", is_eager=True, callback=_print_version),
    ] = False,
) -> None:
    """StackSpot AI, and any OpenAI-compatible server, for an unmodified aider."""


for _command in (
    init.init,
    doctor.doctor,
    models.models,
    trust.trust,
    usage.usage,
    serve.serve,
    demo.demo,
    emulator.emulator,
):
    add_command(app, _command)
app.add_typer(providers.providers)
