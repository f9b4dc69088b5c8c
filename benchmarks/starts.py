"""How long starts take: Python's own, each command's, and aider's to the point where it would ask for a prompt."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks.machine import LocalServer
from benchmarks.measures import Row, against

STARTS = {
    "python -c pass": "pass",
    "import litellm": "import litellm",
}
COMMANDS = ("--help", "init --help", "usage", "usage --json", "models", "models --json", "providers list", "status")
SERVERS = 10
LISTED = 1000
AIDER = (
    *("--no-git", "--no-check-update", "--no-show-release-notes", "--analytics-disable", "--no-auto-commits"),
    *("--no-show-model-warnings", "--map-tokens", "0", "--no-pretty", "--exit"),
)
"""Everything of aider's start but the question for a prompt."""


def start(rounds: int = 15) -> list[Row]:
    """Measure what being installed adds to starts, by switching it off and on in turn."""
    rows = []
    for name, code in STARTS.items():
        ways = {
            switch: ([sys.executable, "-c", code], {"AIDER_STACKSPOT_AUTOLOAD": number})
            for switch, number in (("off", "0"), ("on", "1"))
        }
        rows += against(_in_turn(f"start: {name}", ways, rounds), "off")
    return rows


def commands(server: LocalServer, rounds: int = 15) -> list[Row]:
    """Measure each command, against a Python that does nothing: by the clock, and by what of it is CPU time."""
    with tempfile.TemporaryDirectory() as home, _server(models=10) as url:
        at_home = {"HOME": home, **_account(server)}
        _write_servers(Path(home), [url])
        ways = {"python -c pass": ([sys.executable, "-c", "pass"], at_home)}
        ways |= {
            f"aider-stackspot {command}": ([sys.executable, "-m", "aider_stackspot", *command.split()], at_home)
            for command in COMMANDS
        }
        taken, used = _timed("start: commands", ways, rounds, cwd=home)
        return against(taken, "python -c pass") + against(used, "python -c pass")


def aider(server: LocalServer, rounds: int = 7) -> list[Row]:
    """Measure aider's start without this package, with it, and with ten servers in the file in several moods."""
    program = str(Path(sys.executable).with_name("aider"))
    with contextlib.ExitStack() as stack:
        listing = stack.enter_context(_server(models=LISTED))
        hanging = stack.enter_context(_server(models=LISTED, hangs=True))
        down = [f"http://127.0.0.1:{_closed_port()}/v1"] * SERVERS
        moods = {
            "ten servers, all up": [listing] * SERVERS,
            "ten servers, none up": down,
            "ten servers, half of them hang": [listing] * (SERVERS // 2) + [hanging] * (SERVERS // 2),
        }
        model = ["--model", "stackspot-ai-code"]
        other = ["--model", "gpt-4o", "--openai-api-key", "none"]
        homes = {name: stack.enter_context(tempfile.TemporaryDirectory()) for name in ("", *moods)}
        for name, urls in moods.items():
            _write_servers(Path(homes[name]), urls)
        account = _account(server)
        ways = {
            "without, another vendor's model": ([program, *other, *AIDER], {"AIDER_STACKSPOT_AUTOLOAD": "0"}),
            "with, another vendor's model": ([program, *other, *AIDER], account),
            "with, stackspot-ai-code": ([program, *model, *AIDER], account),
        }
        ways = {name: (command, {**variables, "HOME": homes[""]}) for name, (command, variables) in ways.items()}
        ways |= {name: ([program, *model, *AIDER], {**account, "HOME": homes[name]}) for name in moods}
        rows = _in_turn("start: aider", ways, rounds, cwd=homes[""])
    return against(rows, "without, another vendor's model")


Ways = Mapping[str, tuple[list[str], Mapping[str, str]]]


def _in_turn(measure: str, ways: Ways, rounds: int, cwd: str | None = None) -> list[Row]:
    """Run each command in turn, once more than is counted; return what each took by the clock."""
    return _timed(measure, ways, rounds, cwd)[0]


def _timed(measure: str, ways: Ways, rounds: int, cwd: str | None = None) -> tuple[list[Row], list[Row]]:
    """Run each command in turn, once more than is counted; return the time, and the CPU time."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    used: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, (command, variables) in ways.items():
            cpu, begun = _cpu_of_children(), time.perf_counter()
            done = subprocess.run(
                command, env={**os.environ, **variables}, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True
            )
            if done.returncode > 0:
                raise SystemExit(f"{' '.join(command)}: {done.stderr.decode()[-500:]}")
            if number:
                taken[name].append((time.perf_counter() - begun) * 1e3)
                used[name].append((_cpu_of_children() - cpu) * 1e3)
    return _rows(measure, taken), _rows(f"{measure}, CPU", used)


def _rows(measure: str, milliseconds: Mapping[str, list[float]]) -> list[Row]:
    return [Row(measure, name, "ms", values) for name, values in milliseconds.items()]


def _cpu_of_children() -> float:
    """Return the seconds of CPU that ended children took, in the programs and in the system for them."""
    if sys.platform != "win32":
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime
    raise SystemExit("The CPU time of a command is read as a POSIX system counts it.")


def _account(server: LocalServer) -> dict[str, str]:
    return {
        "STACKSPOTAI_CLIENT_ID": "benchmark",
        "STACKSPOTAI_CLIENT_KEY": "benchmark-key",
        "STACKSPOTAI_AUTH_URL": server.url,
        "STACKSPOTAI_AGENT_API_BASE": server.url,
        "STACKSPOTAI_AGENT_ID": "5-20-0",
    }


def _write_servers(home: Path, urls: list[str]) -> None:
    lines = [f"  lab{number}:\n    api_base: {url}\n" for number, url in enumerate(urls)]
    (home / ".aider.litellm.yml").write_text("providers:\n" + "".join(lines), encoding="utf-8")


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextlib.contextmanager
def _server(*, models: int, hangs: bool = False) -> Iterator[str]:
    """Yield the base URL of a server that lists so many models, or of one that accepts and says nothing."""
    ending = threading.Event()
    listed = json.dumps({"data": [{"id": f"model-{number}", "object": "model"} for number in range(models)]}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if hangs:
                ending.wait()
                return
            self.send_response(200 if self.path.endswith("/models") else 404)
            self.send_header("Content-Length", str(len(listed)))
            self.end_headers()
            self.wfile.write(listed)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        ending.set()
        server.shutdown()
        server.server_close()
