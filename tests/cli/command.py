"""The commands of this room as one program, whatever else the real one has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import typer

from aider_stackspot.cli.doctor import doctor
from aider_stackspot.cli.init import init
from aider_stackspot.cli.usage import usage


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    status: int
    out: str
    err: str


Run = Callable[..., Done]


def commands() -> typer.Typer:
    """Return the commands alone."""
    app = typer.Typer(pretty_exceptions_enable=False)
    for command in (doctor, init, usage):
        app.command()(command)
    app.callback()(lambda: None)
    return app


if __name__ == "__main__":
    commands()()
