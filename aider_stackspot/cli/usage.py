"""`aider-stackspot usage`: tokens per model and day."""

from __future__ import annotations

import html
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from aider_stackspot.cli import drawing
from aider_stackspot.cli.tables import print_table
from aider_stackspot.cli.terminal import output
from aider_stackspot.config.display import printable
from aider_stackspot.config.environment import Environment, read_switches
from aider_stackspot.errors import ConfigurationError
from aider_stackspot.files import write_atomically
from aider_stackspot.pipeline import usage_record
from aider_stackspot.pipeline.usage_record import Total

_Key = TypeVar("_Key")
_MAX_BAR = 30
"""Columns of the longest bar: with the day before it and the tokens behind it, it fits 60."""
_MAX_NAME = 44
"""Characters of a model's name in the drawing."""
_NUMBERS = ("calls", "tokens in", "tokens out")


def show_usage(days: int, *, as_json: bool, plot: bool, svg: Path | None) -> None:
    """Print the tokens of each model and day, or write a drawing of them.

    Args:
        days: how many days back, today included.
        as_json: print JSON.
        plot: print the bars of days and models alone.
        svg: the file for the drawing.
    """
    if svg is not None and (as_json or plot):
        raise ConfigurationError("--svg, --json and --plot each say what to make: give one of them.")
    environment = Environment()  # no file of models is needed, nor what checks one
    is_recording = read_switches(environment)[usage_record.SWITCH]
    today = datetime.now().date()
    recorded = usage_record.calls(today - timedelta(days=days - 1), environment.home)
    totals = usage_record.totals(call for call in recorded if call.day <= today)
    if as_json:
        shown = {"days": days, "recording": is_recording, "totals": [_entry(total) for total in totals]}
        print(json.dumps(shown, indent=2))
        return
    console = output()
    if not totals:
        console.print(_nothing(days, is_recording))
    elif svg is not None:
        try:
            write_atomically(svg, chart(_of_days(totals, today, days), _of_models(totals)))
        except OSError as error:
            raise ConfigurationError(f"--svg: {svg} cannot be written: {error.strerror}.") from None
        console.print(f"Written: {svg}", markup=False)
    elif plot:
        _plot(console, totals, today, days)
    else:
        _table(console, totals)
        if console.is_terminal:
            console.print()
            _plot(console, totals, today, days)


def _nothing(days: int, is_recording: bool) -> str:
    if not is_recording:
        return f"Nothing is recorded: {usage_record.SWITCH} switches it off."
    return f"No calls in the last {days} days."


def _entry(total: Total) -> dict[str, object]:
    return {
        "day": total.day.isoformat(),
        "model": total.model,
        "calls": total.calls,
        "prompt_tokens": total.prompt_tokens,
        "completion_tokens": total.completion_tokens,
        "estimated": total.estimated,
    }


def _tokens(number: int, estimated: bool) -> str:
    return f"{'~' if estimated else ''}{number:,}"


def _table(console: drawing.Console, totals: list[Total]) -> None:
    estimated = any(total.estimated for total in totals)
    calls, tokens_in, tokens_out = (
        sum(numbers) for numbers in zip(*((t.calls, t.prompt_tokens, t.completion_tokens) for t in totals), strict=True)
    )
    rows, last = [], None
    for total in totals:
        day = total.day.isoformat() if total.day != last or not console.is_terminal else ""
        used = (_tokens(total.prompt_tokens, total.estimated), _tokens(total.completion_tokens, total.estimated))
        rows.append([day, total.model, f"{total.calls:,}", *used])
        last = total.day
    sums = ["in all", "", f"{calls:,}", _tokens(tokens_in, estimated), _tokens(tokens_out, estimated)]
    print_table(console, ("day", "model", *_NUMBERS), rows, numbers=_NUMBERS, footer=sums)


def _of_days(totals: list[Total], today: date, days: int) -> list[Row]:
    """Return each day since the first call with its tokens, and whether they are an estimate."""
    by_day = _summed(totals, lambda total: total.day)
    first = max(min(by_day), today - timedelta(days=days - 1))
    every = (first + timedelta(days=index) for index in range((today - first).days + 1))
    return [(f"{day:%a %Y-%m-%d}", *by_day[day]) for day in every]


def _of_models(totals: list[Total]) -> list[Row]:
    """Return each model with its tokens, most first, and whether they are an estimate."""
    found = [(printable(name), *used) for name, used in _summed(totals, lambda total: total.model).items()]
    return sorted(found, key=lambda one: -one[1])


def _summed(totals: list[Total], key: Callable[[Total], _Key]) -> dict[_Key, tuple[int, bool]]:
    found: dict[_Key, tuple[int, bool]] = defaultdict(lambda: (0, False))
    for total in totals:
        tokens, estimated = found[key(total)]
        found[key(total)] = (tokens + total.tokens, estimated or total.estimated)
    return found


def _plot(console: drawing.Console, totals: list[Total], today: date, days: int) -> None:
    of_days, of_models = _of_days(totals, today, days), _of_models(totals)
    most = max(tokens for _, tokens, _ in of_days) or 1
    for day, tokens, estimated in of_days:
        _print_bar(console, f"{day}  ", tokens / most, _tokens(tokens, estimated) if tokens else "")
    console.print()
    most = of_models[0][1] or 1
    for name, tokens, estimated in of_models:
        console.print(name, markup=False, soft_wrap=True)
        _print_bar(console, "  ", tokens / most, _tokens(tokens, estimated))


def _print_bar(console: drawing.Console, before: str, share: float, after: str) -> None:
    bar = _bar(console, share)
    console.print(f"{before}[green]{bar}[/green]{' ' if bar else ''}{after}")


def _bar(console: drawing.Console, share: float) -> str:
    """Return a bar of whole and partial blocks, or of signs that every terminal has."""
    eighths = round(share * _MAX_BAR * 8)
    if share > 0:
        eighths = max(1, eighths)
    try:
        "█▏".encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        return "#" * -(-eighths // 8)
    return "█" * (eighths // 8) + ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")[eighths % 8]


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
        f'<text x="{_NAME - 10}" y="{y}" text-anchor="end">{html.escape(_short(name))}</text>'
        f'<rect x="{_NAME}" y="{y - 12}" width="{width}" height="14" fill="#2f7d4f"/>'
        f'<text x="{_NAME + width + 8}" y="{y}">{count}</text>'
    )


def _short(name: str) -> str:
    return name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 1]}…"
