"""The real `aider --verbose`, with its chat and model logs on: no secret is in what it prints and writes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from aider_stackspot.emulator import Emulator
from tests.network.connect_proxy import ConnectProxy
from tests.secrets.canaries import CLIENT_KEY, HEADER, PROXY_PASSWORD, Search

AIDER = shutil.which("aider", path=str(Path(sys.executable).parent)) or "aider"
OPTIONS = ["--verbose", "--yes-always", "--no-check-update", "--no-show-release-notes", "--analytics-disable"]
LOGS = ["--llm-history-file", "llm.log", "--chat-history-file", "chat.md", "--input-history-file", "input.log"]
EDIT = "notes.txt\n```\n<<<<<<< SEARCH\nnothing\n=======\nsomething\n>>>>>>> REPLACE\n```\n"


@pytest.mark.thorough
@pytest.mark.parametrize("key", ["right", pytest.param("wrong", marks=pytest.mark.slow)])
def test_nothing_is_left_behind(key: str, isolated: Path) -> None:
    keys = {"proxy": "${COMPANY_PROXY}", "extra_headers": {"X-Gateway": "${GATEWAY_SECRET}"}}
    file = isolated.parent / "home" / ".aider.litellm.yml"
    file.write_text(json.dumps({"providers": {"stackspot": keys}}), encoding="utf-8")
    (isolated / "notes.txt").write_text("nothing\n", encoding="utf-8")
    for arguments in (["init"], ["config", "user.name", "Jane"], ["config", "user.email", "jane@example.com"]):
        subprocess.run(["git", *arguments], check=True, capture_output=True)
    accepted = CLIENT_KEY if key == "right" else "another key"
    with (
        ConnectProxy(user=f"jane:{PROXY_PASSWORD}") as proxy,
        Emulator(credentials={("stackspot", "canary-client"): accepted}) as emulator,
    ):
        emulator.answer = lambda prompt: "docs: note it" if "commit message" in prompt.lower() else EDIT
        done = subprocess.run(
            [AIDER, "--model", "stackspot-ai-code", *OPTIONS, *LOGS, "--message", "note something", "notes.txt"],
            env={
                **os.environ,
                **emulator.environment(),
                "STACKSPOTAI_CLIENT_KEY": CLIENT_KEY,
                "COMPANY_PROXY": f"http://jane:{quote(PROXY_PASSWORD, safe='')}@{proxy.host}",
                "GATEWAY_SECRET": HEADER,
                "LITELLM_LOG": "DEBUG",
                **({"AIDER_STACKSPOT_LOG": "1"} if key == "right" else {"AIDER_STACKSPOT_DEBUG": "1"}),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
        )
        assert emulator.token_requests[0].form["client_secret"] == CLIENT_KEY
        tokens = [request.headers["authorization"].removeprefix("Bearer ") for request in emulator.chat_requests]
        assert {asked.user for asked in proxy.asked} == {f"jane:{PROXY_PASSWORD}"}
    if key == "right":
        assert (isolated / "notes.txt").read_text(encoding="utf-8") == "something\n"
        assert tokens
        log = isolated.parent / "home/.aider/aider-stackspot/log"
        assert "outcome=ok" in log.read_text(encoding="utf-8")
    else:
        assert "refused the credentials" in " ".join(done.stdout.decode().split())
        assert len(emulator.token_requests) == 1
    search = Search(tokens)
    assert search.in_bytes(done.stdout) == []
    assert search.in_bytes(done.stderr) == []
    assert search.in_files(isolated.parent) == {}
