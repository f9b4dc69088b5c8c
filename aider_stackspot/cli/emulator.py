"""``aider-stackspot emulator``: a StackSpot that runs on this machine until it is stopped."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import NoReturn, TypeVar

import typer

from aider_stackspot.cli.terminal import say
from aider_stackspot.emulator import MODELS, STYLES, Emulator, Fault, RecordedRequest, Script, ScriptError
from aider_stackspot.emulator.fault_names import FAULTS, fault_kind, nearest, parse_fault
from aider_stackspot.emulator.recording import json_line, text_line
from aider_stackspot.emulator.style import difference

_T = TypeVar("_T")
_REMEMBERED = 100
_WHAT_NOW = "# Set these variables in another terminal and run there: aider --model stackspot-ai-code"


def print_names() -> None:
    """Print the models, styles and faults that there are, each with what it does."""
    kinds = {
        "models": {name: (model.__doc__ or "").partition("\n")[0] for name, model in MODELS.items()},
        "styles": {name: difference(style) for name, style in STYLES.items()},
        "faults": {f"{name}:{one.argument}" if one.argument else name: one.says for name, one in FAULTS.items()},
    }
    for kind, names in kinds.items():
        typer.echo(f"{kind}:")
        width = max(map(len, names))
        for name, meaning in names.items():
            typer.echo(f"  {name:{width}}  {meaning}")


def run_emulator(
    *,
    port: int,
    script: Path | None,
    model: str | None,
    style: str,
    faults: Sequence[str],
    fault_times: int | None,
    token_lifetime: float,
    rate_limit: int | None,
    input_limit: int | None,
    latency: float,
    json_log: bool,
) -> None:
    """Run it until it is stopped.

    Args:
        port: the TCP port; 0 for a free one.
        script: the YAML file with rules.
        model: what answers where no rule does.
        style: how streams are written.
        faults: what goes wrong.
        fault_times: how many requests meet each fault; all if `None`.
        token_lifetime: seconds for which a token is valid.
        rate_limit: calls a minute before 429.
        input_limit: tokens a prompt may have.
        latency: milliseconds before the first byte of an answer.
        json_log: log JSON.
    """
    chosen = _named(style, STYLES, "style")
    parsed = [_fault(text) for text in faults]
    served = Emulator(
        script=_script(script),
        port=port,
        token_lifetime=token_lifetime,
        rate_limit=rate_limit,
        keep=_REMEMBERED,
        on_finished=_Log(json_lines=json_log),
    )
    served.style = replace(chosen, first_delay=latency / 1000) if latency else chosen
    served.input_limit = input_limit
    if model is not None:
        served.answer = _named(model, MODELS, "model")
    for kind, wrong in parsed:
        served.fail(kind, wrong, fault_times)
    _run(served, port)


class _Log:
    """Writes a line for each finished request, one at a time."""

    def __init__(self, *, json_lines: bool) -> None:
        self._line = json_line if json_lines else text_line
        self._lock = threading.Lock()

    def __call__(self, request: RecordedRequest) -> None:
        with self._lock:
            sys.stderr.write(f"{self._line(request)}\n")
            sys.stderr.flush()


def _run(served: Emulator, port: int) -> None:
    with _stop_signals() as stop:
        try:
            served.start()
        except OSError as error:
            # asyncio writes the number and the address into the text itself.
            reason = os.strerror(error.errno) if error.errno else str(error)
            _end(f"--port {port}: {reason}. Give another port, or none for a free one.", 2)
        with served:
            for name, value in served.environment().items():
                print(f"export {name}={shlex.quote(value)}")
            print(_WHAT_NOW)
            sys.stdout.flush()
            while not stop.wait(0.5):  # a bound lets Ctrl-C through on Windows
                pass


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set, for as long as the context lasts."""
    stop = threading.Event()

    def set_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    numbers = (signal.SIGINT, signal.SIGTERM)
    previous = [signal.signal(number, set_stop) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, previous, strict=True):
            signal.signal(number, handler)


def _script(path: Path | None) -> Script | None:
    if path is None:
        return None
    try:
        return Script.load(path)
    except ScriptError as error:
        _end(f"{error}", 2)


def _fault(text: str) -> tuple[str, Fault]:
    try:
        wrong = parse_fault(text)
        return fault_kind(text), wrong
    except ValueError as error:
        _end(f"{error}", 2)


def _named(name: str, known: Mapping[str, _T], what: str) -> _T:
    if name not in known:
        _end(f"unknown {what} {name!r}{nearest(name, known)}", 2)
    return known[name]


def _end(problem: str, status: int) -> NoReturn:
    say(f"aider-stackspot emulator: {problem}")
    raise typer.Exit(status)
