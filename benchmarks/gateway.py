"""`python -m benchmarks.gateway`: the gateway, the floor below it and LiteLLM Proxy, all in front of one StackSpot.

The floor is `floor.py`, a starlette application of thirty lines that checks nothing. `--proxy` names the command
`litellm` of an environment with `aider-stackspot[litellm-proxy]`; without it the proxy is left out. Reads /proc, so on
Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console

from benchmarks import machine, report
from benchmarks.measures import Row, against, point_at

PLAN = "40-20-5"
"""Forty events of twenty characters, five milliseconds apart."""
KEY = f"sk-{secrets.token_urlsafe(32)}"
MODEL = "stackspot-ai-code"
FLOOR = "raw starlette"
AT_ONCE = (1, 8, 50, 100, 200, 400)
LONG_PROMPT = "word " * 200_000
LONG_ANSWER = "5000-10000-0"
"""A prompt of one megabyte, and the plan of an answer of fifty."""


@dataclass(frozen=True)
class Way:
    """A process that serves the models.

    Attributes:
        name: how the table calls it.
        url: its address.
        process: the process.
        began: the second at which it was started.
    """

    name: str
    url: str
    process: subprocess.Popen[bytes]
    began: float

    def cpu(self) -> float:
        """Return the seconds of CPU that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100  # /proc counts hundredths

    def memory(self) -> float:
        """Return its resident memory in megabytes."""
        return memory_of(self.process.pid)


def memory_of(pid: int) -> float:
    """Return a process's resident memory in megabytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@contextlib.contextmanager
def serving(name: str, command: list[str], home: str) -> Iterator[Way]:
    """Start a way on a free port, wait until it answers, and stop it at the end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "HOME": home,
        "AIDER_STACKSPOT_GATEWAY_KEY": KEY,
        "LITELLM_MASTER_KEY": KEY,
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port)],
        env=environment,
        cwd=home,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        way = Way(name, f"http://127.0.0.1:{port}", process, began)
        _wait(way)
        yield way
    finally:
        process.terminate()
        process.wait(20)


def _wait(way: Way) -> None:
    while time.perf_counter() - way.began < 180:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{way.url}/health/liveliness", trust_env=False).is_success:
                return
        if way.process.poll() is not None:
            break
        time.sleep(0.05)
    raise SystemExit(f"{way.name} does not start")


async def streams(url: str, count: int, at_once: int, prompt: str = "Say hi") -> list[float]:
    """Ask for so many streams, so many of them at once; return the seconds to the first text of each that was whole."""
    body = {"model": MODEL, "messages": [{"role": "user", "content": prompt}], "stream": True}
    firsts: list[float] = []
    limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(timeout=120, trust_env=False, limits=limits, headers=headers) as client:

        async def one_after_another(number: int) -> None:
            for _ in range(number):
                with contextlib.suppress(httpx.HTTPError):  # an answer that is lost
                    firsts.append(await _first_text(client, f"{url}/v1/chat/completions", body))

        await asyncio.gather(*(one_after_another(count // at_once) for _ in range(at_once)))
    return firsts


async def _first_text(client: httpx.AsyncClient, url: str, body: dict[str, object]) -> float:
    begun, first, tail = time.perf_counter(), 0.0, b""
    async with client.stream("POST", url, json=body) as answer:
        answer.raise_for_status()
        async for piece in answer.aiter_bytes():
            if not first and b"quick" in piece:
                first = time.perf_counter() - begun
            tail = (tail + piece)[-64:]
    if b"[DONE]" not in tail:
        raise httpx.ReadError("an answer is not complete")
    return first


def measure(way: Way, server: machine.LocalServer, rounds: int) -> list[Row]:
    """Return what a way needs."""
    ready = time.perf_counter() - way.began
    rows = [_row("start", way, "s", [ready]), _row("start, CPU", way, "s", [way.cpu()])]
    rows.append(_row("memory at rest", way, "MB", [way.memory()]))
    asyncio.run(streams(way.url, 16, 8))  # warms up
    for at_once in AT_ONCE:
        count = max(at_once, 48 // at_once * at_once) * rounds
        cpu, begun = way.cpu(), time.perf_counter()
        firsts = [1e3 * first for first in asyncio.run(streams(way.url, count, at_once))]
        seconds, used = time.perf_counter() - begun, (way.cpu() - cpu) / len(firsts) * 1e3
        rows += [
            _row(f"{at_once} streams at once, first text", way, "ms", firsts),
            _row(f"{at_once} streams at once, CPU an answer", way, "ms", [used]),
            _row(f"{at_once} streams at once, answers a second", way, "", [len(firsts) / seconds]),
            _row(f"{at_once} streams at once, lost", way, "", [float(count // at_once * at_once - len(firsts))]),
            _row(f"{at_once} streams at once, memory", way, "MB", [way.memory()]),
        ]
    return rows + _long(way, server)


def _long(way: Way, server: machine.LocalServer) -> list[Row]:
    """Measure a prompt of a megabyte and an answer of fifty, by CPU and by what memory is left with."""
    cpu = way.cpu()
    firsts = asyncio.run(streams(way.url, 5, 1, LONG_PROMPT))
    rows = [_row("a prompt of 1 MB, first text", way, "ms", [1e3 * first for first in firsts])]
    rows.append(_row("a prompt of 1 MB, CPU", way, "ms", [(way.cpu() - cpu) / 5 * 1e3]))
    with server.overridden(LONG_ANSWER):
        cpu = way.cpu()
        asyncio.run(streams(way.url, 1, 1))
    return [
        *rows,
        _row("an answer of 50 MB, CPU", way, "s", [way.cpu() - cpu]),
        _row("an answer of 50 MB, memory afterwards", way, "MB", [way.memory()]),
    ]


def _row(measure: str, way: Way, unit: str, values: list[float]) -> Row:
    return Row(measure, way.name, unit, values)


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--proxy", type=Path, help="the command `litellm` of LiteLLM Proxy")
    parser.add_argument("--rounds", type=int, default=2, help="times that each number of streams is asked for")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    console, rows = Console(), list[Row]()
    with machine.server() as server, tempfile.TemporaryDirectory() as home:
        point_at(server, PLAN)
        ours = [sys.executable, "-m", "aider_stackspot", "serve"]
        ways = {
            FLOOR: [sys.executable, "-m", "benchmarks.floor", f"{server.url}/v1/agent/{PLAN}/chat"],
            "aider-stackspot serve": ours,
        }
        if arguments.proxy is not None:
            path = Path(home) / "litellm.yaml"
            path.write_bytes(
                subprocess.run([*ours, "--print-config"], cwd=home, capture_output=True, check=True).stdout
            )
            ways["LiteLLM Proxy"] = [str(arguments.proxy), "--config", str(path), "--telemetry", "False"]
        for name, command in ways.items():
            with console.status(f"measuring {name} …"), serving(name, command, home) as way:
                rows += measure(way, server, arguments.rounds)
    for kind in dict.fromkeys(row.measure for row in rows):
        against([row for row in rows if row.measure == kind], FLOOR)
    report.show(console, rows)
    if arguments.json:
        report.keep(arguments.json, rows)


if __name__ == "__main__":
    main()
