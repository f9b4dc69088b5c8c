"""Tables whose words stay whole: names, ids and addresses are there to be copied.

A cell may take several lines, broken between words. Where a terminal is too narrow even for that, each row becomes
some lines of its own, which the terminal breaks without a line break in what is copied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aider_stackspot.cli import drawing
from aider_stackspot.config.display import printable

GAP = 2
"""Blanks between two columns."""


def print_table(
    console: drawing.Console,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: Sequence[str] = (),
    footer: Sequence[str] = (),
) -> None:
    """Print rows as a table, or one below the other where there is no room for one.

    Args:
        console: where to.
        columns: their headings.
        rows: a text for each column, without markup; what a terminal would obey is shown as an escape. The first one
            names the row.
        numbers: the columns to be set to the right.
        footer: a text for each column, below the last row.
    """
    rows = [[printable(cell) for cell in row] for row in rows]
    every = [columns, *rows, *([footer] if footer else [])]
    widths = _widths(every, console.width)
    if widths is None:
        for row in every[1:]:
            _print_lines(console, columns, row)
        return
    table = drawing.Table(
        box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim", show_footer=bool(footer)
    )
    table.show_header = any(columns)
    for number, (column, width) in enumerate(zip(columns, widths, strict=True)):
        below = drawing.escape(footer[number]) if footer else ""
        table.add_column(column, below, justify="right" if column in numbers else "left", width=width)
    for row in rows:
        table.add_row(*map(drawing.escape, row))
    console.print(table)


def fits(console: drawing.Console, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether each row of a table fits into one line."""
    return sum(map(_longest, zip(columns, *rows, strict=True))) + GAP * (len(columns) - 1) <= console.width


def print_facts(console: drawing.Console, facts: Mapping[str, str]) -> None:
    """Print names with what there is to say of each; no text is broken."""
    rows = [(name, printable(text)) for name, text in facts.items()]
    if fits(console, ("", ""), rows):
        print_table(console, ("", ""), rows)
        return
    for name, text in rows:
        console.print(f"{name}: {text}", markup=False, soft_wrap=True)


def _print_lines(console: drawing.Console, columns: Sequence[str], row: Sequence[str]) -> None:
    name, *cells = row
    if name:
        console.print(name, markup=False, soft_wrap=True)
    for column, cell in zip(columns[1:], cells, strict=True):
        if cell:
            console.print(f"  {column}: {cell}", markup=False, soft_wrap=True)


def _widths(rows: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """Return how wide each column is to be; `None` where the longest words do not fit beside each other."""
    columns = [*zip(*rows, strict=True)]
    widths = [_longest([word for cell in column for word in cell.split()]) for column in columns]
    spare = room - sum(widths) - GAP * (len(columns) - 1)
    if spare < 0:
        return None
    for number, column in enumerate(columns):
        more = min(spare, _longest(column) - widths[number])
        widths[number] += more
        spare -= more
    return widths


def _longest(texts: Sequence[str]) -> int:
    return max(map(drawing.cell_len, texts), default=0)
