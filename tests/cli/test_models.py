"""`aider-stackspot models`: the aliases beside the models that they mean."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import Run
from tests.compatible.openai_server import OpenAIServer, models

pytest_plugins = ["tests.cli.cli_fixtures"]

FILE = """\
providers:
  stackspot:
    aliases: {fast: explain, quick: explain, rev: agent/01HZ}
    models: {explain: {quick_command: explain-code}}
  work: {type: stackspot, aliases: {fast: stackspot-ai, mine: stackspot-ai}}
  lab:
    base_url: %s
    aliases: {fast: qwen, new: not-listed}
"""


@pytest.fixture(autouse=True)
def file(isolated: Path) -> Iterator[None]:
    with OpenAIServer(models("qwen", "other")) as server:
        (isolated.parent / "home" / ".aider.litellm.yml").write_text(FILE % server.base, encoding="utf-8")
        yield


def test_for_people(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    lines = [line.split() for line in run("models").out.splitlines()]
    rows = {line[0]: line[1:] for line in lines if line}
    assert rows["explain"][:5] == ["fast,", "quick", "quick", "command", "explain-code"]
    assert rows["stackspot/agent/01HZ"][:3] == ["rev", "agent", "01HZ"]
    assert rows["work/stackspot-ai"][:2] == ["mine,", "work/fast"]
    assert rows["stackspot-ai"][0] == "chat"
    assert (rows["lab/qwen"][0], rows["lab/not-listed"][0]) == ("lab/fast", "lab/new")


def test_for_programs(run: Run) -> None:
    entries = {entry["name"]: entry["aliases"] for entry in json.loads(run("models", "--json").out)["models"]}
    assert entries["explain"] == ["fast", "quick"]
    assert entries["stackspot-ai-code"] == []
    assert sorted(entries["work/stackspot-ai"]) == ["mine", "work/fast"]
    assert (entries["lab/qwen"], entries["lab/other"]) == (["lab/fast"], [])


def test_without_any_there_is_no_column(run: Run, isolated: Path) -> None:
    (isolated.parent / "home" / ".aider.litellm.yml").unlink()
    assert "Aliases" not in run("models").out
