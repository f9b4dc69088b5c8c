"""The command `aider-stackspot`: one file a command, put together in `app`."""

from __future__ import annotations

import errno
import io
import os
import sys

from aider_stackspot.cli.overview import print_overview
from aider_stackspot.errors import StackSpotError

_UNWRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EPIPE)


def main() -> None:
    """Run the command. What a person can mend ends with one line on stderr and exit status 2."""
    _mend_surroundings()
    try:
        try:
            _run()
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.errno not in _UNWRITTEN:
            raise
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # Python would try once more at its end
        if error.errno != errno.EPIPE:
            print(f"aider-stackspot: the output cannot be written: {error.strerror}.", file=sys.stderr)
        raise SystemExit(1) from None


def _run() -> None:
    if sys.argv[1:] in (["--help"], ["-h"]):
        print_overview()
        return
    from aider_stackspot.cli.app import app  # loads typer, which takes longer than the overview

    try:
        app()
    except StackSpotError as error:
        _print_error(error)
        raise SystemExit(2) from None


def _print_error(error: StackSpotError) -> None:
    from aider_stackspot.cli.terminal import say  # with the next, loads what most commands need
    from aider_stackspot.config.display import printable

    # What stands in files and answers reaches the terminal here: it must not obey that.
    say("\n".join(printable(line) for line in f"aider-stackspot: {error}".split("\n")))


def _mend_surroundings() -> None:
    """Let no stream and no variable that a shell left in an odd state end a command, or empty its output."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # It was closed when the command was started.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  # open to the end
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without this character shows a question mark
    if os.environ.get("COLUMNS", "").strip("0") == "":
        os.environ.pop("COLUMNS", None)  # no columns: rich would print nothing
