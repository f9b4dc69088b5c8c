"""Text of files and variables, made fit for a line on a terminal: it may come from a stranger's repository."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

MAX_SHOWN = 120
"""Characters of a value that a message shows."""
_MIN_COLUMNS = 20
_MAX_TOLD = 3
"""Things ignored of one file that a message names."""


def printable(text: str) -> str:
    """Return the text on one line, with control and direction characters as escapes.

    A terminal obeys some of them, so that a file could rewrite what the user reads.
    """
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def shortened(text: str) -> str:
    """Return a value as a message may show it."""
    text = printable(text)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"


def wrapped(text: str, columns: int) -> str:
    """Return a line with breaks between words where a terminal has less room; a path or a command's word stays whole.

    Args:
        text: the line; the lines that follow are indented as it is.
        columns: how wide the terminal is.
    """
    columns = max(columns, _MIN_COLUMNS)
    if len(text) <= columns:
        return text
    indent = text[: len(text) - len(text.lstrip())]
    return textwrap.fill(text, columns, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def shown_url(url: str) -> str:
    """Return a URL as a message may show it: without a user name and password."""
    return shortened(re.sub(r"//[^/?#]*@", "//…@", url))


def trust_command(path: Path) -> str:
    """Return the command that makes a file the user's own."""
    return f"aider-stackspot trust {shlex.quote(str(path))}"


class IgnoredLine(str):
    """The line about something that only a trusted file may set.

    `path` is the project's file that has a say in it, and `item` what was ignored, with its place in that file.
    """

    path: Path
    item: str


def ignored_line(path: Path, where: str, what: str, can: str) -> IgnoredLine:
    """Return the line about something that only a trusted file may set.

    Args:
        path: the project's file that has a say in it.
        where: the place in a file, with a line number where there is one.
        what: the key or variable.
        can: what it would do.
    """
    is_there = where.startswith(str(path))
    came = "the file came" if is_there else f"its value came from {path}, which came"
    shown = IgnoredLine(
        printable(
            f"{where}: {what}, which {can}, was ignored: {came} with the project. If you trust it, run: "
            f"{trust_command(path)}"
        )
    )
    place = where.removeprefix(str(path)).removeprefix(", ") if is_there else where
    shown.path, shown.item = path, printable(f"{place}: {what}" if place else what)
    return shown


def told_together(lines: Iterable[str]) -> list[str]:
    """Return the lines, with one alone for a project's file of which several things were ignored."""
    lines = list(lines)
    items: dict[Path, list[str]] = {}
    for line in lines:
        if isinstance(line, IgnoredLine):
            items.setdefault(line.path, []).append(line.item)
    told: dict[str, None] = {}
    for line in lines:
        of_file = items[line.path] if isinstance(line, IgnoredLine) else []
        told[_together(line.path, of_file) if isinstance(line, IgnoredLine) and len(of_file) > 1 else line] = None
    return list(told)


def _together(path: Path, items: Sequence[str]) -> str:
    more = len(items) - _MAX_TOLD
    named = "; ".join([*items[:_MAX_TOLD], *([f"and {more} more"] if more > 0 else [])])
    return printable(
        f"{path} came with the project, and this was ignored: {named}. To see what the file does, and to trust it if "
        f"you want, run: {trust_command(path)}"
    )
