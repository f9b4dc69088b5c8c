"""How commands write: colours and width for a terminal, plain unbroken lines for a pipe."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_MARKS = {"ok": ("✓", "green"), "note": ("·", "dim"), "warning": ("!", "yellow"), "failed": ("✗", "bold red")}
_PLAIN_MARKS = {"ok": "ok", "note": "--", "warning": "!!", "failed": "XX"}
SKIPPED = ("-", "dim")
IN_A_PIPE = 10_000
"""Columns where nobody's eyes need a line to be broken."""


def output(*, stderr: bool = False) -> Console:
    """Return a console. rich leaves colours out where there is no terminal, or where NO_COLOR is set."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")  # a terminal without this character shows a question mark
    width = None if stream.isatty() or os.environ.get("COLUMNS") else IN_A_PIPE
    return Console(stderr=stderr, highlight=False, width=width, soft_wrap=not stream.isatty())


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


def write_whole(path: Path, text: str, *, private: bool = False) -> None:
    """Write a file so that it is there whole or not at all, and for the owner alone where it is private.

    Raises:
        OSError: it cannot be written.
    """
    from aider_stackspot.config.inputs import replaceable

    target = replaceable(path)
    mode = 0o600 if private or not target.exists() else target.stat().st_mode & 0o777
    if not private and not target.exists():
        mode = 0o644
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
