"""How commands write, ask and wait: colours, width and a clock for a terminal, plain unbroken lines for a pipe."""

from __future__ import annotations

import contextlib
import io
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NoReturn, TextIO, TypeVar

import typer

from aider_stackspot.cli import drawing
from aider_stackspot.config.display import wrapped

_MARKS = {"ok": ("✓", "green"), "note": ("·", "dim"), "warning": ("!", "yellow"), "failed": ("✗", "bold red")}
_PLAIN_MARKS = {"ok": "ok", "note": "--", "warning": "!!", "failed": "XX"}
SKIPPED = ("-", "dim")
IN_A_PIPE = 10_000
"""Columns where nobody's eyes need a line to be broken."""
ASKING_SERVERS = "Asking the servers for their models"
SHORT_WAIT = 0.5
"""Seconds that nobody wonders about."""

_Item = TypeVar("_Item")


def output() -> drawing.Console:
    """Return a console. rich leaves colours out where there is no terminal, or where NO_COLOR is set."""
    stream = sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")  # a terminal without this character shows a question mark
    width = None if stream.isatty() else shutil.get_terminal_size((IN_A_PIPE, 1)).columns
    return drawing.Console(highlight=False, width=width, soft_wrap=not stream.isatty())


def mark(console: drawing.Console, status: str) -> str:
    """Return the sign of a status, in rich's markup."""
    sign, style = _MARKS.get(status, SKIPPED)
    try:
        sign.encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        sign = _PLAIN_MARKS.get(status, "-")
    return f"[{style}]{sign}[/{style}]"


def is_interactive() -> bool:
    """Tell whether there is somebody to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


@contextlib.contextmanager
def before_writing() -> Iterator[None]:
    """Let Ctrl-C end the command with a line that says that nothing was written, and with exit status 130."""
    try:
        yield
    except (typer.Abort, KeyboardInterrupt):
        print("\nNothing was written.", file=sys.stderr)
        raise typer.Exit(130) from None


def end_unchanged() -> NoReturn:
    """End a command because a person does not want what it would do.

    Raises:
        typer.Exit: always, with status 1.
    """
    print("Nothing was written.", file=sys.stderr)
    raise typer.Exit(1)


def say(text: str) -> None:
    """Print something that is no part of the answer, on a terminal with lines that break between words."""
    _print(text, sys.stderr)


def tell(text: str) -> None:
    """Print a sentence of the answer, on a terminal with lines that break between words."""
    _print(text, sys.stdout)


def _print(text: str, stream: TextIO) -> None:
    if stream.isatty():
        columns = shutil.get_terminal_size().columns
        text = "\n".join(wrapped(line, columns) for line in text.split("\n"))
    print(text, file=stream)


@contextlib.contextmanager
def waiting(what: str | Callable[[], str]) -> Iterator[None]:
    """Show what is being waited for and for how long, on a terminal, once it takes longer than `SHORT_WAIT`.

    The line is gone afterwards. Nothing else may write to the terminal meanwhile.

    Args:
        what: what is being waited for, or what says so at each moment.
    """
    ended = threading.Event()
    clock = threading.Thread(target=_show_clock, args=(what, ended), daemon=True)
    clock.start()
    try:
        yield
    finally:
        ended.set()
        clock.join()


def each_with_waiting(items: Iterable[_Item], what: str | Callable[[], str]) -> Iterator[_Item]:
    """Yield what another yields, and wait for each as `waiting` does."""
    iterator = iter(items)
    while True:
        with waiting(what):
            try:
                item = next(iterator)
            except StopIteration:
                return
        yield item


def _show_clock(what: str | Callable[[], str], ended: threading.Event) -> None:
    began = time.monotonic()
    if ended.wait(SHORT_WAIT) or not sys.stderr.isatty():  # whoever reads a pipe need not load what draws
        return
    console = drawing.Console(stderr=True, highlight=False)
    if console.is_dumb_terminal:
        return
    spinner = drawing.Spinner("dots" if console.encoding.lower().startswith("utf") else "line")

    def line() -> drawing.Spinner:
        now = what if isinstance(what, str) else what()
        spinner.update(text=f"{now} … {time.monotonic() - began:.0f} s")
        return spinner

    with drawing.Live(
        get_renderable=line, console=console, transient=True, redirect_stdout=False, redirect_stderr=False
    ):
        ended.wait()
