"""Real servers as processes of the tests."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import aider_stackspot
from aider_stackspot.compatible.catalogue import Catalogue
from aider_stackspot.compatible.server import KnownModel, models_of
from aider_stackspot.config import current

KEY = "sk-key-of-the-server"


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def running(arguments: list[str], port: int, where: Path, **more: str) -> Iterator[str]:
    """Run a server until the generator is closed; yield its address once it lists its models."""
    log = where / "log.txt"
    offline = {"NO_PROXY": "127.0.0.1", "HF_HUB_OFFLINE": "1"}  # LiteLLM would look for tokenizers, half a minute each
    with log.open("wb") as output:
        process = subprocess.Popen(
            arguments, cwd=where, stdout=output, stderr=output, env={**os.environ, **offline, **more}
        )
    try:
        _until_it_answers(process, f"http://127.0.0.1:{port}/v1/models", log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _until_it_answers(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")
        try:
            if httpx.get(url, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    pytest.fail(log.read_text(encoding="utf-8", errors="replace"))


def configured(base: str, isolated: Path) -> dict[str, KnownModel]:
    """Configure the server as `local`; return what is found out about its models."""
    (isolated.parent / "home" / ".aider.litellm.yml").write_text(
        f"providers:\n  local:\n    api_base: {base}\n    api_key: {KEY}\n    max_retries: 0\n", encoding="utf-8"
    )
    aider_stackspot.register()
    provider, catalogue = current().compatible["local"], Catalogue()
    catalogue.fresh([provider])
    return {model.name: model for model in models_of(provider, catalogue.known(provider))}
