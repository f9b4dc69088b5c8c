"""How figures are shown and kept."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.measures import Row


def show(console: Console, rows: list[Row]) -> None:
    """Print a table for each measure."""
    for measure in dict.fromkeys(row.measure for row in rows):
        own = [row for row in rows if row.measure == measure]
        baseline = next((row.baseline for row in own if row.baseline), None)
        table = Table(title=measure, title_justify="left", caption=f"ratio: {baseline}" if baseline else None)
        table.add_column("way", min_width=32)
        for heading in ("median", "p95", "ratio"):
            table.add_column(heading, justify="right", min_width=12)
        for row in own:
            ratio = f"{row.ratio:.2f}" if row.ratio is not None else ""
            table.add_row(row.way, f"{row.median:,.3g} {row.unit}", f"{row.p95:,.3g} {row.unit}", ratio)
        console.print(table)
    console.print(", ".join(f"{key} {value}" for key, value in machine.description().items()))


def keep(path: Path, rows: list[Row]) -> None:
    """Write the figures as JSON."""
    figures = [
        {
            "measure": row.measure,
            "way": row.way,
            "unit": row.unit,
            "median": row.median,
            "p95": row.p95,
            "ratio": row.ratio,
            "to": row.baseline,
            "values": row.values,
        }
        for row in rows
    ]
    document = {"machine": machine.description(), "figures": figures}
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
