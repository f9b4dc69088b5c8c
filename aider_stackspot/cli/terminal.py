"""How commands write and ask: colours and width for a terminal, plain unbroken lines for a pipe."""

from __future__ import annotations

import contextlib
import io
import shutil
import sys
from collections.abc import Iterator

import typer
from rich.console import Console

_MARKS = {"ok": ("✓", "green"), "note": ("·", "dim"), "warning": ("!", "yellow"), "failed": ("✗", "bold red")}
_PLAIN_MARKS = {"ok": "ok", "note": "--", "warning": "!!", "failed": "XX"}
SKIPPED = ("-", "dim")
IN_A_PIPE = 10_000
"""Columns where nobody's eyes need a line to be broken."""


def output() -> Console:
    """Return a console. rich leaves colours out where there is no terminal, or where NO_COLOR is set."""
    stream = sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")  # a terminal without this character shows a question mark
    width = None if stream.isatty() else shutil.get_terminal_size((IN_A_PIPE, 1)).columns
    return Console(highlight=False, width=width, soft_wrap=not stream.isatty())


def mark(console: Console, status: str) -> str:
    """Return the sign of a status, in rich's markup."""
    sign, style = _MARKS.get(status, SKIPPED)
    try:
        sign.encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        sign = _PLAIN_MARKS.get(status, "-")
    return f"[{style}]{sign}[/{style}]"


def is_interactive() -> bool:
    """Tell whether there is somebody to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


@contextlib.contextmanager
def before_writing() -> Iterator[None]:
    """Let Ctrl-C end the command with a line that says that nothing was written, and with exit status 130."""
    try:
        yield
    except (typer.Abort, KeyboardInterrupt):
        print("\nNothing was written.", file=sys.stderr)
        raise typer.Exit(130) from None
