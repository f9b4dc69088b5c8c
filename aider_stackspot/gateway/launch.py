"""Runs LiteLLM Proxy in this process, with as many workers as asked for."""

from __future__ import annotations

import importlib.util
import os
import shlex
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aider_stackspot.gateway.configuration import MASTER_KEY_VARIABLE, to_yaml

_NEEDED = ("fastapi", "uvicorn", "orjson", "apscheduler", "backoff")
"""What `litellm[proxy]` brings and plain `litellm` does not."""


def missing_packages() -> list[str]:
    """Return what the gateway needs and this environment lacks."""
    return [name for name in _NEEDED if importlib.util.find_spec(name) is None]


def install_command() -> str:
    """Return the command that makes a gateway possible; beside aider, in an environment of its own."""
    extra = shlex.quote("aider-stackspot[gateway]")
    if importlib.util.find_spec("aider") is None:
        return f"{shlex.quote(sys.executable)} -m pip install {extra}"
    return f"python3 -m venv stackspot-gateway && stackspot-gateway/bin/python -m pip install {extra}"


def run_proxy(config: Mapping[str, Any], key: str, host: str, port: int, workers: int) -> None:
    """Run the proxy until it is stopped. What it leaves to the environment is set there, for its workers too.

    Args:
        config: see `configuration.proxy_config`.
        key: the master key; it is on no command line and in no file of this run.
        host: the address to listen on.
        port: TCP port.
        workers: how many processes serve it.
    """
    os.environ[MASTER_KEY_VARIABLE] = key
    # Else LiteLLM would load the working directory's .env, and its workers would take that for the user's environment.
    os.environ["LITELLM_MODE"] = "PRODUCTION"
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    # Uvicorn shuts down by itself and then raises the signal again: the directory below is still to be removed.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    from litellm.proxy.proxy_cli import run_server

    with tempfile.TemporaryDirectory(prefix="aider-stackspot-gateway-") as directory:
        path = Path(directory) / "litellm.yaml"
        path.write_text(to_yaml(config), encoding="utf-8")
        arguments = ["--config", str(path), "--host", host, "--port", str(port), "--num_workers", str(workers)]
        run_server.main(args=[*arguments, "--telemetry", "False"], prog_name="litellm", standalone_mode=False)
