"""Every command that waits for somebody else says so, and for how long, at a terminal and nowhere else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aider_stackspot.emulator import Emulator, Fault
from tests.cli.person import COMMAND, at_a_terminal
from tests.compatible.openai_server import OpenAIServer, models

KEY, AGENT = "the-client-key-of-acme", "01ARZ3NDEKTSV4RRFFQ69G5FAV"
ACCOUNT = {"CLIENT_ID": "client-id", "CLIENT_KEY": KEY, "REALM": "acme"}
SLOW = 0.8
SERVERS, TOKEN = "Asking the servers for their models", "Asking StackSpot for a token"
LOCAL = "Looking for servers on this machine"
SCAN = """
import dataclasses, sys
from aider_stackspot.compatible import profiles
profiles.PRESETS = (dataclasses.replace(profiles.named("vllm"), base_url=sys.argv.pop(1)),)
from aider_stackspot.cli import main
main()
"""
"""The command, with another place for the well-known servers than this machine's usual ports."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """A StackSpot that takes its time to give a token, and an account there."""
    with Emulator(credentials={("acme", "client-id"): KEY}, agents={AGENT: "Reviewer"}) as running:
        for name, value in running.environment().items():
            if name.endswith(("_URL", "_BASE")):
                monkeypatch.setenv(name, value)
        running.fail("token", Fault.silent(SLOW), times=None)
        yield running


@pytest.fixture
def server(isolated: Path) -> Iterator[OpenAIServer]:
    """A server that takes its time for its list, and is in the user's file."""
    with OpenAIServer(models("qwen3-8b")) as running:
        running.wait = SLOW
        file = isolated.parent / "home" / ".aider.litellm.yml"
        file.write_text(f"providers:\n  lab:\n    base_url: {running.base}\n", encoding="utf-8")
        yield running


def clock(*arguments: str, **options: object) -> str:
    """Return what stands on the terminal in the course of a command."""
    seen = at_a_terminal(*arguments, **options)  # type: ignore[arg-type]
    assert seen.status == 0, seen.text
    return seen.text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("init --non-interactive", TOKEN),
        ("status", TOKEN),
        ("doctor", r"Asking StackSpot for a token for stackspot"),
        ("doctor --record file.json", "Recording"),
        ("agents list", "Asking StackSpot for the agents"),
        (f"agents show {AGENT}", "Asking StackSpot for the agent"),
        (f"agents measure {AGENT}", f"Measuring the agent {AGENT}"),
    ],
)
def test_a_command_that_waits_for_stackspot(service: Emulator, command: str, what: str) -> None:
    account = {f"STACKSPOTAI_{name}": value for name, value in ACCOUNT.items()}
    assert f"{what} … 1 s" in clock(*command.split(), **account)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("models", SERVERS),
        ("models --json", SERVERS),
        ("providers add other --api-key k --base-url", "Asking other for its models"),
        ("providers refresh", SERVERS),
        ("providers import file.json", "Asking openai-compatible for its models"),
        ("serve --print-config", SERVERS),
        ("serve --settings claude", SERVERS),
        ("launch codex", SERVERS),
    ],
)
def test_a_command_that_waits_for_servers(server: OpenAIServer, isolated: Path, command: str, what: str) -> None:
    statcode = {"name": "openai-compatible", "api_key": "k", "base_url": server.base, "models": []}
    document = {"providers": {"openai-compatible": statcode}, "orchestration_model": "", "summarize_model": ""}
    (isolated / "file.json").write_text(json.dumps(document), encoding="utf-8")
    (isolated / "codex").write_text("#!/bin/sh\n", encoding="utf-8")
    (isolated / "codex").chmod(0o755)
    arguments = [*command.split(), *([server.base] if command.endswith("--base-url") else [])]
    assert f"{what} … 1 s" in clock(*arguments, PATH=f"{isolated}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.slow
def test_a_search_of_this_machine(server: OpenAIServer) -> None:
    scan = [sys.executable, "-c", SCAN, server.base]
    assert f"{LOCAL} … 1 s" in clock("providers", "add", "--scan", program=scan)


@pytest.mark.slow
def test_the_line_is_gone_afterwards_and_what_is_quick_is_not_talked_about(service: Emulator) -> None:
    account = {f"STACKSPOTAI_{name}": value for name, value in ACCOUNT.items()}
    seen = clock("init", "--non-interactive", **account)
    assert "for your agents" not in seen
    assert "\x1b[2K" in seen[seen.rindex("Asking StackSpot") :], "the line is erased"
    assert "Asking" not in clock("status", **account, TERM="dumb")


@pytest.mark.slow
def test_in_a_pipe_there_is_no_clock(server: OpenAIServer) -> None:
    done = subprocess.run([*COMMAND, "models", "--json"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert [model["name"] for model in json.loads(done.stdout)["models"]][-1] == "lab/qwen3-8b"
