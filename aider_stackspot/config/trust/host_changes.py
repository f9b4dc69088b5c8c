"""What a host program put into `os.environ` while it ran, so that it is not taken for the user's word.

aider loads the `.env` of a project over the environment, and a project's `.aider.conf.yml` can set variables, name
further `.env` files and switch certificates off. All that came with the code. The one thing that tells it from what a
program set itself is when it happened. `hosts.aider.main` says when the host program begins and ends.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

_STARTED_IN = "AIDER_STACKSPOT_STARTED_IN_"
"""Begins the name of a variable for the programs that the host program starts. The rest of the name is a directory, in
hexadecimal: a project's `.env` can set a variable to something else, but not take one away."""


class HostChanges:
    """The differences that runs of a host program made to the environment of this process.

    `arguments` are those of its command lines.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depth = 0
        self._goes_on = False
        self._before: Mapping[str, str] | None = None
        self._left: dict[str, str] = {}
        self.arguments: tuple[str, ...] = ()

    def begin(self, arguments: Sequence[str]) -> None:
        """Remember the environment before the program changes it. It may call itself: the outermost call counts."""
        with self._lock:
            self._depth += 1
            if self._depth == 1:
                self._before = dict(os.environ)
                self.arguments = (*self.arguments, *arguments)
                with contextlib.suppress(OSError):
                    os.environ[_STARTED_IN + os.fsencode(os.getcwd()).hex()] = "1"

    def end(self) -> None:
        """Remember what the program leaves behind in the environment."""
        with self._lock:
            self._depth -= 1
            if self._depth == 0 and self._before is not None:
                before, self._before = self._before, None
                self._left.update({name: now for name, now in os.environ.items() if before.get(name) != now})

    def go_on(self) -> None:
        """Take the program for running from now on, whatever ends: its browser interface outlives its `main`."""
        self._goes_on = True

    @property
    def running(self) -> bool:
        """Whether the program is at work."""
        return self._goes_on or self._depth > 0

    def include(self, name: str, now: str) -> bool:
        """Tell whether it was the host program that gave a variable the value it has now."""
        before = self._before
        return self._left.get(name) == now or (before is not None and before.get(name) != now)


def directories_of_hosts(variables: Mapping[str, str]) -> list[Path]:
    """Return where the host programs were started that started this process, one another or directly.

    They loaded the `.env` there, and may have started this process in another directory: aider takes the git root.
    """
    names = [name.removeprefix(_STARTED_IN) for name in variables if name.startswith(_STARTED_IN)]
    found = []
    for name in names:
        with contextlib.suppress(ValueError):
            found.append(Path(os.fsdecode(bytes.fromhex(name))))
    return found


changes = HostChanges()
