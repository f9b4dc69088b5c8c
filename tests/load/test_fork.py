"""`fork` after use: the child starts anew, the parent goes on, and neither disturbs the other's connection."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aider_stackspot.emulator import Emulator, Style

PROGRAM = Path(__file__).with_name("forking_program.py")


@pytest.mark.parametrize(
    ("way", "children", "parents"),
    [
        ("fork_after_use", 1, 2),
        pytest.param("fork_before_use", 1, 1, marks=pytest.mark.slow),
        pytest.param("fork_amid_an_answer", 1, 1, marks=pytest.mark.slow),
        pytest.param("fork_while_another_thread_calls", 3, 1, marks=pytest.mark.slow),
        pytest.param("fork_twice", 1, 1, marks=pytest.mark.slow),
        ("fork_while_every_lock_is_held", 1, 1),
        ("fork_while_libraries_hold_their_locks", 1, 1),
        ("fork_300_times_under_load", 0, 1),
        pytest.param("pool", 9, 1, marks=pytest.mark.slow),
    ],
)
@pytest.mark.slow
def test_parent_and_child_go_on(way: str, children: int, parents: int, emulator: Emulator) -> None:
    emulator.answer = ["All ", "is ", "well"]
    emulator.style = Style(delay=0.01)
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", str(PROGRAM), way],
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=180,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr == ""
    assert lines[-1] == "done"
    said = [line.split(" ", 1) for line in lines[:-1]]
    assert [who for who, _ in said].count("child") == children
    assert [who for who, _ in said].count("parent") == parents
    assert {text[:11] for _, text in said} == {"All is well"}
    assert not [request for request in emulator.chat_requests if request.status != 200]
    if way not in ("pool", "fork_300_times_under_load"):
        processes = {"fork_twice": 3, "fork_while_another_thread_calls": 4}.get(way, 2)
        assert len(emulator.token_requests) == processes
