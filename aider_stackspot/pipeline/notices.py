"""What a call has to say to a person while it goes on: that it waits, or how far the work is.

The pipeline says it here. Whoever has a screen (aider, a program at a terminal) listens; where nobody does, it is a
line in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

log = logging.getLogger("aider_stackspot")


class Listener(Protocol):
    """Shows notices to a person."""

    def has_reader(self) -> bool:
        """Tell whether there is anybody to show something to, now."""
        ...

    def show_warning(self, line: str) -> None:
        """Show why a call waits; it may stand in the log too."""
        ...

    def show_progress(self, line: str) -> None:
        """Show how far the work is."""
        ...

    def show_below_answer(self, lines: Sequence[str]) -> None:
        """Show what belongs to an answer and is no part of its text, once that stands on the screen."""
        ...


_listener: Listener | None = None


def listen(listener: Listener | None) -> None:
    """Let somebody show the notices; `None` for nobody. The last one who asks gets them all."""
    global _listener
    _listener = listener


def has_listener() -> bool:
    """Tell whether somebody listens already."""
    return _listener is not None


def warn(line: str) -> None:
    """Say why a call waits."""
    has_reader = _listener is not None and _listener.has_reader()
    if log.hasHandlers() or not has_reader:
        log.warning(line)
    if _listener is not None and has_reader:
        _listener.show_warning(line)


def progress(line: str) -> None:
    """Say how far the work is."""
    log.info("%s", line)
    if _listener is not None and _listener.has_reader():
        _listener.show_progress(line)


def below_answer(lines: Sequence[str]) -> None:
    """Say what belongs to an answer and is no part of its text. Programs find it in the answer's own fields."""
    if lines and _listener is not None:
        _listener.show_below_answer(lines)
