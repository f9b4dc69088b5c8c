"""A person at a terminal, of 80 columns unless said: reads what a command shows, and types."""

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

INTERRUPT = "\x03"
PATIENCE = 60.0
COMMAND = (sys.executable, "-m", "aider_stackspot")
_COLUMNS, _LINES = 80, 24


@dataclass(frozen=True)
class Seen:
    """What stood on the terminal, escape sequences included, and the command's exit status."""

    text: str
    status: int


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
    try:
        text = _read(terminal, list(typed), child)
    finally:
        os.close(terminal)
        _, status = os.waitpid(child, 0)
    return Seen(text.replace("\r\n", "\n"), os.waitstatus_to_exitcode(status))


def _read(terminal: int, typed: list[tuple[str, str]], child: int) -> str:
    text, read_until, end = "", 0, time.monotonic() + PATIENCE
    while select.select([terminal], [], [], max(0.0, end - time.monotonic()))[0]:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # Linux reports the end of a terminal so
            break
        if not data:
            break
        text += data.decode(errors="replace")
        # The blank after the colon comes when the terminal echoes no more; what is typed before it is lost.
        if typed and re.search(rf"{typed[0][0]}[^\n]*: $", text[read_until:]):
            read_until = len(text)
            _wait_until_it_waits(child, end)
            os.write(terminal, typed.pop(0)[1].encode())
    assert not typed, f"nobody asked for {typed[0][0]}: {text}"
    return text


def _wait_until_it_waits(child: int, end: float) -> None:
    """Wait until the command sleeps in its read: an interrupt just before it would only be seen after the next line."""
    while time.monotonic() < end:
        if Path(f"/proc/{child}/stat").read_text().rpartition(") ")[2].startswith("S"):
            return
        time.sleep(0.002)
