"""The commands with a line about each, and the screen that lists them.

`aider-stackspot --help` is what a newcomer types first. It imports neither typer, nor rich, nor a command: they would
take twenty times as long as the screen itself.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping

NAME = "aider-stackspot"
DESCRIPTION = "StackSpot AI, and any OpenAI-compatible server, for an unmodified aider."
COMMANDS = {
    "init": "Set up credentials and models, and prove that they work.",
    "status": "Show the account, its token and which agents answer, one line for each.",
    "logout": "Take the credentials out of your own `.env` file.",
    "doctor": "Find what is wrong, step by step, and what to do about it.",
    "models": "List every model for `aider --model`, with its limits.",
    "agents": "List the account's agents, choose one, and measure what it takes.",
    "providers": "Add, import, list, remove and refresh OpenAI-compatible servers.",
    "trust": "Trust a project's configuration files as they are now.",
    "usage": "Show how many tokens each StackSpot model used on each day.",
    "serve": "Serve the configured models to Cline, Claude Code and other tools.",
    "launch": "Start Claude Code, Codex, opencode, Cline or qwen on the configured models.",
    "docs": "Read the documentation of the version that is installed.",
    "demo": "Watch the unmodified aider change a file, without an account.",
    "emulator": "Run a StackSpot on this machine, without an account.",
}
"""In the order in which a person meets them. Each is a function, or a group of functions, in a module of its name."""
OPTIONS = {
    ("--version", "-V"): "Print the version and exit.",
    ("--install-completion", ""): "Install completion for the current shell.",
    ("--show-completion", ""): "Show completion for the current shell, to copy it or customize the installation.",
    ("--help", "-h"): "Show this message and exit.",
}
MODEL = "stackspot-ai-code"
"""The model that a newcomer is told to use."""
EPILOG = f"Set up with `aider-stackspot init`, then run: `aider --model {MODEL}`"
_ASCII_BOX = str.maketrans("╭─╮│╰╯", "+-+|++")
_MIN_COLUMNS = 60
"""A narrower terminal breaks the lines of the screen by itself."""

_Paint = Callable[[str, str], str]
"""Gives a text a style, which is named by the digits of its escape sequence."""
_BOLD, _DIM, _YELLOW, _CYAN = "1", "2", "1;33", "1;36"


def print_overview() -> None:
    """Print the screen, as wide as the terminal; in a pipe, 80 columns wide and without colours."""
    columns = max(shutil.get_terminal_size().columns, _MIN_COLUMNS)
    has_colours = os.name == "posix" and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    lines = _lines(columns, lambda text, style: f"\x1b[{style}m{text}\x1b[0m" if has_colours else text)
    has_box_characters = (sys.stdout.encoding or "").lower().startswith("utf")
    print("\n".join(lines).translate({} if has_box_characters else _ASCII_BOX))


def _lines(columns: int, paint: _Paint) -> Iterator[str]:
    yield ""
    yield f" {paint('Usage:', _YELLOW)} {paint(f'{NAME} [OPTIONS] COMMAND [ARGS]...', _BOLD)}"
    yield ""
    yield from (f" {line}" for line in _wrapped(DESCRIPTION, columns - 2, paint))
    yield ""
    yield from _panel(
        "Options", {f"{long:22}{short:8}": text for (long, short), text in OPTIONS.items()}, columns, paint
    )
    yield from _panel("Commands", COMMANDS, columns, paint)
    yield ""
    yield from (f" {line}" for line in _wrapped(EPILOG, columns - 2, paint))
    yield ""


def _panel(title: str, rows: Mapping[str, str], columns: int, paint: _Paint) -> Iterator[str]:
    """Yield a box with a title in its upper edge, and in it a line for each row, or several."""
    names = max(map(len, rows))
    room = columns - names - 6
    side = paint("│", _DIM)
    yield paint(f"╭─ {title} ".ljust(columns - 1, "─") + "╮", _DIM)
    for name, text in rows.items():
        for number, line in enumerate(textwrap.wrap(text.replace("`", ""), room, break_on_hyphens=False)):
            shown = "" if number else name
            yield f"{side} {paint(shown.ljust(names), _CYAN)}  {line.ljust(room)} {side}"
    yield paint("╰" + "─" * (columns - 2) + "╯", _DIM)


def _wrapped(text: str, columns: int, paint: _Paint) -> list[str]:
    """Return a text as lines; what stands between backticks in it is bold where a line has all of it."""
    filled = textwrap.fill(text.replace("`", ""), columns, break_on_hyphens=False)
    for phrase in re.findall(r"`([^`]+)`", text):
        filled = filled.replace(phrase, paint(phrase, _BOLD), 1)
    return filled.splitlines()
