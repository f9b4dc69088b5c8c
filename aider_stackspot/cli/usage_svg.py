"""The used tokens as a drawing in a file: bars for days and for models, in plain SVG without scripts or fonts."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

_ROW, _NAME, _BAR, _WIDTH = 20, 420, 320, 880
"""Pixels: the height of a row, the width of the names, of the longest bar, and of all."""

Row = tuple[str, int, bool]
"""A name, its tokens, and whether they are an estimate."""


def chart(days: Sequence[Row], models: Sequence[Row]) -> str:
    """Return the drawing.

    Args:
        days: each day, the first one first.
        models: each model.
    """
    parts: list[str] = []
    y = _ROW
    for title, rows in (("Tokens of each day", days), ("Tokens of each model", models)):
        parts.append(f'<text x="10" y="{y}" font-weight="bold">{title}</text>')
        most = max((tokens for _, tokens, _ in rows), default=0) or 1
        for name, tokens, estimated in rows:
            y += _ROW
            parts.append(_row(y, name, tokens, estimated, most))
        y += 2 * _ROW
    style = 'font-family="sans-serif" font-size="13"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{y - _ROW}" {style}>'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>", ""])


def _row(y: int, name: str, tokens: int, estimated: bool, most: int) -> str:
    width = max(1, round(_BAR * tokens / most)) if tokens else 0
    count = f"{'~' if estimated else ''}{tokens:,}" if tokens else ""
    return (
        f'<text x="{_NAME - 10}" y="{y}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{_NAME}" y="{y - 12}" width="{width}" height="14" fill="#2f7d4f"/>'
        f'<text x="{_NAME + width + 8}" y="{y}">{count}</text>'
    )
