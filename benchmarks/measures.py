"""What is measured. Every measurement interleaves its ways, so that a mood of the machine meets all of them alike."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import litellm

import aider_stackspot
from aider_stackspot.api.agent import AgentAnswer
from aider_stackspot.api.sse import EventStream
from aider_stackspot.pipeline.prompt import render
from benchmarks.distance import distant
from benchmarks.machine import LocalServer
from benchmarks.server import frames
from benchmarks.ways import PROMPT, Way, ways


@dataclass
class Row:
    """One line of the table."""

    measure: str
    way: str
    unit: str
    values: list[float] = field(repr=False)
    baseline: str = ""
    ratio: float | None = None

    @property
    def median(self) -> float:
        """The middle value."""
        return statistics.median(self.values)

    @property
    def p95(self) -> float:
        """The value that 95 of 100 do not exceed."""
        return sorted(self.values)[int(len(self.values) * 0.95)]


def point_at(server: LocalServer, plan: str) -> None:
    """Let this package's next calls follow a plan of the server's, whichever of its two APIs they speak."""
    server.configuration.write_text(
        f"providers:\n  lab:\n    api_base: {server.url}/{plan}\n    models:\n      m: {{max_input_tokens: 100000}}\n",
        encoding="utf-8",
    )
    os.environ.update(
        AIDER_STACKSPOT_CONFIG=str(server.configuration),
        STACKSPOTAI_CLIENT_ID="benchmark",
        STACKSPOTAI_CLIENT_KEY="benchmark-key",
        STACKSPOTAI_AUTH_URL=server.url,
        STACKSPOTAI_AGENT_API_BASE=server.url,
        STACKSPOTAI_AGENT_ID=plan,
    )
    aider_stackspot.register()


def interleaved(
    calls: dict[str, Way], rounds: int, pause: float = 0.0
) -> dict[str, list[tuple[float, float, float, int]]]:
    """Call each way in turn; return seconds to the first text, in all, of CPU, and characters."""
    results: dict[str, list[tuple[float, float, float, int]]] = {name: [] for name in calls}
    for number in range(rounds + 2):
        for name, call in calls.items():
            gc.collect()
            cpu, start = time.process_time(), time.perf_counter()
            first, length = call()
            end = time.perf_counter()
            time.sleep(pause)  # LiteLLM logs a finished stream in the background: that belongs to the call too
            if number >= 2:
                results[name].append((first - start, end - start, time.process_time() - cpu, length))
    return results


def first_text(server: LocalServer, rounds: int = 200) -> list[Row]:
    """Measure a warm call's way to its first text."""
    point_at(server, "5-20-0")
    results = interleaved(ways(server.url, "5-20-0"), rounds, pause=0.01)
    rows = [Row("first text, warm", name, "ms", [one[0] * 1e3 for one in values]) for name, values in results.items()]
    floor = next(row for row in rows if row.way.startswith("raw")).median
    nothing = next(row for row in rows if row.way.endswith("nothing")).median
    for row in rows:
        share = row.median if row.way.endswith("nothing") else row.median - floor
        row.baseline, row.ratio = "what comes on top of raw httpx, to a provider that does nothing", share / nothing
    return rows


def burst(server: LocalServer, events: int = 2000, rounds: int = 5) -> list[Row]:
    """Measure text per CPU second where the service is faster than the consumer."""
    plan = f"{events}-40-0"
    point_at(server, plan)
    calls = {name: way for name, way in ways(server.url, plan).items() if not name.endswith("nothing")}
    results = interleaved(calls, rounds, pause=0.3)
    rows = [
        Row("burst", name, "MB/CPU s", [length / cpu / 1e6 for _, _, cpu, length in values])
        for name, values in results.items()
    ]
    return against(rows, "LiteLLM openai/")


def paced(server: LocalServer, rounds: int = 5) -> list[Row]:
    """Measure CPU per event where every event comes in a packet of its own."""
    plan = "300-20-2"
    point_at(server, plan)
    calls = {name: way for name, way in ways(server.url, plan).items() if not name.endswith("nothing")}
    results = interleaved(calls, rounds, pause=0.2)
    rows = [
        Row("paced, CPU per event", name, "µs", [cpu / 300 * 1e6 for _, _, cpu, _ in values])
        for name, values in results.items()
    ]
    return against(rows, "LiteLLM openai/")


def many(server: LocalServer, streams: int = 200, rounds: int = 3) -> list[Row]:
    """Measure concurrent asynchronous streams in one process."""
    plan = "20-20-10"
    point_at(server, plan)
    models: dict[str, dict[str, Any]] = {
        "provider that does nothing": {"model": "nothing/x"},
        "naive custom provider": {"model": f"naive/v1/agent/{plan}/chat", "api_base": server.url},
        "LiteLLM openai/": {"model": "openai/m", "api_base": f"{server.url}/{plan}", "api_key": "benchmark"},
        "aider-stackspot": {"model": "stackspot-ai-code"},
        "aider-stackspot, openai-compatible": {"model": "lab/m"},
    }
    kinds = {"first text": "ms", "all text": "s", "CPU": "s", "connections": ""}
    found: dict[str, dict[str, list[float]]] = {kind: {name: [] for name in models} for kind in kinds}
    for _ in range(rounds):
        for name, arguments in models.items():
            asyncio.run(_streams(5, arguments))
            server.reset()
            cpu, start = time.process_time(), time.perf_counter()
            firsts = asyncio.run(_streams(streams, arguments))
            found["all text"][name].append(time.perf_counter() - start)
            time.sleep(0.3)  # LiteLLM logs in the background
            found["CPU"][name].append(time.process_time() - cpu)
            found["first text"][name] += [one * 1e3 for one in firsts]
            found["connections"][name].append(float(server.counts()["connections"] - 1))
    return [
        row
        for kind, unit in kinds.items()
        for row in against(
            [Row(f"{streams} streams at once, {kind}", name, unit, values) for name, values in found[kind].items()],
            "LiteLLM openai/",
        )
    ]


async def _streams(count: int, arguments: dict[str, Any]) -> list[float]:
    async def one() -> float:
        start, first = time.perf_counter(), 0.0
        async for chunk in await litellm.acompletion(messages=PROMPT, stream=True, **arguments):
            if not first and chunk.choices and chunk.choices[0].delta.content:
                first = time.perf_counter() - start
        return first

    return await asyncio.gather(*(one() for _ in range(count)))


def size(server: LocalServer) -> list[Row]:
    """Measure long prompts at 1, 10 and 100 times, long answers at 1, 10 and 50, and their memory beyond the text."""
    point_at(server, "5-20-0")
    prompts = []
    for factor in (1, 10, 100):
        prompt = [{"role": "user", "content": "word " * (2_000 * factor)}]
        seconds = _timed(partial(litellm.completion, "stackspot-ai-code", prompt), 5)
        prompts.append(Row("size: prompt", f"{factor * 10:,} kB", "ms", seconds))
    rows = against(prompts, "10 kB")
    for way in ("provider", "LiteLLM"):
        answers, memory = [], []
        for factor in (1, 10, 50):
            point_at(server, f"{factor * 100}-10000-0")
            values = [_child("long_answer", way) for _ in range(3)]
            answers.append(Row(f"size: streamed answer, {way}", f"{factor} MB", "ms", [one[0] for one in values]))
            memory.append(Row(f"size: peak memory grew, {way}", f"{factor} MB", "MB", [one[1] for one in values]))
        rows += [*against(answers, "1 MB"), *memory]
    return rows


def parts() -> list[Row]:
    """Measure what is this package's own, without a network: the prompt, and the events of an answer."""
    messages = [{"role": "user" if number % 2 else "assistant", "content": "word " * 2_000} for number in range(100)]
    megabyte = sum(len(message["content"]) for message in messages) / 1e6
    events = b"".join(one.split(b"\r\n", 1)[1][:-2] for one in frames("stackspot", 10_000, 40))
    data = [line[6:] for line in events.decode().split("\r\n\r\n") if line]

    def parse() -> None:
        stream, answer = EventStream(), AgentAnswer()
        for start in range(0, len(events), 65_536):
            for event in stream.feed(events[start : start + 65_536]):
                answer.feed(event)
        assert answer.finish is not None

    rendered = [one / megabyte for one in _timed(lambda: render(messages), 20)]
    parsed = [one * 1e3 / len(data) for one in _timed(parse, 10)]
    floor = [one * 1e3 / len(data) for one in _timed(lambda: [json.loads(one) for one in data], 10)]
    return [
        Row("parts: prompt rendering, per MB", "aider-stackspot", "ms", rendered),
        *against(
            [
                Row("parts: bytes to text, per event", "json.loads alone", "µs", floor),
                Row("parts: bytes to text, per event", "aider-stackspot", "µs", parsed),
            ],
            "json.loads alone",
        ),
    ]


def _timed(call: Callable[[], object], rounds: int) -> list[float]:
    call()
    values = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        values.append((time.perf_counter() - start) * 1e3)
    return values


TYPING = 2.0
"""Seconds that the user is given for the first prompt."""


def cold(server: LocalServer, rounds: int = 5, round_trip: float = 0.15) -> list[Row]:
    """Measure the first prompt of a session of aider at some distance, with and without the warm-up."""
    point_at(server, "5-20-0")
    values: dict[str, list[float]] = {}
    with distant(server, round_trip) as there:
        own = {
            "STACKSPOTAI_AUTH_URL": there.auth_url,
            "STACKSPOTAI_AGENT_API_BASE": there.api_base,
            "SSL_CERT_FILE": str(there.ca_file),
        }
        for _ in range(rounds):
            for switch, way in (("0", "no warm-up"), ("1", "aider-stackspot")):
                first, second = _child("first_prompt", str(TYPING), **own, AIDER_STACKSPOT_WARM_UP=switch)
                values.setdefault(f"first prompt, {way}", []).append(first)
                values.setdefault(f"second prompt, {way}", []).append(second)
    rows = [Row(f"{round_trip * 1e3:.0f} ms away, first text", way, "ms", found) for way, found in values.items()]
    return against(rows, "second prompt, aider-stackspot")


def _child(module: str, argument: str, **variables: str) -> list[float]:
    """Run a measurement in a process of its own."""
    command = [sys.executable, "-m", f"benchmarks.{module}", argument]
    done = subprocess.run(command, env={**os.environ, **variables}, stdout=subprocess.PIPE, check=True)
    found: list[float] = json.loads(done.stdout.splitlines()[-1])
    return found


def against(rows: list[Row], baseline: str) -> list[Row]:
    """Compare each way's middle value with the baseline's."""
    base = next(row for row in rows if row.way == baseline).median
    for row in rows:
        row.baseline, row.ratio = f"to {baseline}", row.median / base if base else None
    return rows
