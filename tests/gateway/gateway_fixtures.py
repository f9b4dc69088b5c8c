"""A gateway of two workers in front of an emulator. These need the environment that `make gateway` makes."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from aider_stackspot.emulator import Emulator, Style
from aider_stackspot.emulator.models import hello

SERVE = """\
from aider_stackspot.cli import app, main
from aider_stackspot.cli.serve import serve
app.command()(serve)
main()
"""


@dataclass
class Gateway:
    """A running gateway."""

    url: str
    key: str
    output: Path


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def started(directory: Path, environment: dict[str, str], *arguments: str) -> tuple[subprocess.Popen[bytes], str, Path]:
    """Start `aider-stackspot serve` and wait until it answers; return the process, its URL and what it prints."""
    port = free_port()
    output = directory / f"output-{port}.txt"
    (directory / "project").mkdir(exist_ok=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("STACKSPOTAI_", "LITELLM_"))}
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, "serve", "--port", str(port), *arguments],
            cwd=directory / "project",
            env={**clean, "HOME": str(directory), "LITELLM_LOCAL_MODEL_COST_MAP": "True", **environment},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait(process, url, output)
    except BaseException:
        stop(process)
        raise
    return process, url, output


def wait(process: subprocess.Popen[bytes], url: str, output: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, output.read_text()
        try:
            if httpx.get(f"{url}/health/liveliness", trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise AssertionError(output.read_text())


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def stackspot() -> Iterator[Emulator]:
    """The StackSpot behind the gateway."""
    with Emulator() as running:
        yield running


@pytest.fixture(scope="session")
def running_gateway(stackspot: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """`aider-stackspot serve --workers 2`, as on its first start."""
    process, url, output = started(tmp_path_factory.mktemp("gateway"), stackspot.environment(), "--workers", "2")
    key = re.search(r"^  (sk-\S+)$", output.read_text(), re.MULTILINE)
    try:
        assert key is not None, output.read_text()
        yield Gateway(url, key[1], output)
    finally:
        stop(process)


@pytest.fixture
def gateway(running_gateway: Gateway, stackspot: Emulator) -> Gateway:
    """The gateway, with a StackSpot that is well and knows nothing of earlier tests."""
    stackspot.reset()
    stackspot.rotate("stackspot", "client-id", "client-key")
    stackspot.answer = hello
    stackspot.style = Style()
    return running_gateway
