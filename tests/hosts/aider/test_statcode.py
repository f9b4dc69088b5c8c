"""The real, unmodified aider with the servers of a StatCode file: as it stands, and imported."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.compatible.openai_server import OpenAIServer, Reply, models
from tests.hosts.aider.unmodified import aider, commits

pytestmark = pytest.mark.slow

EDIT = "calc.py\n```\ndef add(a, b):\n    return a + b\n```\n"


def _answer(request: Any) -> Reply:
    return Reply(["fix: add adds"] if "commit message" in str(request["messages"]).lower() else [EDIT])


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(models("big", "small", max_model_len=20000), key="local-key") as running:
        running.reply = _answer
        yield running


@pytest.fixture
def home(isolated: Path) -> Path:
    return isolated.parent / "home"


@pytest.fixture
def statcode(server: OpenAIServer, home: Path) -> Path:
    entry = {"name": "openai-compatible", "api_key": " 'local-key' ", "base_url": f"{server.base}/", "models": []}
    document = {"providers": {"openai-compatible": entry}, "orchestration_model": "big", "summarize_model": "small"}
    path = home / ".config/statcode-ai/providers.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_the_file_as_it_stands(server: OpenAIServer, statcode: Path, repository: Path, home: Path) -> None:
    done = aider(
        *("--model", "openai-compatible/big", "--message", "add must add", "calc.py"),
        AIDER_STACKSPOT_CONFIG=str(statcode),
        AIDER_STACKSPOT_LOG="1",
    )
    assert commits() == ["fix: add adds", "A calculator"], done.stdout + done.stderr
    assert {request.headers["authorization"] for request in server.requests} == {"Bearer local-key"}
    log = (home / ".aider/aider-stackspot/log").read_text(encoding="utf-8")
    assert log.count("aider_stackspot.calls model=openai-compatible/big") == 2
    assert "aider_stackspot.calls" not in done.stdout + done.stderr
    assert not any(secret in log for secret in ("local-key", "add must add", "return a + b"))


def test_imported(server: OpenAIServer, statcode: Path, repository: Path, home: Path) -> None:
    command = [sys.executable, "-m", "aider_stackspot", "providers", "import"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    (home / ".aider.conf.yml").write_text(told.partition(".aider.conf.yml:\n")[2], encoding="utf-8")
    done = aider("--message", "add must add", "calc.py")
    assert commits() == ["fix: add adds", "A calculator"], done.stdout + done.stderr
    assert [request.json["model"] for request in server.chats] == ["big", "small"]
