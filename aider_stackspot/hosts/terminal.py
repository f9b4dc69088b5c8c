"""Shows a call's notices to the person at the terminal, or at aider."""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from aider_stackspot.config.display import wrapped
from aider_stackspot.pipeline.notices import log


def say(line: str) -> None:
    """Write a line of this package's own to standard error, on a terminal with breaks between words."""
    if sys.stderr is None:  # a program without a console
        return
    shown = f"aider-stackspot: {line}"
    if sys.stderr.isatty():
        shown = wrapped(shown, shutil.get_terminal_size().columns)
    print(shown, file=sys.stderr, flush=True)


_said: set[str] = set()
_on_screen: set[str] = set()
_kept: list[str] | None = None


@contextmanager
def say_later(is_true: Callable[[str], bool]) -> Iterator[None]:
    """Keep what `say_once` gets until the block ends, and say of it then what still holds."""
    global _kept
    lines: list[str] = []
    _kept = lines
    try:
        yield
    finally:
        _kept = None
        for line in filter(is_true, lines):
            say_once(line)


def say_once(line: str) -> None:
    """Write a line of this package's own to standard error, unless this process has done so."""
    if _kept is not None:
        _kept.append(line)
    elif line not in _said:
        _said.add(line)
        say(line)
        if sys.stderr is not None and sys.stderr.isatty():
            note_on_screen(line)


def note_on_screen(line: str) -> None:
    """Note what a person sees further up from now on."""
    _on_screen.add(line)


def is_on_screen(line: str) -> bool:
    """Tell whether a person sees a line further up."""
    return line in _on_screen


class TerminalNotices:
    """Writes notices to standard error, if a person reads it.

    Args:
        always_read: a person reads it although it is no terminal, as aider's users do.
    """

    def __init__(self, *, always_read: bool = False) -> None:
        self._always_read = always_read

    def has_reader(self) -> bool:
        """Tell whether a person reads standard error."""
        return sys.stderr is not None and (sys.stderr.isatty() or self._always_read)

    def show_warning(self, line: str) -> None:
        """Show why a call waits. Where the program's own logging writes to the terminal, that is enough."""
        if not _logging_writes_to_terminal():
            line = f"aider-stackspot: {line}"
            if sys.stderr.isatty():  # aider's spinner has no line of its own: write over it, and let it go on below
                line = "\r" + line.ljust(shutil.get_terminal_size().columns - 1)
            print(line, file=sys.stderr, flush=True)

    def show_progress(self, line: str) -> None:
        """Show how far the work is, each step on a line of its own: aider's output stays."""
        if sys.stderr.isatty():
            print(f"\raider-stackspot: {line}", file=sys.stderr, flush=True)

    def show_below_answer(self, lines: Sequence[str]) -> None:
        """Show nothing: what a program does with its answers is its own business."""


def _logging_writes_to_terminal() -> bool:
    logger: logging.Logger | None = log
    while logger is not None and log.isEnabledFor(logging.WARNING):
        for handler in logger.handlers:
            if getattr(handler, "stream", None) in (sys.stderr, sys.stdout) and handler.level <= logging.WARNING:
                return True
        logger = logger.parent if logger.propagate else None
    return False
