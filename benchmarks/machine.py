"""The server's process, and what the figures were measured on."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from urllib.request import urlopen


class LocalServer:
    """The fast server of `server.py` in a process of its own.

    Attributes:
        url: its address.
        configuration: the file in which this package's calls find it.
    """

    def __init__(self, port: int, configuration: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.configuration = configuration

    def reset(self, latency: float = 0.0) -> None:
        """Forget the counts, and answer each request after so many seconds."""
        self._control(f"?latency={latency}")

    @contextlib.contextmanager
    def overridden(self, plan: str) -> Iterator[None]:
        """Answer every chat by this plan, whatever its path says."""
        self._control(f"?plan={plan}")
        try:
            yield
        finally:
            self._control("?plan=")

    def counts(self) -> dict[str, int]:
        """Return connections and requests since the last reset; this request is one of them."""
        counted: dict[str, int] = json.loads(self._control(""))
        return counted

    def _control(self, query: str) -> bytes:
        with urlopen(f"{self.url}/control{query}") as answer:
            return bytes(answer.read())


@contextlib.contextmanager
def server() -> Iterator[LocalServer]:
    """Run the server."""
    script = Path(__file__).with_name("server.py")
    process = subprocess.Popen([sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        with tempfile.TemporaryDirectory() as folder:
            yield LocalServer(int(process.stdout.readline()), Path(folder, "litellm.yml"))
    finally:
        process.stdin.close()
        process.wait(10)


def description() -> dict[str, str]:
    """Return what somebody needs to compare their own figures."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    return {
        "processor": model,
        "cores": str(os.cpu_count()),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "litellm": version("litellm"),
        "httpx": version("httpx"),
    }
