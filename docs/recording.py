"""`make recording`: the picture on README's first screen, made from a real run in a real terminal.

What it shows cannot differ from what a user sees: `aider-stackspot demo` runs in a pseudo-terminal, a terminal emulator
reads all that it writes, and what stands on its screen at the end is drawn.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from io import StringIO
from itertools import groupby
from pathlib import Path

import pyte
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import DEFAULT_TERMINAL_THEME
from rich.text import Text

COLUMNS, LINES = 100, 200
PICTURE = Path(__file__).with_name("demo.svg")
FIRST, LAST = "$ aider --model", "Next:"
_NAMES = {"brown": "yellow", "default": None}
"""Colours that pyte calls by another name than rich."""


def screen_of(command: list[str]) -> pyte.Screen:
    """Run a command in a terminal and return the screen as it is at the end.

    Raises:
        RuntimeError: the command failed, or there are no pseudo-terminals.
    """
    if sys.platform == "win32":
        raise RuntimeError("Windows has no pseudo-terminals that Python can open: make the picture on another system.")
    import pty  # not on Windows

    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    leader, follower = pty.openpty()
    size = {"COLUMNS": str(COLUMNS), "LINES": str(LINES), "TERM": "xterm-256color"}
    with subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env={**os.environ, **size}) as run:
        os.close(follower)
        while True:
            try:
                read = os.read(leader, 65536)
            except OSError:  # Linux's way to say that the other side was closed
                break
            if not read:
                break
            stream.feed(read)
    os.close(leader)
    if run.returncode != 0:
        raise RuntimeError("\n".join(screen.display))
    return screen


def line_of(screen: pyte.Screen, number: int) -> Text:
    """Return a line of the screen with its colours."""
    cells = [screen.buffer[number][column] for column in range(COLUMNS)]
    text = Text()
    for (colour, bold, reverse), run in groupby(cells, key=lambda cell: (cell.fg, cell.bold, cell.reverse)):
        style = Style(color=_colour(colour), bold=bold, reverse=reverse)
        text.append("".join(cell.data for cell in run), style)
    text.rstrip()
    return text


def _colour(name: str) -> str | None:
    name = _NAMES.get(name, name) or ""
    if len(name) == 6 and all(digit in "0123456789abcdef" for digit in name):
        return f"#{name}"
    return name.replace("bright", "bright_") or None


def main() -> None:
    """Run the demo and draw it."""
    screen = screen_of([sys.executable, "-m", "aider_stackspot", "demo"])
    shown = [number for number, line in enumerate(screen.display) if line.strip()]
    first = next(number for number in shown if screen.display[number].startswith(FIRST))
    last = next(number for number in shown if screen.display[number].startswith(LAST))
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True)
    for number in range(first, last + 1):
        console.print(line_of(screen, number), soft_wrap=True)
    drawn = console.export_svg(title="aider-stackspot demo", theme=DEFAULT_TERMINAL_THEME)  # light, as aider's colours
    PICTURE.write_text(
        re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL), encoding="utf-8"
    )  # no font from a host
    print(PICTURE)


if __name__ == "__main__":
    main()
