"""`python -m benchmarks`: run everything, print one table, write it as JSON."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

from rich.console import Console
from rich.table import Table

from benchmarks import machine, measures, ways


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--only", choices=["start", "first_text", "burst", "paced", "many", "size"], help="one measure")
    arguments = parser.parse_args()
    console = Console()
    ways.install()
    rows: list[measures.Row] = []
    with machine.server() as server:
        plan: dict[str, Callable[[], list[measures.Row]]] = {
            "start": measures.start,
            "first_text": lambda: measures.first_text(server),
            "burst": lambda: measures.burst(server),
            "paced": lambda: measures.paced(server),
            "many": lambda: measures.many(server),
            "size": lambda: measures.size(server),
        }
        for name, measure in plan.items():
            if arguments.only in (None, name):
                with console.status(f"measuring {name} …"):
                    rows += measure()
    _show(console, rows)
    if arguments.json:
        figures = [
            {
                "measure": row.measure,
                "way": row.way,
                "unit": row.unit,
                "median": row.median,
                "p95": row.p95,
                "ratio": row.ratio,
                "to": row.baseline,
            }
            for row in rows
        ]
        document = {"machine": machine.description(), "figures": figures}
        arguments.json.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _show(console: Console, rows: list[measures.Row]) -> None:
    table = Table(caption=", ".join(f"{key} {value}" for key, value in machine.description().items()))
    for heading in ("measure", "way", "median", "p95", "ratio", "to"):
        table.add_column(heading, justify="right" if heading in ("median", "p95", "ratio") else "left")
    for row in rows:
        ratio = f"{row.ratio:.2f}" if row.ratio is not None else ""
        table.add_row(row.measure, row.way, f"{row.median:.3g} {row.unit}", f"{row.p95:.3g}", ratio, row.baseline)
    console.print(table)


if __name__ == "__main__":
    main()
