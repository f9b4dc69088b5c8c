"""A person at a terminal, of 80 columns unless said: reads what a command shows, types, and moves in menus."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyte

INTERRUPT = "\x03"
DOWN, UP = "\x1b[B", "\x1b[A"
PATIENCE = 60.0
COMMAND = (sys.executable, "-m", "aider_stackspot")
_COLUMNS, _LINES = 80, 24
_STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_ASKS = r"[^\n]*(: $|:[\r\n]{9,} \x08$|\(arrow keys[^)]*\).*»)"
"""What stands behind a question: the blank after the colon comes when the terminal echoes no more, and what is typed
before it is lost. aider's own prompt draws the rest of the terminal first. A menu has its pointer last."""


@dataclass(frozen=True)
class Seen:
    """What stood on the terminal, escape sequences included, and the command's exit status.

    `screens` are the lines of the terminal as they were when each answer was typed.
    """

    text: str
    status: int
    screens: tuple[tuple[str, ...], ...] = ()

    @property
    def plain(self) -> str:
        """The text without escape sequences: colors, a hidden cursor, a line that is drawn again."""
        return _STYLE.sub("", self.text)


def at_a_terminal(
    *arguments: str,
    typed: Sequence[tuple[str, str]] = (),
    columns: int = _COLUMNS,
    program: Sequence[str] = COMMAND,
    **variables: str,
) -> Seen:
    """Run the command on a terminal of its own.

    Args:
        arguments: of `aider-stackspot`, or of another program.
        typed: the questions that are waited for, and what is then typed.
        columns: how wide the terminal is.
        program: what is run.
        variables: of the environment, beside this process's own.
    """
    if sys.platform == "win32":
        raise NotImplementedError("Windows has no pseudo-terminals")
    command = [*program, *arguments]
    environment = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES", "NO_COLOR")}
    child, terminal = pty.fork()
    if child == 0:
        os.execve(command[0], command, {**environment, "TERM": "xterm-256color", **variables})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", _LINES, columns, 0, 0))
    person = _Person(terminal, child, list(typed), columns)
    try:
        person.watch()
    finally:
        os.close(terminal)
        _, status = os.waitpid(child, 0)
    return Seen(person.text.replace("\r\n", "\n"), os.waitstatus_to_exitcode(status), tuple(person.screens))


class _Screen(pyte.Screen):  # type: ignore[misc]  # pyte has no types
    """What the terminal shows. Programs may ask it where the cursor is."""

    def __init__(self, columns: int, terminal: int) -> None:
        super().__init__(columns, _LINES)
        self._terminal = terminal

    def write_process_input(self, data: Any) -> None:
        os.write(self._terminal, str(data).encode())


class _Person:
    def __init__(self, terminal: int, child: int, typed: list[tuple[str, str]], columns: int) -> None:
        self._terminal = terminal
        self._child = child
        self._typed = typed
        self._screen = _Screen(columns, terminal)
        self._stream = pyte.ByteStream(self._screen)
        self._read_until = 0
        self.text = ""
        self.screens: list[tuple[str, ...]] = []

    def watch(self) -> None:
        end = time.monotonic() + PATIENCE
        while select.select([self._terminal], [], [], max(0.0, end - time.monotonic()))[0]:
            try:
                data = os.read(self._terminal, 65536)
            except OSError:  # Linux reports the end of a terminal so
                break
            if not data:
                break
            self.text += data.decode(errors="replace")
            self._stream.feed(data)
            self._answer(end)
        assert not self._typed, f"nobody asked for {self._typed[0][0]}: {self.text}"

    def _answer(self, end: float) -> None:
        new = _STYLE.sub("", self.text[self._read_until :])
        if self._typed and re.search(rf"{self._typed[0][0]}{_ASKS}", new, re.DOTALL):
            self._read_until = len(self.text)
            _wait_until_it_waits(self._child, end)
            self.screens.append(tuple(line.rstrip() for line in self._screen.display))
            os.write(self._terminal, self._typed.pop(0)[1].encode())


def _wait_until_it_waits(child: int, end: float) -> None:
    """Wait until the command sleeps in its read: an interrupt just before it would only be seen after the next line."""
    while time.monotonic() < end:
        if Path(f"/proc/{child}/stat").read_text().rpartition(") ")[2].startswith("S"):
            return
        time.sleep(0.002)
