"""Many megabytes: as one event they are refused, as one answer they need no memory, and an endless one is given up."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from aider_stackspot.emulator import Emulator, Fault, Style

pytest_plugins = ["tests.faults.fault_fixtures"]
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick")]

LONG = 60_000_000
TOO_LONG = 100_000_000
READER = """
import json, resource, sys
from aider_stackspot import StackSpotError, StackSpotProvider
def ask():
    length, error = 0, ""
    try:
        for text in StackSpotProvider().stream([{"role": "user", "content": "hi"}]):
            length += len(text)
    except StackSpotError as problem:
        error = f"{type(problem).__name__}: {problem}"
    return length, error
ask()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print("ready", flush=True)
sys.stdin.readline()
length, error = ask()
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps({"length": length, "error": error, "grown_mb": grown / 1024}))
"""


def read_in_another_process(emulator: Emulator, fault: Fault) -> tuple[int, str, float]:
    """Return the length of the answer, the error, and by how many megabytes the peak of the memory grew."""
    with subprocess.Popen(
        [sys.executable, "-c", READER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        emulator.style = Style(events_per_write=1000)
        emulator.fail("any chat", fault)
        out, _ = program.communicate("\n", timeout=240)
        found = json.loads(out)
        return found["length"], found["error"], found["grown_mb"]


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of the peak differs elsewhere")
def test_an_answer_of_60_megabytes_streams_with_flat_memory(emulator: Emulator) -> None:
    length, error, grown = read_in_another_process(emulator, Fault.big_answer(LONG))
    assert (length, error) == (LONG, "")
    assert grown < 40


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of the peak differs elsewhere")
def test_an_answer_without_an_end_is_given_up_with_flat_memory(emulator: Emulator) -> None:
    length, error, grown = read_in_another_process(emulator, Fault.big_answer(TOO_LONG))
    assert length <= 64 * 1024 * 1024
    assert error.startswith("AnswerTooLong: The answer is longer than 67,108,864 characters and was given up")
    assert grown < 40
    assert emulator.chat_requests[-1].finished.wait(10)


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of the peak differs elsewhere")
def test_an_event_of_100_megabytes_is_refused_long_before_its_end(emulator: Emulator) -> None:
    length, error, grown = read_in_another_process(emulator, Fault.big_event(TOO_LONG))
    assert length == 0
    assert error.startswith("MalformedAnswer: One event of the stream is longer than 16,777,216 characters")
    assert grown < 120
    assert emulator.chat_requests[-1].finished.wait(10)
