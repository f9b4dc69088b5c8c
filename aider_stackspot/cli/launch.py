"""``aider-stackspot launch``: a gateway for one run of a program, with one command."""

from __future__ import annotations

import concurrent.futures
import logging
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from aider_stackspot.cli.terminal import ASKING_SERVERS, say, waiting
from aider_stackspot.errors import ConfigurationError
from aider_stackspot.gateway.app import Gateway
from aider_stackspot.gateway.configuration import Configuration
from aider_stackspot.gateway.connection import base_url, connection
from aider_stackspot.gateway.programs import PROGRAMS, Program
from aider_stackspot.gateway.server import Server, listen

_NOT_FOUND = 127
"""The exit status of a shell for a program that is not there."""


def run_program(program: str, arguments: Sequence[str], model: str) -> None:
    """Run a program on a gateway of its own, and end with its exit status.

    Args:
        program: one of `PROGRAMS`.
        arguments: its own arguments.
        model: the model that it is to use; empty for the first one that can be called.
    """
    if not program:
        raise ConfigurationError(f"launch needs the name of a program: {', '.join(PROGRAMS)}.")
    if program not in PROGRAMS:
        raise ConfigurationError(f"launch knows no `{program}`: it starts {', '.join(PROGRAMS)}.")
    configuration = Configuration()
    configuration.settings()
    path = shutil.which(program)
    if path is None:
        say(
            f"aider-stackspot: `{program}` is not installed, or not on the PATH. Install it as its makers say; "
            "nothing else is needed."
        )
        raise typer.Exit(_NOT_FOUND)
    logging.basicConfig(handlers=[logging.NullHandler()])  # the terminal is the program's
    key = f"sk-{secrets.token_urlsafe(32)}"
    with (
        _gateway(key, configuration) as url,
        tempfile.TemporaryDirectory(prefix=f"aider-stackspot-{program}-") as directory,
    ):
        with waiting(ASKING_SERVERS):
            told = PROGRAMS[program](connection(url, key, configuration, model))
        status = _run(told, path, arguments, Path(directory))
    raise typer.Exit(status)


@contextmanager
def _gateway(key: str, configuration: Configuration) -> Iterator[str]:
    """Serve in a thread of this process for as long as the block runs; yield the address."""
    with listen("127.0.0.1", 0) as listener:
        ready = threading.Event()
        server = Server(Gateway(configuration), key, ready.set)
        serving = server.begin(listener)
        ready.wait()
        try:
            yield base_url("127.0.0.1", listener.getsockname()[1])
        finally:
            server.should_exit = server.force_exit = True
            concurrent.futures.wait([serving], timeout=5)


def _run(program: Program, path: str, arguments: Sequence[str], directory: Path) -> int:
    """Run a program in the foreground, and return its exit status as a shell tells it."""
    environment: Mapping[str, str] = {**os.environ, **program.environment}
    if program.directory:
        environment = {**environment, program.directory: str(directory)}
    for name, content in program.files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(content, encoding="utf-8")
    # The terminal sends Ctrl-C to both: what it means is the program's business.
    before = signal.signal(signal.SIGINT, lambda *_: None)  # a handler, which the child does not inherit
    try:
        with subprocess.Popen([path, *_own(program, arguments), *arguments], env=environment) as child:
            stop = signal.signal(signal.SIGTERM, lambda *_: child.terminate())
            try:
                status = child.wait()
            finally:
                signal.signal(signal.SIGTERM, stop)
    finally:
        signal.signal(signal.SIGINT, before)
    return status if status >= 0 else 128 - status


def _own(program: Program, arguments: Sequence[str]) -> tuple[str, ...]:
    """Return the arguments that this package adds, without those that the user has given."""
    given = program.arguments[:1]
    return () if given and given[0] != "-c" and given[0] in arguments else program.arguments
