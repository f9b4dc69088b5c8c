"""What aider's `main` put into `os.environ`, so that it is not taken for the user's word.

aider loads the `.env` of a project over the environment, and its `.aider.conf.yml` can set variables (`set-env`), name
further `.env` files (`env-file`) and switch certificates off (`verify-ssl`). All that came with the code. The one thing
that tells it from what a program set itself is when it happened: while `aider.main.main` ran.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any


class Changes:
    """The differences that runs of aider's `main` made to the environment of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depth = 0
        self._before: Mapping[str, str] | None = None
        self._left: dict[str, str] = {}
        self.arguments: tuple[str, ...] = ()

    def begin(self, arguments: Sequence[str]) -> None:
        """Remember the environment before aider changes it. aider's `main` calls itself: the outermost call counts."""
        with self._lock:
            self._depth += 1
            if self._depth == 1:
                self._before = dict(os.environ)
                self.arguments = (*self.arguments, *arguments)

    def end(self) -> None:
        """Remember what aider leaves behind in the environment."""
        with self._lock:
            self._depth -= 1
            if self._depth == 0 and self._before is not None:
                before, self._before = self._before, None
                self._left.update({name: now for name, now in os.environ.items() if before.get(name) != now})

    @property
    def running(self) -> bool:
        """Whether aider is at work: in its `main`, or in its browser interface, which goes on after that."""
        return self._depth > 0 or "aider.gui" in sys.modules

    def include(self, name: str, now: str) -> bool:
        """Tell whether it was aider that gave a variable the value it has now."""
        before = self._before
        return self._left.get(name) == now or (before is not None and before.get(name) != now)


changes = Changes()


def on_import(aider_main: Any) -> None:
    """Watch aider's `main`; called by `autoload` when `aider.main` has been imported."""
    original = aider_main.main
    if getattr(original, "_aider_stackspot", False):
        return

    @functools.wraps(original)
    def main(argv: Sequence[str] | None = None, *args: Any, **kwargs: Any) -> Any:
        changes.begin(sys.argv[1:] if argv is None else argv)
        try:
            return original(argv, *args, **kwargs)
        finally:
            changes.end()

    main._aider_stackspot = True  # type: ignore[attr-defined]
    aider_main.main = main
