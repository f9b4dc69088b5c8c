"""What every command says of itself, and how little has to be loaded to say it."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click
import pytest
import typer

from aider_stackspot.cli.app import app, load_command
from aider_stackspot.cli.overview import COMMANDS, EPILOG, OPTIONS
from tests.cli.person import at_a_terminal

NAMES = (
    "init",
    "status",
    "logout",
    "doctor",
    "models",
    "agents",
    "agents list",
    "agents show",
    "agents use",
    "agents measure",
    "providers",
    "providers add",
    "providers import",
    "providers list",
    "providers remove",
    "providers refresh",
    "trust",
    "usage",
    "serve",
    "launch",
    "docs",
    "demo",
    "emulator",
)
NEVER = ("aider", "litellm", "openai")
TO_RUN = (
    *NEVER,
    "httpx",
    "pydantic",
    "yaml",
    "asyncio",
    "aider_stackspot.compatible",
    "aider_stackspot.config",
    "aider_stackspot.pipeline",
    *(f"aider_stackspot.cli.{c}" for c in COMMANDS),
)
TO_DRAW = ("typer", "click", "rich", "inspect")

PROGRAM = """
import atexit, os, sys
from aider_stackspot.cli import main
atexit.register(lambda: os.write(2, ("loaded: " + " ".join(sys.modules)).encode()))
sys.argv = ["aider-stackspot", *sys.argv[1:]]
main()
"""


def program(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a fresh Python that tells at its end what it loaded."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "COLUMNS": "80", **variables},
    )


def loaded(done: subprocess.CompletedProcess[str], modules: tuple[str, ...]) -> set[str]:
    """Return which of the modules it loaded; the program itself must have come to its end."""
    assert "loaded:" in done.stderr
    return set(modules) & set(done.stderr.rpartition("loaded:")[2].split())


@dataclass(frozen=True)
class Help:
    """What a command printed for `--help`, its exit status, and the modules that it was the first to load."""

    status: int
    text: str
    loaded: list[str]


ALL_HELP = """
import contextlib, io, json, sys
from aider_stackspot.cli import main

told, known = {}, set()
for name in json.loads(sys.argv[1]):
    sys.argv = ["aider-stackspot", *name.split(), "--help"]
    with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")) as out:
        try:
            status = main()
        except SystemExit as end:
            status = end.code
    text = out.buffer.getvalue().decode()
    told[name] = {"status": status, "text": text, "loaded": [*{*sys.modules} - known]}
    known = {*sys.modules}
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def helps() -> dict[str, Help]:
    """Every command's `--help`, at 80 columns, asked for in one fresh Python."""
    done = subprocess.run(
        [sys.executable, "-c", ALL_HELP, json.dumps(NAMES)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "COLUMNS": "80"},
    )
    assert (done.stderr, done.returncode) == ("", 0)
    return {name: Help(**told) for name, told in json.loads(done.stdout).items()}


@pytest.fixture(params=NAMES)
def shown(request: pytest.FixtureRequest, helps: dict[str, Help]) -> Help:
    """One of them."""
    return helps[request.param]


@pytest.fixture(scope="module")
def overview() -> subprocess.CompletedProcess[str]:
    """The same of the command itself."""
    return program("--help")


def test_the_overview_loads_no_command_and_nothing_to_draw_with(overview: subprocess.CompletedProcess[str]) -> None:
    assert overview.returncode == 0
    assert loaded(overview, TO_RUN + TO_DRAW) == set()


def test_help_loads_nothing_that_only_the_work_needs(shown: Help) -> None:
    assert shown.status == 0
    assert {*TO_RUN} & {*shown.loaded} == set()


def test_help_has_examples_that_fit_a_line(shown: Help) -> None:
    if "COMMAND [ARGS]" in shown.text:
        assert " list " in shown.text
        return
    name = " ".join(re.findall(r"Usage: (aider-stackspot [a-z ]+)", shown.text)[0].split())
    examples = [line.strip() for line in shown.text.partition("Examples")[2].splitlines() if line.strip()]
    assert examples
    for example in examples:
        assert example.startswith(f"$ {name}"), "too long for a line, or of another command"


def test_help_fits_80_columns_and_has_no_colours_in_a_pipe(
    shown: Help, overview: subprocess.CompletedProcess[str]
) -> None:
    for text in (shown.text, overview.stdout):
        assert "\x1b" not in text
        assert max(map(len, text.splitlines())) <= 80


def names(commands: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the names of commands, those of groups included."""
    for name, command in commands.items():
        yield f"{prefix}{name}"
        yield from names(getattr(command, "commands", {}), f"{prefix}{name} ")


def test_every_command_is_among_these() -> None:
    assert tuple(names({name: load_command(name) for name in COMMANDS})) == NAMES


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ("agents", "providers")])
def test_the_line_about_a_command_is_the_first_of_its_docstring(name: str) -> None:
    command = getattr(import_module(f"aider_stackspot.cli.commands.{name}"), name)
    assert inspect.cleandoc(command.__doc__).splitlines()[0] == COMMANDS[name]


def test_the_overview_has_the_options_that_there_are() -> None:
    command = typer.main.get_command(app)
    options: list[Any] = command.get_params(click.Context(command, **command.context_settings))
    told = [({*names} - {""}, text.rstrip(".")) for names, text in OPTIONS.items()]
    assert told == [({*option.opts}, option.help.rstrip(".")) for option in options]


def test_the_overview_has_everything_in_its_order(overview: subprocess.CompletedProcess[str]) -> None:
    cells = re.findall(r"^│ (\S+)", overview.stdout, re.MULTILINE)
    assert cells == [*(long for long, _ in OPTIONS), *COMMANDS]
    words = " ".join(re.sub("[│╭╮╰╯─]", " ", overview.stdout).split())
    for text in (*OPTIONS.values(), *COMMANDS.values(), EPILOG):
        assert text.replace("`", "") in words


@pytest.mark.parametrize("arguments", [(), ("-h",), ("--help", "models")])
def test_it_is_one_screen_however_it_is_asked_for(
    overview: subprocess.CompletedProcess[str], arguments: tuple[str, ...]
) -> None:
    done = program(*arguments)
    assert done.stdout.rstrip() == overview.stdout.rstrip()
    assert done.returncode == (0 if arguments else 2)


def test_its_box_is_one_of_ascii_where_there_is_nothing_else() -> None:
    text = program("--help", PYTHONIOENCODING="ascii", COLUMNS="61").stdout
    assert text.isascii()
    assert {len(line) for line in text.splitlines() if line[:1] in ("+", "|")} == {61}


def test_it_has_colours_at_a_terminal_that_wants_them() -> None:
    assert "\x1b[1;36minit" in at_a_terminal("--help").text
    assert "\x1b" not in at_a_terminal("--help", NO_COLOR="1").text


@pytest.mark.parametrize("words", ["mod", "providers re", "doctor --re"])
def test_the_shell_completes_it(words: str) -> None:
    expected = {"mod": "models", "providers re": "remove", "doctor --re": "--record"}[words]
    typed = f"aider-stackspot {words}"
    variables = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    done = program(_AIDER_STACKSPOT_COMPLETE="complete_bash", **variables)
    assert expected in done.stdout.split()
    assert loaded(done, TO_RUN) == set()


def test_a_mistyped_command_is_told_the_nearest() -> None:
    done = program("modls")
    assert done.returncode == 2
    assert "No such command 'modls'. Did you mean 'models'?" in done.stderr


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_the_version_is_one_line(flag: str) -> None:
    done = program(flag)
    assert re.fullmatch(r"aider-stackspot \d+\.\d+\.\d+\n", done.stdout)
    assert loaded(done, TO_RUN) == set()
