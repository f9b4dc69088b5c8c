"""`aider-stackspot doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Look at this machine only; no requests.")] = False,
    record_to: Annotated[
        Path | None,
        typer.Option(
            "--record",
            metavar="FILE",
            help="Instead, write a transcript that has no texts, ids or secrets.",
            dir_okay=False,
        ),
    ] = None,
) -> None:
    """Find what is wrong, step by step, and what to do about it.

    It checks versions, files, network and credentials, and asks each configured model one short question, which counts
    against your quota. The output has no secrets and no ids: you can paste it into a ticket. The exit status is 1 when
    something is broken.

    Examples:
        aider-stackspot doctor
        aider-stackspot doctor --offline --json
        aider-stackspot doctor --record transcript.json
    """
    from aider_stackspot.cli.doctor import examine

    examine(as_json=as_json, offline=offline, record_to=record_to)
