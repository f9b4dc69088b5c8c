"""The command `aider-stackspot`: one file a command, put together in `app`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command. What a person can mend ends with one line on stderr and exit status 2."""
    from aider_stackspot.cli.app import app
    from aider_stackspot.errors import StackSpotError

    try:
        app()
    except StackSpotError as error:
        print(f"aider-stackspot: {error}", file=sys.stderr)
        raise SystemExit(2) from None
