"""A command loads what it needs, counted by modules: each of these takes longer than the work of a command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aider_stackspot.compatible import catalogue, listing
from aider_stackspot.compatible.server import ServerSnapshot
from aider_stackspot.config import current
from aider_stackspot.emulator import Emulator

RUN = """
import json, sys
from aider_stackspot.cli import main
sys.argv[0] = "aider-stackspot"
try:
    main()
except SystemExit:
    pass
json.dump(sorted(sys.modules), open("loaded.json", "w"))
"""
HTTP = {"http.client", "httpx", "httpcore", "anyio", "h11"}
SCHEMA = {"pydantic", "aider_stackspot.config.schema"}
HOSTS = {"litellm", "aider", "openai", "starlette", "uvicorn"}
SCREEN = {"rich.console"}
FILES = SCHEMA | {"yaml", "asyncio"}
"""Pydantic itself brings asyncio."""
HEAVY = HTTP | FILES | HOSTS | SCREEN | {"typer", "rich.live", "rich.markdown"}


def loaded(*arguments: str, before: str = "") -> set[str]:
    """Run a command in an interpreter of its own, and return the names of all modules that it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", before + RUN, *arguments],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout
    return set(json.loads(Path("loaded.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (["--help"], set()),
        (["usage"], {"typer"} | SCREEN),
        pytest.param(["usage", "--json"], {"typer"}, marks=pytest.mark.thorough),
        pytest.param(["docs"], {"typer"}, marks=pytest.mark.thorough),
        pytest.param(["trust", "--list"], {"typer"} | FILES, marks=pytest.mark.thorough),
        (["status"], {"typer"} | SCREEN | FILES),
        pytest.param(["status", "--json"], {"typer"} | FILES, marks=pytest.mark.thorough),
        (["models"], {"typer"} | SCREEN | FILES),
        pytest.param(["models", "--json"], {"typer"} | FILES, marks=pytest.mark.thorough),
        pytest.param(["providers", "list"], {"typer"} | FILES, marks=pytest.mark.thorough),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_loads_no_more_than_it_needs(isolated: Path, arguments: list[str], needed: set[str]) -> None:
    assert loaded(*arguments) & HEAVY <= needed


def test_status_asks_for_a_token_and_loads_no_chat(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Emulator() as service:
        for name, value in service.environment().items():
            monkeypatch.setenv(name, value)
        names = loaded("status")
        assert len(service.token_requests) == 1
    of_calls = {"compatible", "tools", "pipeline.prompt", "pipeline.stackspot", "api.agent"}
    assert names & {f"aider_stackspot.{module}" for module in of_calls} == set()


@pytest.mark.parametrize("command", ["status", "models"])
def test_a_clock_that_nobody_sees_is_not_loaded(isolated: Path, command: str) -> None:
    slow = "from aider_stackspot.cli import terminal\nterminal.SHORT_WAIT = 0.0\n"
    assert loaded(command, "--json", before=slow) & (SCREEN | {"rich.live"}) == set()


def test_models_from_the_cache_load_no_http(isolated: Path) -> None:
    file = isolated.parent / "home" / ".aider.litellm.yml"
    file.write_text("providers:\n  lab:\n    api_base: http://127.0.0.1:9/v1\n", encoding="utf-8")
    provider, listed = current().compatible["lab"], tuple(listing.parse('{"data": [{"id": "mistral-7b"}]}'))
    catalogue.save(provider, ServerSnapshot(provider.api_base, models=listed, fetched_at=time.time()))
    assert loaded("models") & (HTTP | HOSTS | {"rich.live"}) == set()
    assert loaded("providers", "list") & (HTTP | HOSTS | {"rich.live"}) == set()


def test_the_patterns_of_model_families_are_made_for_the_first_name() -> None:
    """There are dozens, and most lists of models tell their limits."""
    code = (
        "from aider_stackspot.compatible import catalogue, families\n"
        "print([family.title for family in families.FAMILIES if 'pattern' in vars(family)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_start_without_a_configuration_file_builds_no_check_of_one(isolated: Path) -> None:
    """What pydantic builds for it takes longer than reading the environment."""
    code = (
        "from aider_stackspot.config import current, schema\n"
        "current()\n"
        "models = (schema.AgentKeys, schema.CallKeys, schema.ModelKeys, schema.ProviderKeys, schema.FileKeys)\n"
        "print([model.__name__ for model in models if model.__pydantic_complete__])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=dict(os.environ), capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
