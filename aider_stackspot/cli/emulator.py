"""``aider-stackspot emulator``: a StackSpot that runs on this machine until it is stopped."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn, TypeVar

import typer

from aider_stackspot.emulator import MODELS, STYLES, Emulator, Fault, RecordedRequest, Script, ScriptError
from aider_stackspot.emulator.fault import FAULTS, fault_kind, nearest, parse_fault
from aider_stackspot.emulator.recording import json_line, text_line

_T = TypeVar("_T")
_REMEMBERED = 100
_WHAT_NOW = "# Set these variables in another terminal and run there: aider --model stackspot-ai-code"


def _list_names(wanted: bool) -> None:
    if not wanted:
        return
    faults = [f"{name}:{fault.argument}" if fault.argument else name for name, fault in FAULTS.items()]
    for title, names in (("models", [*MODELS]), ("styles", [*STYLES]), ("faults", faults)):
        typer.echo(f"{title}:")
        for name in names:
            typer.echo(f"  {name}")
    raise typer.Exit


def emulator(
    port: Annotated[
        int, typer.Option(help="TCP port on 127.0.0.1; 0 takes a free one.", min=0, max=65535, metavar="PORT")
    ] = 0,
    script: Annotated[
        Path | None, typer.Option(help="YAML file with rules: what to answer to which prompt.", dir_okay=False)
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="What answers where no rule does; see --list.", metavar="NAME")
    ] = None,
    style: Annotated[str, typer.Option(help="How streams are written; see --list.", metavar="NAME")] = "default",
    fault: Annotated[
        list[str] | None,
        typer.Option(help="What goes wrong; may be repeated; see --list.", metavar="NAME[:ARG]"),
    ] = None,
    fault_times: Annotated[
        int | None, typer.Option(help="How many requests meet each fault; all when not given.", min=1, metavar="N")
    ] = None,
    token_lifetime: Annotated[float, typer.Option(help="Seconds a token is valid.", min=0, metavar="S")] = 1200,
    rate_limit: Annotated[
        int | None, typer.Option(help="Calls a minute before 429; no limit when not given.", min=0, metavar="N")
    ] = None,
    input_limit: Annotated[
        int | None,
        typer.Option(
            help="Tokens a prompt may have before it is refused; no limit when not given.", min=1, metavar="N"
        ),
    ] = None,
    latency: Annotated[
        float, typer.Option(help="Milliseconds before the first byte of an answer.", min=0, metavar="MS")
    ] = 0,
    json_log: Annotated[bool, typer.Option("--json-log", help="Log JSON, one object a line.")] = False,
    list_names: Annotated[
        bool,
        typer.Option(
            "--list", help="Print the models, styles and faults, then exit.", is_eager=True, callback=_list_names
        ),
    ] = False,
) -> None:
    """Run a StackSpot on this machine, without an account.

    Its tokens, streams and errors are real, its model is scripted: it greets, and puts a comment into a file that aider
    asks it to edit. With `--model agent` it also uses the tools of agent programs: it writes a small program, reads it,
    changes it and runs it.

    It prints the environment variables that point aider-stackspot at it, then logs each request on stderr. Ctrl-C or
    SIGTERM ends it with exit status 0.

    A script is YAML, and the first rule whose match is found in the prompt wins:

    {rules: [{match: hi, answer: Hello, times: 1}, {match: x, style: slow, fault: "cut-after:3"}], default: Ok}

    Examples:
        aider-stackspot emulator --port 8765 --model agent --input-limit 20000
        aider-stackspot emulator --script answers.yml --style slow
        aider-stackspot emulator --fault status:503 --fault-times 2
    """
    chosen = _named(style, STYLES, "style")
    faults = [_fault(text) for text in fault or []]
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
    for kind, wrong in faults:
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
    typer.echo(f"aider-stackspot emulator: {problem}", err=True)
    raise typer.Exit(status)
