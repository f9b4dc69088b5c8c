"""Aliases in the real aider: `--model`, the weak model, the chat's figures; and what a project's cannot do there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aider_stackspot.emulator import Emulator
from tests.compatible.openai_server import OpenAIServer, Reply, models
from tests.hosts.aider.unmodified import aider, commits
from tests.hosts.litellm.trap import Trap

pytestmark = pytest.mark.slow

FIX = "calc.py\n```python\n<<<<<<< SEARCH\n    return a - b\n=======\n    return a + b\n>>>>>>> REPLACE\n```\n"
USERS = """\
providers:
  stackspot:
    aliases: {fast: reviewer, sonnet: reviewer, gpt-4o: reviewer, rev: agent/01HZ}
    models: {reviewer: {agent_id: one, max_input_tokens: 4321, weak_model: rev}}
  lab:
    base_url: %s
    aliases: {fast: llama, flash: llama}
    models: {llama: {max_input_tokens: 1234, edit_format: diff}}
"""


def answered(prompt: str) -> str:
    return "fix: add adds" if "commit message" in prompt.lower() else FIX


@pytest.fixture
def service(emulator: Emulator) -> Emulator:
    emulator.answer = answered
    return emulator


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(models("llama", "other")) as running:
        running.reply = lambda request: Reply([answered(str(request["messages"]))])
        yield running


@pytest.fixture
def trap() -> Iterator[Trap]:
    """Stands where other vendors are, whose keys the user has."""
    with Trap() as trap:
        yield trap


def ask(trap: Trap, *arguments: str) -> str:
    keys = {f"{vendor}_API_KEY": "key-1" for vendor in ("OPENAI", "ANTHROPIC", "GEMINI")}
    bases = {f"{vendor}_API_BASE": trap.url for vendor in ("OPENAI", "ANTHROPIC", "GEMINI")}
    done = aider(*arguments, **keys, **bases, HTTPS_PROXY=trap.url, NO_PROXY="127.0.0.1")
    return done.stdout + done.stderr


def configure(server: OpenAIServer) -> None:
    (Path.home() / ".aider.litellm.yml").write_text(USERS % server.base, encoding="utf-8")


EDIT = ("--message", "add must add", "calc.py")


@pytest.mark.parametrize("name", ["fast", "sonnet", "gpt-4o"])
def test_stackspots_edits_and_commits(
    service: Emulator, server: OpenAIServer, trap: Trap, repository: Path, name: str
) -> None:
    """Also by a name that aider or LiteLLM has for another vendor's model: the user's word comes first."""
    configure(server)
    said = ask(trap, "--model", name, *EDIT)
    assert commits() == ["fix: add adds", "A calculator"], said
    assert [request.path for request in service.chat_requests] == ["/v1/agent/one/chat", "/v1/agent/01HZ/chat"], said
    assert (trap.caught, "Warning" in said.replace("Warning: Input is not a terminal", "")) == ([], False), said


def test_a_servers_edits_and_commits(service: Emulator, server: OpenAIServer, trap: Trap, repository: Path) -> None:
    configure(server)
    said = ask(trap, "--model", "lab/fast", *EDIT)
    assert commits() == ["fix: add adds", "A calculator"], said
    assert {request.json["model"] for request in server.chats} == {"llama"}
    assert (trap.caught, service.chat_requests) == ([], []), said


FIGURES = """
import json, sys
from aider.models import Model
names = sys.argv[1:]
models = [Model(name) for name in names]
print(json.dumps([[m.name, m.edit_format, m.weak_model.name, m.info.get("max_input_tokens")] for m in models]))
"""


def seen_by_aider(*names: str) -> list[Any]:
    """Ask a Python of its own what aider takes names for."""
    done = subprocess.run(
        [sys.executable, "-c", FIGURES, *names], env=os.environ, capture_output=True, text=True, timeout=100, check=True
    )
    found: list[Any] = json.loads(done.stdout.splitlines()[-1])  # aider looks for its list of models before
    return found


def test_settings_and_figures_are_those_of_the_model(server: OpenAIServer, trap: Trap, isolated: Path) -> None:
    configure(server)
    reviewer = ["reviewer", "diff", "stackspot/agent/01HZ", 4321]
    agent = ["stackspot/agent/01HZ", "diff", "stackspot/agent/01HZ", 16384]
    assert seen_by_aider("fast", "stackspot/fast", "sonnet", "gpt-4o", "rev") == [*[reviewer] * 4, agent]
    llama = ["lab/llama", "diff", "lab/llama", 1234]
    assert seen_by_aider("lab/fast", "lab/flash", "lab/llama") == [llama] * 3


def test_a_projects_take_none_of_aiders_and_of_litellms(server: OpenAIServer, isolated: Path) -> None:
    aliases = "{sonnet: stackspot-ai, gpt-4o: stackspot-ai, quick: stackspot-ai}"
    (isolated / ".aider.litellm.yml").write_text(f"providers: {{stackspot: {{aliases: {aliases}}}}}")
    sonnet, gpt, quick, full = seen_by_aider("sonnet", "gpt-4o", "quick", "stackspot/sonnet")
    assert (sonnet[0], gpt[0]) == ("claude-sonnet-4-5", "gpt-4o")
    assert (quick[1:], full[1:]) == (["diff", "quick", 16384], ["diff", "stackspot/sonnet", 16384])


def test_a_projects_edits_and_commits(service: Emulator, trap: Trap, repository: Path) -> None:
    text = "providers: {stackspot: {aliases: {quick: reviewer}, models: {reviewer: {agent_id: one}}}}"
    (repository / ".aider.litellm.yml").write_text(text)
    said = ask(trap, "--model", "quick", *EDIT)
    assert commits()[0] == "fix: add adds", said
    assert {request.path for request in service.chat_requests} == {"/v1/agent/one/chat"}


def test_aiders_own_settings_of_a_project_give_an_alias_no_other_meaning(
    service: Emulator, server: OpenAIServer, trap: Trap, repository: Path
) -> None:
    configure(server)
    (repository / ".aider.conf.yml").write_text("alias: ['fast:openai/gpt-4o', 'lab/fast:openai/gpt-4o']\n")
    for name in ("fast", "lab/fast"):
        said = ask(trap, "--model", name, "--message", "hello", "calc.py")
        assert f"aider-stackspot trust {repository / '.aider.conf.yml'}" in said
    assert trap.caught == []
    assert (len(service.chat_requests) > 0, len(server.chats) > 0) == (True, True)


def test_the_users_arguments_do(service: Emulator, server: OpenAIServer, trap: Trap, repository: Path) -> None:
    configure(server)
    said = ask(trap, "--alias", "fast:lab/other", "--model", "fast", *EDIT)
    assert {request.json["model"] for request in server.chats} == {"other"}, said
    assert service.chat_requests == []
