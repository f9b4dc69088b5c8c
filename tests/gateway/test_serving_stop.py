"""The gateway stops when it is told to, at any moment, and leaves no process, no file and no taken port."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from aider_stackspot.emulator import Emulator, Fault
from aider_stackspot.gateway.launch import listen
from tests.gateway.gateway_process import begun, started

pytestmark = pytest.mark.slow
pytest_plugins = ["tests.gateway.gateway_fixtures"]

assert sys.platform != "win32"

KEY = "sk-a-key-for-this-gateway"


@pytest.fixture
def environment(stackspot: Emulator, tmp_path: Path) -> dict[str, str]:
    stackspot.reset()
    (tmp_path / "temporary").mkdir()
    return {**stackspot.environment(), "LITELLM_MASTER_KEY": KEY, "TMPDIR": str(tmp_path / "temporary")}


def processes(group: int) -> list[str]:
    """The processes of a group that are alive."""
    listed = subprocess.run(["ps", "-e", "-o", "pgid=,stat=,pid="], capture_output=True, text=True, check=True)
    rows = [line.split() for line in listed.stdout.splitlines()]
    return [pid for found, state, pid in rows if int(found) == group and not state.startswith("Z")]


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def assert_gone(process: subprocess.Popen[bytes], url: str, tmp_path: Path, seconds: float) -> None:
    try:
        assert process.wait(seconds) == 0
        until(lambda: not processes(process.pid))
    finally:
        for pid in processes(process.pid):
            os.kill(int(pid), signal.SIGKILL)
    assert not list((tmp_path / "temporary").glob("aider-stackspot-*"))
    listen("127.0.0.1", httpx.URL(url).port or 0).close()


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_while_it_starts(environment: dict[str, str], tmp_path: Path, workers: int) -> None:
    process, url, output = begun(tmp_path, environment, "--workers", str(workers))
    until(lambda: list((tmp_path / "temporary").glob("*/litellm.yaml")))
    if workers > 1:
        until(lambda: len(processes(process.pid)) > workers)
    os.killpg(process.pid, signal.SIGINT)
    assert_gone(process, url, tmp_path, 8)
    assert output.read_text().endswith("Ctrl-C stops it.\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_to_a_gateway_with_workers(
    environment: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    process, url, output = started(tmp_path, environment, "--workers", "2")
    process.send_signal(number)
    assert_gone(process, url, tmp_path, 20)
    assert "Traceback" not in output.read_text()


def test_ctrl_c_in_the_middle_of_an_answer(environment: dict[str, str], tmp_path: Path, stackspot: Emulator) -> None:
    process, url, output = started(tmp_path, environment)
    stackspot.answer = ["one ", "two "]
    stackspot.fail("any chat", Fault.silent_after(1))
    call = {"model": "stackspot-ai-code", "messages": [{"role": "user", "content": "Say hi"}], "stream": True}
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=call, headers=headers, timeout=60) as answer:
        lines = answer.iter_lines()
        assert "one " in next(lines)
        os.killpg(process.pid, signal.SIGINT)
        assert_gone(process, url, tmp_path, 20)
        with contextlib.suppress(httpx.HTTPError):  # a connection without its last chunk says the same
            assert "data: [DONE]" not in list(lines)
    assert "Ready" in output.read_text()
    assert "Traceback" not in output.read_text()
