"""A low limit of open files: calls wait for each other, and what still fails says what to do."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from aider_stackspot.emulator import Emulator, Style
from aider_stackspot.network import client
from aider_stackspot.network.client import MAX_CONNECTIONS, connection_limit

assert sys.platform != "win32"

PROGRAM = Path(__file__).with_name("few_files_program.py")


def run(*arguments: str) -> str:
    done = subprocess.run([sys.executable, str(PROGRAM), *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("files", [32, *(pytest.param(files, marks=pytest.mark.thorough) for files in (64, 256))])
def test_a_hundred_calls_at_once_are_all_answered(emulator: Emulator, files: int) -> None:
    emulator.style = Style(first_delay=0.1)
    assert run("calls", str(files)).splitlines() == ["100 stop"]
    assert emulator.connections <= files // client.SHARE_OF_FILES + 1


def test_where_no_file_can_be_opened_the_error_says_what_to_do(emulator: Emulator) -> None:
    failed, answered = run("full").splitlines()
    assert failed.startswith("ConnectionFailed No connection to 127.0.0.1")
    assert "too many files and connections are open. Raise the limit (`ulimit -n`)" in failed
    assert answered.isdigit()


@pytest.mark.parametrize(
    ("files", "connections"),
    [
        (0, 1),
        (3, 1),
        (64, 16),
        (256, 64),
        (1024, MAX_CONNECTIONS),
        (10**9, MAX_CONNECTIONS),
        (None, MAX_CONNECTIONS),
    ],
)
def test_connections_are_a_share_of_the_files(
    files: int | None, connections: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = resource.RLIM_INFINITY if files is None else files
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    assert connection_limit() == connections
