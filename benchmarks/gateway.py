"""`python -m benchmarks.gateway`: small answers through LiteLLM Proxy, from StackSpot and from an OpenAI server.

Run it in the gateway's environment. One proxy with one worker serves both, and the calls take turns: the ratio is what
this package costs where LiteLLM's own `openai/` would be.
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
from pathlib import Path

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

import httpx
import yaml
from rich.console import Console

from benchmarks import machine, report
from benchmarks.measures import Row, against, point_at

PLAN = "5-20-0"
OPENAI, OURS = "LiteLLM openai/", "aider-stackspot"
MODELS = {OPENAI: "baseline", OURS: "stackspot-ai-code"}
KEY = f"sk-{secrets.token_urlsafe(32)}"


@contextlib.contextmanager
def proxy(server: machine.LocalServer) -> Iterator[str]:
    """Run the printed configuration and one more model; yield the proxy's URL."""
    programs = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as home, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        environment = {**os.environ, "HOME": home, "LITELLM_MASTER_KEY": KEY, "LITELLM_MODE": "PRODUCTION"}
        command = [str(programs / "aider-stackspot"), "serve", "--print-config"]
        printed = subprocess.run(command, env=environment, cwd=home, capture_output=True, check=True).stdout
        config = yaml.safe_load(printed)
        upstream = {"model": "openai/m", "api_base": f"{server.url}/{PLAN}", "api_key": "benchmark"}
        config["model_list"].append({"model_name": MODELS[OPENAI], "litellm_params": upstream})
        path = Path(home) / "litellm.yaml"
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        free.close()
        arguments = ["--config", str(path), "--host", "127.0.0.1", "--port", str(port)]
        process = subprocess.Popen(
            [str(programs / "litellm"), *arguments], env=environment, cwd=home, stdout=subprocess.DEVNULL
        )
        try:
            _wait(f"http://127.0.0.1:{port}", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{url}/health/liveliness", trust_env=False).is_success:
                return
        if process.poll() is not None:
            break
        time.sleep(0.2)
    raise SystemExit("the proxy does not start")


async def calls(url: str, model: str, count: int, at_once: int, stream: bool) -> list[float]:
    """Make so many calls, so many of them at once; return each one's seconds."""
    body = {"model": model, "messages": [{"role": "user", "content": "Say hi"}], "stream": stream}
    seconds: list[float] = []
    async with httpx.AsyncClient(timeout=60, trust_env=False, headers={"Authorization": f"Bearer {KEY}"}) as client:

        async def one_after_another(number: int) -> None:
            for _ in range(number):
                begun = time.perf_counter()
                (await client.post(f"{url}/v1/chat/completions", json=body)).raise_for_status()
                seconds.append(time.perf_counter() - begun)

        await asyncio.gather(*(one_after_another(count // at_once) for _ in range(at_once)))
    return seconds


def measure(url: str, stream: bool, rounds: int, count: int, at_once: int) -> list[Row]:
    """Measure both models in turn."""
    kind = f"gateway, {'streamed' if stream else 'whole'}, {at_once} at once"
    latencies: dict[str, list[float]] = {way: [] for way in MODELS}
    rates: dict[str, list[float]] = {way: [] for way in MODELS}
    for number in range(rounds + 1):
        for way, model in MODELS.items():
            begun = time.perf_counter()
            seconds = asyncio.run(calls(url, model, count, at_once, stream))
            if number:  # the first round warms up
                rates[way].append(len(seconds) / (time.perf_counter() - begun))
                latencies[way] += [one * 1e3 for one in seconds]
    return [
        *against([Row(kind, way, "answers/s", values) for way, values in rates.items()], OPENAI),
        *against([Row(kind, way, "ms", values) for way, values in latencies.items()], OPENAI),
    ]


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count")
    parser.add_argument("--calls", type=int, default=160, help="calls in each round")
    arguments = parser.parse_args()
    console = Console()
    rows: list[Row] = []
    with machine.server() as server:
        point_at(server, PLAN)
        with proxy(server) as url:
            for at_once in (1, 8):
                for stream in (False, True):
                    count = arguments.calls if at_once > 1 else arguments.calls // 4
                    rows += measure(url, stream, arguments.rounds, count, at_once)
    report.show(console, rows)
    if arguments.json:
        report.keep(arguments.json, rows)


if __name__ == "__main__":
    main()
