"""`AIDER_STACKSPOT_LOG=1` and a path: what the loggers say goes to a file, and nothing of it to the screen."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aider_stackspot.emulator import Emulator, Fault
from aider_stackspot.errors import ConfigurationError, RequestRefused
from aider_stackspot.files import append_rotated
from aider_stackspot.pipeline.call_log import LogFile

PROGRAM = """
import logging
from aider_stackspot import StackSpotProvider
said = StackSpotProvider().completion_sync([{"role": "user", "content": "a confidential question"}])
logging.getLogger("aider_stackspot.compatible.catalogue").warning("a warning\\nof two lines")
logging.getLogger("somebody.else").error("not ours")
print(said)
"""
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ [A-Z]+ aider_stackspot\.\S+ .+")


def run(**variables: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env={**os.environ, **variables}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "a confidential answer" in done.stdout
    return done


@pytest.fixture
def service(emulator: Emulator) -> Emulator:
    emulator.answer = "a confidential answer"
    return emulator


@pytest.fixture
def home(isolated: Path) -> Path:
    return isolated.parent / "home"


@pytest.mark.parametrize("debug", ["0", "1"])
def test_the_usual_place(service: Emulator, home: Path, debug: str) -> None:
    assert run(AIDER_STACKSPOT_LOG="1", AIDER_STACKSPOT_DEBUG=debug).stderr == "not ours\n"
    log = home / ".aider/aider-stackspot/log"
    assert (log.stat().st_mode & 0o777, log.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    lines = log.read_text(encoding="utf-8").splitlines()
    assert all(LINE.fullmatch(line) for line in lines)
    assert sum("aider_stackspot.calls model=stackspot/stackspot-ai-code" in line for line in lines) == 1
    warning = "WARNING aider_stackspot.compatible.catalogue a warning | of two lines"
    assert sum(line.endswith(warning) for line in lines) == 1
    assert "confidential" not in log.read_text(encoding="utf-8")


@pytest.mark.thorough
@pytest.mark.parametrize("path", ["{home}/own.log", "~/own.log"])
def test_a_place_of_ones_own(service: Emulator, home: Path, path: str) -> None:
    run(AIDER_STACKSPOT_LOG=path.replace("{home}", str(home)))
    assert "aider_stackspot.calls" in (home / "own.log").read_text(encoding="utf-8")
    assert not (home / ".aider/aider-stackspot/log").exists()


@pytest.mark.thorough
def test_a_retry_is_in_it_too(service: Emulator, home: Path) -> None:
    service.fail("chat", Fault.status(503), times=1)
    run(AIDER_STACKSPOT_LOG="1")
    assert "try 1 of stackspot/stackspot-ai-code failed" in (home / ".aider/aider-stackspot/log").read_text()


@pytest.mark.slow
def test_a_place_that_cannot_be_written_is_one_line_and_the_call_goes_on(service: Emulator, home: Path) -> None:
    (home / "directory").mkdir()
    (home / "other").write_text("somebody's")
    (home / "link").symlink_to(home / "other")
    for path, why in (
        ("no/such/log", "No such file or directory"),
        ("directory", "Is a directory"),
        ("link", "this is a link"),
        ("other/log", "Not a directory"),
    ):
        told = run(AIDER_STACKSPOT_LOG=str(home / path)).stderr
        line = f"aider-stackspot: AIDER_STACKSPOT_LOG: {home / path} cannot be written: {why}. Nothing more is logged."
        assert told.splitlines() == [line, "not ours"]
    assert (home / "other").read_text() == "somebody's"


def test_of_an_error_it_has_our_own_words_alone(tmp_path: Path) -> None:
    """A server's refusal may quote the prompt, and the gateway logs it."""
    logger, handler = logging.Logger("aider_stackspot.gateway"), LogFile(tmp_path / "log")
    logger.addHandler(handler)
    logger.warning("%s: %s", "lab/m", RequestRefused("the server said: a confidential question", status=400))
    logger.warning("%s: %s", "lab/m", ConfigurationError("NOT_SET is not set"))
    try:
        raise ValueError("a confidential question")
    except ValueError:
        logger.exception("an answer could not be written")
    said = [line.partition("aider_stackspot.gateway ")[2] for line in (tmp_path / "log").read_text().splitlines()]
    last = "an answer could not be written (ValueError)"
    assert said == ["lab/m: RequestRefused", "lab/m: NOT_SET is not set", last]


class TestRotation:
    """A bounded file, with the one before it."""

    def test_a_full_file_makes_room(self, tmp_path: Path) -> None:
        log = tmp_path / "log"
        for number in range(10):
            append_rotated(log, f"line {number}", max_bytes=30)
        assert log.read_text() == "line 8\nline 9\n"
        assert (tmp_path / "log.1").read_text() == "line 4\nline 5\nline 6\nline 7\n"
        assert sorted(path.name for path in tmp_path.glob("*log*")) == ["log", "log.1"]

    def test_one_long_line_is_written_all_the_same(self, tmp_path: Path) -> None:
        append_rotated(tmp_path / "log", "x" * 100, max_bytes=30)
        assert (tmp_path / "log").stat().st_size == 101

    def test_processes_at_the_same_time_lose_nothing_that_fits(self, tmp_path: Path) -> None:
        program = (
            "import sys; from pathlib import Path; from aider_stackspot.files import append_rotated\n"
            "for n in range(60): append_rotated(Path(sys.argv[1]), f'{sys.argv[2]} {n:04} {\"x\" * 40}', 6000)"
        )
        log = tmp_path / "log"
        running = [subprocess.Popen([sys.executable, "-c", program, str(log), name]) for name in "abcd"]
        assert [process.wait(60) for process in running] == [0, 0, 0, 0]
        lines = [*(tmp_path / "log.1").read_text().splitlines(), *log.read_text().splitlines()]
        assert all(re.fullmatch(r"[abcd] \d{4} x{40}", line) for line in lines)
        assert log.stat().st_size <= 6000
