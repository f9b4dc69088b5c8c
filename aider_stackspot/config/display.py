"""Text of files and variables, made fit for a line on a terminal: it may come from a stranger's repository."""

from __future__ import annotations

import re
import shlex
import textwrap
from pathlib import Path

MAX_SHOWN = 120
"""Characters of a value that a message shows."""
_MIN_COLUMNS = 20


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


def ignored_line(path: Path, where: str, what: str) -> str:
    """Return the line about something that only a trusted file may set.

    Args:
        path: the project's file that has a say in it.
        where: the place in a file, with a line number where there is one.
        what: the key or variable, and what it would do.
    """
    came = "the file came" if where.startswith(str(path)) else f"its value came from {path}, which came"
    return f"{where}: {what} was ignored: {came} with the project. If you trust it, run: {trust_command(path)}"
