"""`python -m benchmarks`: run everything, print one table, write it as JSON."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

from rich.console import Console

from benchmarks import machine, measures, report, starts, ways

MEASURES = ("start", "commands", "aider", "first_text", "cold", "burst", "paced", "many", "size", "parts")


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--only", choices=MEASURES, help="one measure")
    arguments = parser.parse_args()
    console = Console()
    ways.install()
    rows: list[measures.Row] = []
    with machine.server() as server:
        plan: dict[str, Callable[[], list[measures.Row]]] = {
            "start": starts.start,
            "commands": lambda: starts.commands(server),
            "aider": lambda: starts.aider(server),
            "first_text": lambda: measures.first_text(server),
            "cold": lambda: measures.cold(server),
            "burst": lambda: measures.burst(server),
            "paced": lambda: measures.paced(server),
            "many": lambda: measures.many(server),
            "size": lambda: measures.size(server),
            "parts": measures.parts,
        }
        for name, measure in plan.items():
            if arguments.only in (None, name):
                with console.status(f"measuring {name} …"):
                    rows += measure()
    report.show(console, rows)
    if arguments.json:
        report.keep(arguments.json, rows)


if __name__ == "__main__":
    main()
