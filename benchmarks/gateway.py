"""`python -m benchmarks.gateway`: the gateway and LiteLLM Proxy in front of the same StackSpot, in one run.

`--proxy` names the command `litellm` of an environment with `aider-stackspot[litellm-proxy]`, such as `make test-real`
makes; without it only the gateway is measured. Reads /proc, so on Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks import machine
from benchmarks.measures import point_at

PLAN = "40-20-5"
"""Forty events of twenty characters, five milliseconds apart."""
KEY = f"sk-{secrets.token_urlsafe(32)}"
MODEL = "stackspot-ai-code"
AT_ONCE = (8, 50, 200)


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
        status = Path(f"/proc/{self.process.pid}/status").read_text()
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


async def streams(url: str, count: int, at_once: int) -> list[float]:
    """Ask for so many streams, so many of them at once; return the seconds to each one's first text."""
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Say hi"}], "stream": True}
    firsts: list[float] = []
    limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(timeout=120, trust_env=False, limits=limits, headers=headers) as client:

        async def one_after_another(number: int) -> None:
            for _ in range(number):
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
        raise SystemExit("an answer is not complete")
    return first


def measure(way: Way, rounds: int) -> None:
    """Print what a way needs."""
    ready, started = time.perf_counter() - way.began, way.cpu()
    print(f"| {way.name} | ready | {ready:.1f} s, {started:.1f} s of CPU, {way.memory():.0f} MB |")
    asyncio.run(streams(way.url, 16, 8))  # warms up
    for at_once in AT_ONCE:
        count = max(at_once, 48 // at_once * at_once) * rounds
        cpu, begun = way.cpu(), time.perf_counter()
        firsts = sorted(1e3 * first for first in asyncio.run(streams(way.url, count, at_once)))
        seconds, used = time.perf_counter() - begun, (way.cpu() - cpu) / len(firsts) * 1e3
        p50, p95 = statistics.median(firsts), firsts[int(len(firsts) * 0.95)]
        print(
            f"| {way.name} | {at_once} streams | first text {p50:.0f} ms, 95 of 100 in {p95:.0f} ms; "
            f"{len(firsts) / seconds:.0f} answers/s; {used:.1f} ms of CPU an answer; {way.memory():.0f} MB |",
            flush=True,
        )


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--proxy", type=Path, help="the command `litellm` of LiteLLM Proxy")
    parser.add_argument("--rounds", type=int, default=2, help="times that each number of streams is asked for")
    arguments = parser.parse_args()
    with machine.server() as server, tempfile.TemporaryDirectory() as home:
        point_at(server, PLAN)
        ours = [sys.executable, "-m", "aider_stackspot", "serve"]
        with serving("aider-stackspot serve", ours, home) as way:
            measure(way, arguments.rounds)
        if arguments.proxy is not None:
            path = Path(home) / "litellm.yaml"
            path.write_bytes(
                subprocess.run([*ours, "--print-config"], cwd=home, capture_output=True, check=True).stdout
            )
            command = [str(arguments.proxy), "--config", str(path), "--telemetry", "False"]
            with serving("LiteLLM Proxy", command, home) as way:
                measure(way, arguments.rounds)


if __name__ == "__main__":
    main()
