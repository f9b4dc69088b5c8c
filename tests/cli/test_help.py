"""What every command says of itself, and how little has to be loaded to say it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer

COMMANDS = (
    "",
    "init",
    "doctor",
    "models",
    "providers",
    "providers add",
    "providers list",
    "providers remove",
    "providers refresh",
    "trust",
    "usage",
    "serve",
    "demo",
    "emulator",
)
HEAVY = ("aider", "litellm", "openai", "httpx", "pydantic", "anyio", "asyncio", "yaml", "aider_stackspot.config")
HEAVY_ROOMS = ("emulator", "compatible", "provider", "transport", "doctor.network", "gateway.configuration")

PROGRAM = f"""
import atexit, os, sys
from aider_stackspot.cli import main
heavy = {(*HEAVY, *(f"aider_stackspot.{room}" for room in HEAVY_ROOMS))!r}
atexit.register(lambda: os.write(2, ("loaded: " + " ".join(n for n in heavy if n in sys.modules)).encode()))
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


def loaded(done: subprocess.CompletedProcess[str]) -> str:
    """Return the heavy modules that it loaded; the program itself must have come to its end."""
    assert "loaded:" in done.stderr
    return done.stderr.rpartition("loaded:")[2].strip()


@pytest.fixture(scope="module", params=COMMANDS, ids=lambda words: words or "aider-stackspot")
def shown(request: pytest.FixtureRequest) -> subprocess.CompletedProcess[str]:
    """Each command's `--help`, at 80 columns."""
    return program(*request.param.split(), "--help")


def test_help_is_shown_without_loading_what_the_command_needs(shown: subprocess.CompletedProcess[str]) -> None:
    assert shown.returncode == 0
    assert loaded(shown) == ""


def test_help_has_examples_that_fit_a_line(shown: subprocess.CompletedProcess[str]) -> None:
    if "COMMAND [ARGS]" in shown.stdout:
        assert " init " in shown.stdout or " add " in shown.stdout
        return
    name = " ".join(re.findall(r"Usage: (aider-stackspot [a-z ]+)", shown.stdout)[0].split())
    examples = [line.strip() for line in shown.stdout.partition("Examples")[2].splitlines() if line.strip()]
    assert examples
    for example in examples:
        assert example.startswith(f"$ {name}"), "too long for a line, or of another command"


def test_help_fits_80_columns_and_has_no_colours_in_a_pipe(shown: subprocess.CompletedProcess[str]) -> None:
    assert "\x1b" not in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80


def names(group: Any, prefix: str = "") -> Iterator[str]:
    """Yield the names of a program's commands."""
    for name, command in group.commands.items():
        yield f"{prefix}{name}"
        yield from names(command, f"{prefix}{name} ") if hasattr(command, "commands") else ()


def test_every_command_is_among_these() -> None:
    from aider_stackspot.cli.app import app

    assert set(names(typer.main.get_command(app))) == set(COMMANDS) - {""}


@pytest.mark.parametrize(
    ("words", "expected"), [("mod", "models"), ("providers re", "remove"), ("doctor --re", "--record")]
)
def test_the_shell_completes_it_as_quickly(words: str, expected: str) -> None:
    typed = f"aider-stackspot {words}"
    variables = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    done = program(_AIDER_STACKSPOT_COMPLETE="complete_bash", **variables)
    assert expected in done.stdout.split()
    assert loaded(done) == ""


def test_the_commands_are_in_the_order_in_which_a_person_meets_them() -> None:
    text = program("--help").stdout
    names = [name for name in COMMANDS if name and " " not in name]
    assert sorted(names, key=lambda name: text.index(f"│ {name} ")) == names


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_the_version_is_one_line(flag: str) -> None:
    done = program(flag)
    assert re.fullmatch(r"aider-stackspot \d+\.\d+\.\d+\n", done.stdout)
    assert loaded(done) == ""
