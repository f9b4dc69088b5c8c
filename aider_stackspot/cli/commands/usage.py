"""`aider-stackspot usage`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def usage(
    days: Annotated[int, typer.Option(help="How many days back, today included.", min=1, max=731, metavar="DAYS")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="Print the totals as JSON.")] = False,
    plot: Annotated[bool, typer.Option("--plot", help="Draw only the bars of days and models.")] = False,
    svg: Annotated[
        Path | None,
        typer.Option("--svg", help="Write the drawing into a file, as SVG.", metavar="FILE", dir_okay=False),
    ] = None,
) -> None:
    """Show how many tokens each StackSpot model used on each day.

    The numbers come from a small record on this machine, which has counts and no texts. A number with ~ is an estimate:
    the chat API and quick commands report none. AIDER_STACKSPOT_USAGE=0 keeps no record.

    Examples:
        aider-stackspot usage
        aider-stackspot usage --days 7 --plot
        aider-stackspot usage --svg usage.svg
        aider-stackspot usage --json
    """
    from aider_stackspot.cli.usage import show_usage

    show_usage(days, as_json=as_json, plot=plot, svg=svg)
