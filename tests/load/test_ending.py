"""Calls while Python is ending: each is answered, or fails at once; none hangs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aider_stackspot.emulator import Emulator

PROGRAM = Path(__file__).with_name("ending_program.py")
ANSWER = "All is well"


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("atexit, before ours", [ANSWER, ANSWER]),
        ("atexit, behind ours", [ANSWER, ANSWER]),
        ("atexit, cold", [ANSWER]),
        ("a thread", [ANSWER, ANSWER]),
        (
            "an object's end",
            [ANSWER, "ConnectionFailed No call can be made any more: the Python interpreter is ending."],
        ),
    ],
)
@pytest.mark.slow
def test_a_call_is_answered_or_fails(emulator: Emulator, way: str, said: list[str]) -> None:
    emulator.answer = [ANSWER]
    done = subprocess.run(
        [sys.executable, str(PROGRAM), way], env=os.environ, capture_output=True, text=True, timeout=30
    )
    assert (done.stdout.splitlines(), done.stderr, done.returncode) == (said, "", 0)
