"""`python -m benchmarks.memory`: what a long session of aider, and a gateway of many answers, hold in memory.

The session is compared with the same one on LiteLLM's own `openai/` provider. Reads /proc, so on Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from rich.console import Console

from benchmarks import machine, report
from benchmarks.gateway import KEY, MODEL, Way, memory_of, serving
from benchmarks.measures import Row, point_at
from benchmarks.starts import AIDER

PLAN = "3-20-0"
AT_ONCE = 20
SAMPLES = 20


def session(server: machine.LocalServer, turns: int) -> list[Row]:
    """Return aider's memory along a session, with a model of StackSpot's and with the same server as OpenAI's."""
    ways = {
        "aider-stackspot": ["--model", MODEL],
        "LiteLLM openai/": ["--model", "openai/m", "--openai-api-base", f"{server.url}/{PLAN}"],
    }
    rows = []
    for name, model in ways.items():
        with tempfile.TemporaryDirectory() as home:
            options = [one for one in AIDER if one != "--exit"]
            command = [str(Path(sys.executable).with_name("aider")), *model, "--openai-api-key", "none", *options]
            environment = {**os.environ, "HOME": home}
            process = subprocess.Popen(
                command, env=environment, cwd=home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            assert process.stdin is not None
            assert process.stdout is not None
            values = [*_turns(process.pid, process.stdin, process.stdout, turns)]
            process.stdin.close()
            process.wait(60)
        rows.append(Row(f"memory of aider, along {turns} turns", name, "MB", values))
    return rows


def _turns(pid: int, asked: IO[str], said: IO[str], turns: int) -> Iterator[float]:
    """Yield the memory now and then, while aider is asked again as soon as it has answered."""
    for number in range(turns):
        asked.write("Say hi\n")
        asked.flush()
        for line in said:
            if line.startswith("Tokens:"):
                break
        else:
            raise SystemExit(f"aider ended in turn {number + 1}")
        if number % (turns // SAMPLES or 1) == 0:
            yield memory_of(pid)


async def gateway(way: Way, answers: int) -> Row:
    """Return the gateway's memory along so many streamed answers."""
    host, _, port = way.url.removeprefix("http://").partition(":")
    body = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": "Say hi"}], "stream": True}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {KEY}\r\n"
    request = f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    values = []

    async def ask(count: int) -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for _ in range(count):
            writer.write(request)
            answer = await reader.readuntil(b"\r\n0\r\n\r\n")
            if b"[DONE]" not in answer:
                raise SystemExit("an answer is not complete")
        writer.close()

    for _ in range(SAMPLES):
        await asyncio.gather(*(ask(answers // SAMPLES // AT_ONCE) for _ in range(AT_ONCE)))
        values.append(way.memory())
    return Row(f"memory of the gateway, along {answers:,} answers", way.name, "MB", values)


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=200, help="of a session of aider")
    parser.add_argument("--answers", type=int, default=100_000, help="of the gateway")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    console = Console()
    began = time.monotonic()
    with machine.server() as server, tempfile.TemporaryDirectory() as home:
        point_at(server, PLAN)
        with console.status("a session of aider …"):
            rows = session(server, arguments.turns)
        command = [sys.executable, "-m", "aider_stackspot", "serve"]
        with console.status("a gateway …"), serving("aider-stackspot serve", command, home) as way:
            rows.append(asyncio.run(gateway(way, arguments.answers)))
    for row in rows:
        along = " ".join(f"{value:.0f}" for value in row.values)
        console.print(f"{row.measure}, {row.way}, MB: {along}")
    console.print(f"{time.monotonic() - began:.0f} s")
    if arguments.json:
        report.keep(arguments.json, rows)


if __name__ == "__main__":
    main()
