"""How figures are shown and kept."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.measures import Row


def show(console: Console, rows: list[Row]) -> None:
    """Print one table."""
    table = Table(caption=", ".join(f"{key} {value}" for key, value in machine.description().items()))
    for heading in ("measure", "way", "median", "p95", "ratio", "to"):
        table.add_column(heading, justify="right" if heading in ("median", "p95", "ratio") else "left")
    for row in rows:
        ratio = f"{row.ratio:.2f}" if row.ratio is not None else ""
        table.add_row(row.measure, row.way, f"{row.median:.3g} {row.unit}", f"{row.p95:.3g}", ratio, row.baseline)
    console.print(table)


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
        }
        for row in rows
    ]
    document = {"machine": machine.description(), "figures": figures}
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
