"""Tells the configuration when aider is at work: what changes in the environment meanwhile is not the user's word."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from typing import Any

from aider_stackspot.config.trust import host_changes
from aider_stackspot.hosts.patches import wrap_once


def on_import(module: Any) -> None:
    """Watch aider; called by `autoload` when `aider.main`, or its browser interface `aider.gui`, has been imported."""
    if module.__name__ == "aider.gui":
        host_changes.changes.go_on()
    else:
        _watch_main(module)


def _watch_main(module: Any) -> None:
    def around(original: Any) -> Any:
        @functools.wraps(original)
        def main(argv: Sequence[str] | None = None, *args: Any, **kwargs: Any) -> Any:
            host_changes.changes.begin(sys.argv[1:] if argv is None else argv)
            try:
                return original(argv, *args, **kwargs)
            finally:
                host_changes.changes.end()

        return main

    wrap_once(module, "main", around)
