"""Two proxies of the printed configuration share a Redis, and with it one rate limit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from aider_stackspot.emulator import Emulator
from tests.gateway.gateway_process import COMMAND, free_port, stop, wait

pytestmark = pytest.mark.slow
pytest_plugins = ["tests.gateway.gateway_fixtures"]

KEY = "sk-a-key-for-both-proxies"
LIMIT = 5


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[int]:
    """The port of a Redis server."""
    port = free_port()
    program = shutil.which("redis-server") or pytest.fail("redis-server is not installed")
    server = [program, "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen(server, stdout=subprocess.DEVNULL)
    try:
        yield port
    finally:
        stop(process)


def printed_configuration(home: Path, redis: int) -> dict[str, Any]:
    """`serve --print-config`, with what docs/gateway.md adds for several machines."""
    command = [str(COMMAND), "serve", "--print-config"]
    printed = subprocess.run(command, env={**os.environ, "HOME": str(home)}, capture_output=True, check=True)
    config: dict[str, Any] = yaml.safe_load(printed.stdout)
    config["router_settings"] |= {
        "redis_host": "127.0.0.1",
        "redis_port": redis,
        "optional_pre_call_checks": ["enforce_model_rate_limits"],
    }
    for entry in config["model_list"]:
        entry["litellm_params"]["rpm"] = LIMIT
    return config


@pytest.fixture
def proxies(stackspot: Emulator, redis: int, tmp_path: Path) -> Iterator[list[str]]:
    """The URLs of two proxies that were started as people do it who run their own."""
    stackspot.reset()
    path = tmp_path / "litellm.yaml"
    path.write_text(yaml.safe_dump(printed_configuration(tmp_path, redis)))
    environment = {**os.environ, **stackspot.environment(), "HOME": str(tmp_path), "LITELLM_MASTER_KEY": KEY}
    environment |= {"LITELLM_MODE": "PRODUCTION", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    processes, urls = [], []
    try:
        for number in range(2):
            port = free_port()
            output = tmp_path / f"proxy-{number}.txt"
            command = [str(Path(sys.prefix) / "bin" / "litellm"), "--config", str(path), "--host", "127.0.0.1"]
            with output.open("wb") as file:
                processes.append(
                    subprocess.Popen(
                        [*command, "--port", str(port)], env=environment, stdout=file, stderr=subprocess.STDOUT
                    )
                )
            urls.append(f"http://127.0.0.1:{port}")
            wait(processes[-1], urls[-1], output)
        yield urls
    finally:
        for process in processes:
            stop(process)


def test_one_limit_for_both(proxies: list[str], stackspot: Emulator) -> None:
    seconds = time.time() % 60
    if seconds > 50:  # LiteLLM counts by the minute of the clock
        time.sleep(61 - seconds)
    body = {"model": "stackspot-ai-code", "messages": [{"role": "user", "content": "Say hi"}]}
    headers = {"Authorization": f"Bearer {KEY}"}
    statuses = [
        httpx.post(f"{proxies[number % 2]}/v1/chat/completions", json=body, headers=headers, timeout=30).status_code
        for number in range(2 * LIMIT)
    ]
    assert statuses == [200] * LIMIT + [429] * LIMIT
    assert len(stackspot.chat_requests) == LIMIT
