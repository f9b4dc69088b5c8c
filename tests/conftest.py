"""Every test runs in an empty home and working directory, with no variable of the developer's, on loopback only."""

from __future__ import annotations

import asyncio
import gc
import inspect
import logging
import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from aider_stackspot.emulator import Emulator
from aider_stackspot.pipeline import background_loop, shared
from tests.thorough import each_input_in_one_way

# How long an example takes is the machine's business.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# Helpers are imported by tests before pytest hears of them as plugins.
pytest.register_assert_rewrite(*(f"tests.{folder.name}" for folder in Path(__file__).parent.iterdir()))

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

# LiteLLM asks for the main thread's event loop, and Python makes one where there never was any: the next `asyncio.run`
# would drop it unclosed, in whichever test that is. After a first one Python makes none.
asyncio.run(asyncio.sleep(0))

# A terminal of one's own, and counts of what a process holds, are read from Linux's /proc.
collect_ignore = [] if sys.platform == "linux" else ["cli/test_terminal.py", "load"]
if sys.platform == "win32":
    collect_ignore += ["cli/test_launch.py", "gateway/test_serve.py", "network/test_few_files.py"]

# LiteLLM, aider and ten thousand tests stay until the end: looking through them for garbage takes a tenth of the time.
gc.disable()


def pytest_collection_finish() -> None:
    """Let garbage be collected from here on, of what is new."""
    gc.collect()
    gc.freeze()
    gc.enable()


_NOT_ON_WINDOWS = re.compile(
    r"\b(chmod|fork|killpg|mkfifo|send_signal|st_mode|symlink_to|S_IMODE|SIG(HUP|INT|KILL|TERM))\b|/dev/|/proc/"
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out on Windows what names something that Windows has not, and leave some to `make thorough`."""
    each_input_in_one_way(items)
    if sys.platform == "win32":
        sources = {item: inspect.getsource(item.function) for item in items if isinstance(item, pytest.Function)}
        left_out = [item for item, source in sources.items() if _NOT_ON_WINDOWS.search(source)]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


_OURS = (
    "STACKSPOTAI_",
    "AIDER_",
    "OPENAI_",
    "SSL_",
    "REQUESTS_CA",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
)


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project directory as working directory, with an empty home beside it."""
    for name in list(os.environ):
        if name.upper().startswith(_OURS):
            monkeypatch.delenv(name)
    home, project = tmp_path / "home", tmp_path / "project"
    home.mkdir()
    project.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")  # the developer's keyring stays shut
    monkeypatch.chdir(project)
    return project


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anywhere else is a defect of the test."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(("127.", "::1")):
            raise OSError(f"a test tried to reach {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _no_call_outlives_its_test(isolated: Path) -> Iterator[None]:
    """A call does its accounts after its answer, and would find the next test's home."""
    yield
    shared, end = background_loop._loop_of_process, time.monotonic() + 5
    while shared is not None and shared.loop.is_running() and asyncio.all_tasks(shared.loop):
        assert time.monotonic() < end, asyncio.all_tasks(shared.loop)
        time.sleep(0.001)


@pytest.fixture(autouse=True)
def _no_token_of_an_earlier_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The system gives out a port again, and then another emulator refuses a token that was for the same URL."""
    monkeypatch.setattr(shared, "_of_engine", None)
    yield
    if shared._of_engine is not None:
        loop, resources = shared._of_engine
        if loop is background_loop._loop_of_process and loop.loop.is_running():
            loop.submit(resources.close()).result(5)


@pytest.fixture(autouse=True)
def _litellms_own_settings() -> Iterator[None]:
    """What aider sets on LiteLLM's module and loggers, when a test lets it load, is undone; so are learned limits."""
    before, limits = _of_litellm(), _limits_of_ours()
    yield
    for name, entry in limits.items():
        sys.modules["litellm"].model_cost[name] = entry
    for name, value in (before or dict.fromkeys(_of_litellm(), False)).items():
        setattr(sys.modules["litellm"], name, value)
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).disabled = False


def _of_litellm() -> dict[str, object]:
    litellm = sys.modules.get("litellm")
    names = ("drop_params", "suppress_debug_info", "set_verbose")
    return {name: vars(litellm)[name] for name in names if name in vars(litellm)} if litellm is not None else {}


def _limits_of_ours() -> dict[str, dict[str, object]]:
    litellm = sys.modules.get("litellm")
    known = vars(litellm).get("model_cost", {}) if litellm is not None else {}
    return {name: dict(entry) for name, entry in dict.items(known) if "stackspot" in name}


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """A fresh StackSpot, with the environment pointing at it."""
    with Emulator() as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        yield running
