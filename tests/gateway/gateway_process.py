"""The command `aider-stackspot serve` as a process of its own, and what it prints for people to paste."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

COMMAND = Path(sys.executable).with_name("aider-stackspot")


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


def begun(directory: Path, environment: dict[str, str], *arguments: str) -> tuple[subprocess.Popen[bytes], str, Path]:
    """Run `aider-stackspot serve` as a terminal does, in a group of its own; return it, its URL and what it prints."""
    port = free_port()
    output = directory / f"output-{port}.txt"
    (directory / "project").mkdir(exist_ok=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("STACKSPOTAI_", "LITELLM_"))}
    with output.open("wb") as file:
        process = subprocess.Popen(
            [COMMAND, "serve", "--port", str(port), *arguments],
            cwd=directory / "project",
            env={**clean, "HOME": str(directory), "LITELLM_LOCAL_MODEL_COST_MAP": "True", **environment},
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return process, f"http://127.0.0.1:{port}", output


@contextmanager
def serving(directory: Path, environment: dict[str, str], *arguments: str) -> Iterator[Gateway]:
    """Run it as on its first start, when it shows its key, and stop it."""
    process, url, output = started(directory, environment, *arguments)
    try:
        key = re.search(r"^  (sk-\S+)$", output.read_text(), re.MULTILINE)
        assert key is not None, output.read_text()
        yield Gateway(url, key[1], output)
    finally:
        stop(process)


def started(directory: Path, environment: dict[str, str], *arguments: str) -> tuple[subprocess.Popen[bytes], str, Path]:
    """Do the same, and wait until it answers."""
    process, url, output = begun(directory, environment, *arguments)
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


def settings_of(printed: str, heading: str) -> str:
    """What the first start printed below a heading."""
    return printed.partition(f"\n--- {heading}\n")[2].partition("\n\n")[0]
