"""`python -m benchmarks.plots`: draws docs/performance-*.svg from the figures in build/gateway.json and memory.json."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import pygal
from pygal.style import CleanStyle

DOCS = Path(__file__).parents[1] / "docs"
AT_ONCE = re.compile(r"(\d+) streams at once, (.+)")

Figures = list[dict[str, Any]]


def chart(title: str, x_title: str, y_title: str, **options: Any) -> Any:
    """Return an empty line chart that needs no script and nothing from another host."""
    return pygal.XY(
        title=title,
        x_title=x_title,
        y_title=y_title,
        js=[],
        width=760,
        height=420,
        style=CleanStyle(font_family="sans-serif", background="white", plot_background="white"),
        legend_at_bottom=True,
        dots_size=3,
        range=(0, None),
        **options,
    )


def streams(figures: Figures, what: str, field: str = "median") -> dict[str, list[tuple[int, float]]]:
    """Return one figure of each way by the number of streams at once."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for figure in figures:
        found = AT_ONCE.fullmatch(figure["measure"])
        if found is not None and found[2] == what:
            lines.setdefault(figure["way"], []).append((int(found[1]), figure[field]))
    return lines


def draw(name: str, drawing: Any, lines: dict[str, list[tuple[int, float]]]) -> None:
    """Write a chart with these lines."""
    for way, points in lines.items():
        drawing.add(way, points)
    (DOCS / f"performance-{name}.svg").write_bytes(drawing.render())


def along(figures: Figures, what: str) -> dict[str, list[tuple[int, float]]]:
    """Return the samples of a measurement over the count that its name has."""
    lines = {}
    for figure in figures:
        if figure["measure"].startswith(what):
            count, values = int(re.sub(r"\D", "", figure["measure"])), figure["values"]
            lines[figure["way"]] = [((number + 1) * count // len(values), value) for number, value in enumerate(values)]
    return lines


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("build"), help="where the figures are")
    folder = parser.parse_args().folder
    gateway: Figures = json.loads((folder / "gateway.json").read_text(encoding="utf-8"))["figures"]
    memory: Figures = json.loads((folder / "memory.json").read_text(encoding="utf-8"))["figures"]
    at_once = "streams at once"
    draw("cpu", chart("CPU an answer", at_once, "ms"), streams(gateway, "CPU an answer"))
    draw("first-text", chart("First text, 95 of 100", at_once, "ms"), streams(gateway, "first text", "p95"))
    draw("memory", chart("Memory", at_once, "MB"), streams(gateway, "memory"))
    draw("answers", chart("Memory of the gateway", "answers", "MB"), along(memory, "memory of the gateway"))
    draw("session", chart("Memory of aider", "turns", "MB"), along(memory, "memory of aider"))


if __name__ == "__main__":
    main()
