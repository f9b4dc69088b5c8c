"""`doctor --record`: nothing that was said is in the file, and the translators still read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aider_stackspot.api import quick_command
from aider_stackspot.api.answer import Usage
from aider_stackspot.doctor.record import body_shape, shape
from aider_stackspot.emulator import Emulator, Fault, Style
from aider_stackspot.emulator.style import STYLES
from aider_stackspot.errors import AuthenticationFailed
from tests.cli.command import Run
from tests.doctor.replay import body_bytes, filled, replay

pytest_plugins = ["tests.cli.cli_fixtures"]

AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
ANSWER = ["Top ", "secret ", "answer."]
LENGTH = len("".join(ANSWER))
RECORDINGS = sorted((Path(__file__).parent / "recordings").glob("*.json"))


@pytest.fixture
def three_apis(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (isolated / ".aider.litellm.yml").write_text(
        "providers:\n  stackspot:\n    models:\n"
        f"      mine: {{agent_id: {AGENT}}}\n      command: {{quick_command: my-secret-slug}}\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(quick_command, "MIN_WAIT", 0.01)
    monkeypatch.setattr(quick_command, "MAX_WAIT", 0.01)


def record(run: Run, isolated: Path) -> dict[str, Any]:
    done = run("doctor", "--record", "transcript.json")
    assert done.status == 0, done.err
    transcript: dict[str, Any] = json.loads((isolated / "transcript.json").read_text(encoding="utf-8"))
    return transcript


NOT_RECORDED = {"no-final", "plain-text", "error-stop-reason", "slow-start", "slow", "lone-surrogate", "junk"}


@pytest.mark.parametrize("style", sorted(set(STYLES) - NOT_RECORDED))
def test_every_style_survives(emulator: Emulator, run: Run, isolated: Path, three_apis: None, style: str) -> None:
    emulator.answer = ANSWER
    emulator.style = STYLES[style]
    replayed = {each.call: each for each in replay(record(run, isolated))}
    assert set(replayed) == {"token", "agent", "chat", "quick-command", "quick-command-callback"}
    for call in ("agent", "chat", "quick-command-callback"):
        assert (replayed[call].error, replayed[call].length) == (None, LENGTH), call
        assert replayed[call].finish is not None


def test_token_counts_survive(emulator: Emulator, run: Run, isolated: Path, three_apis: None) -> None:
    emulator.style = Style(usage=(6331, 2970))
    (agent,) = (each for each in replay(record(run, isolated)) if each.call == "agent")
    assert agent.finish is not None
    assert agent.finish.usage == Usage(6331, 2970)


def test_nothing_that_was_said_is_in_the_file(
    emulator: Emulator, run: Run, isolated: Path, three_apis: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator.answer = ANSWER
    emulator.style = STYLES["arrays"]
    record(run, isolated)
    text = (isolated / "transcript.json").read_text(encoding="utf-8")
    issued = [request.headers["authorization"].removeprefix("Bearer ") for request in emulator.chat_requests]
    sent = [request.json["context"]["conversation_id"] for request in emulator.requests_of("chat")]
    said = [*issued, *sent, *emulator.executions, "client-id", "client-key", AGENT, "my-secret-slug", "OK", "127.0.0.1"]
    for secret in [*said, *(piece.strip() for piece in ANSWER)]:
        assert secret not in text, secret


def test_what_exists_is_not_replaced_and_nothing_is_asked(emulator: Emulator, run: Run, isolated: Path) -> None:
    (isolated / "transcript.json").write_text("precious")
    done = run("doctor", "--record", "transcript.json")
    assert (done.status, emulator.requests) == (2, [])
    assert "transcript.json: this exists already" in done.err
    assert (isolated / "transcript.json").read_text() == "precious"


def test_a_refusal_is_recorded_too(emulator: Emulator, run: Run, isolated: Path, three_apis: None) -> None:
    emulator.fail("agent", Fault.status(403, {"type": "Forbidden", "code": "INFERENCE_1", "details": "agent is mine"}))
    (agent,) = (each for each in replay(record(run, isolated)) if each.call == "agent")
    assert isinstance(agent.error, AuthenticationFailed)
    assert agent.error.code == "INFERENCE_1"
    assert "mine" not in (isolated / "transcript.json").read_text(encoding="utf-8")


def test_without_credentials_it_says_what_is_missing(run: Run, isolated: Path) -> None:
    done = run("doctor", "--record", "transcript.json")
    assert done.status == 2
    assert "STACKSPOTAI_CLIENT_ID" in done.err
    assert not (isolated / "transcript.json").exists()


def test_texts_become_lengths_and_words_stay() -> None:
    seen = shape({"message": "abc", "stop_reason": "stop", "code": "a secret", "n": [1, None, True, "é"], AGENT: 1})
    assert seen == {"message": "<3>", "stop_reason": "stop", "code": "<8>", "n": [1, None, True, "<1>"], "<26>": 1}
    assert filled(seen)["message"] == "xxx"


def test_framing_stays_byte_by_byte() -> None:
    body = b':hi\r\n\r\nevent: end_event\rdata:{"answer":"abc"}\n\ndata: [DONE]\nretry: 15000\n\ndata: {"a'
    again = body_bytes(body_shape(body, "text/event-stream"))
    assert again == b':xx\r\n\r\nevent: end_event\rdata:{"answer": "xxx"}\n\ndata: [DONE]\nretry: 15000\n\ndata: xxx'


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_the_recorded_files_are_read(path: Path) -> None:
    """Transcripts that users sent; whatever is in this folder must be understood."""
    for each in replay(json.loads(path.read_text(encoding="utf-8"))):
        assert each.error is None
        assert each.length or each.finish is None
