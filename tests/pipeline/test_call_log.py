"""`AIDER_STACKSPOT_DEBUG` and `AIDER_STACKSPOT_LOG`: everything about a call but what was said in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from aider_stackspot.emulator import Emulator, Fault, Style

AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
PROGRAM = """
import os
from aider_stackspot import StackSpotProvider
from aider_stackspot.errors import StackSpotError
for _ in range(int(os.environ.get("CALLS", "2"))):
    try:
        StackSpotProvider().completion_sync([{"role": "user", "content": "a confidential question"}])
    except StackSpotError as error:
        pass
"""


def stderr(**variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env={**os.environ, **variables}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def calls(text: str) -> list[dict[str, Any]]:
    return [entry for entry in map(json.loads, text.splitlines()) if entry.get("event") == "call"]


@pytest.fixture
def service(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    monkeypatch.setenv("STACKSPOTAI_AGENT_ID", AGENT)
    emulator.answer = "a confidential answer"
    emulator.style = Style(usage=(120, 7))
    return emulator


def test_nothing_is_logged_unless_asked_for(service: Emulator) -> None:
    assert stderr() == ""
    assert stderr(AIDER_STACKSPOT_DEBUG="0", AIDER_STACKSPOT_LOG="") == ""


def test_one_object_for_each_call(service: Emulator) -> None:
    first, second = calls(stderr(AIDER_STACKSPOT_LOG="json"))
    assert first["outcome"] == "ok"
    assert (first["host"], first["status"], first["token_status"]) == ("127.0.0.1", 200, 200)
    assert (first["model"], first["api"]) == ("stackspot/stackspot-ai-code", "agent")
    assert (first["prompt_tokens"], first["completion_tokens"]) == (120, 7)
    assert (first["requests"], first["retries"]) == (2, 0)
    assert first["connect_ms"] >= 0
    assert 0 < first["token_ms"] <= first["first_byte_ms"] <= first["first_text_ms"] <= first["total_ms"]
    assert second["requests"] == 1
    assert "token_ms" not in second
    assert "connect_ms" not in second, "the connection is used again"


@pytest.mark.thorough
def test_lines_for_people(service: Emulator) -> None:
    text = stderr(AIDER_STACKSPOT_DEBUG="1")
    assert "aider_stackspot.calls model=stackspot/stackspot-ai-code api=agent" in text
    assert "outcome=ok" in text


@pytest.mark.thorough
def test_retries_and_failures(service: Emulator) -> None:
    service.fail("agent", Fault.status(503), times=1)
    service.fail("agent", Fault.status(400), times=1)
    first, second = calls(stderr(AIDER_STACKSPOT_LOG="json"))
    # The second call's fault is met by the first call's retry.
    assert (first["retries"], first["outcome"], first["status"]) == (1, "RequestRefused", 400)
    assert second["outcome"] == "ok"


@pytest.mark.parametrize("variable", [{"AIDER_STACKSPOT_DEBUG": "1"}, {"AIDER_STACKSPOT_LOG": "json"}])
def test_neither_content_nor_secrets(service: Emulator, variable: dict[str, str]) -> None:
    details = {"details": f"client-key of client-id said a confidential question to {AGENT}"}
    refused_and_repeated = {400: 1, 401: 2, 503: 3}
    for status, requests in refused_and_repeated.items():
        service.fail("agent", Fault.status(status, details), times=requests)
    text = stderr(**variable, CALLS="4")
    assert [request.status for request in service.chat_requests] == [400, 401, 401, 503, 503, 503, 200]
    issued = [request.headers["authorization"] for request in service.chat_requests]
    for secret in ("confidential", "client-key", "client-id", AGENT, *issued):
        assert secret not in text
    assert text


@pytest.mark.thorough
def test_the_programs_own_logging_decides_otherwise(service: Emulator) -> None:
    program = "import logging; logging.basicConfig(level=logging.DEBUG, format='%(name)s %(call)s', force=True)\n"
    program = program.replace("%(call)s", "%(message)s") + PROGRAM
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stderr.count("aider_stackspot.calls model=") == 2
