"""The command `aider-stackspot`: one file a command, put together in `app`."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command. What a person can mend ends with one line on stderr and exit status 2."""
    _open_closed_streams()
    from aider_stackspot.cli.app import app
    from aider_stackspot.errors import StackSpotError

    try:
        app()
    except StackSpotError as error:
        print(f"aider-stackspot: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def _open_closed_streams() -> None:
    """Give a command that was started without stdin, stdout or stderr an empty one: Python has `None` for them."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
