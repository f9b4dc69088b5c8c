"""Quick commands: the same errors, for the request that creates an execution and for those that ask for it."""

from __future__ import annotations

from pathlib import Path

import litellm
import pytest

from aider_stackspot import StackSpotProvider
from aider_stackspot.api import quick_command
from aider_stackspot.emulator import Emulator, Fault
from aider_stackspot.errors import StackSpotError
from aider_stackspot.pipeline import attempt
from tests.faults.fault_ways import Ask, Case, completion, each, expect

pytest_plugins = ["tests.faults.fault_fixtures"]
pytestmark = pytest.mark.usefixtures("quick")

LOST = litellm.APIConnectionError
WHERE = "quick command `code-review` (realm `stackspot`, client id `client-id`)"
TOO_LONG = {"details": "Input exceeds the limit of 10 tokens. Your messages resulted in 11 tokens."}


@pytest.fixture(autouse=True)
def _configured(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that is a quick command, polled without the waits of real life."""
    models = "providers:\n  stackspot:\n    models:\n      reviewer:\n        quick_command: code-review\n"
    (isolated / ".aider.litellm.yml").write_text(models, encoding="utf-8")
    monkeypatch.setattr(quick_command, "MIN_WAIT", 0.001)
    monkeypatch.setattr(quick_command, "MAX_WAIT", 0.002)


CASES = [
    Case("too long", Fault.status(400, TOO_LONG), litellm.ContextWindowExceededError, (1, 0), ("400", WHERE)),
    Case("400", Fault.status(400), litellm.BadRequestError, (1, 0), ("400", WHERE)),
    Case("401", Fault.status(401), litellm.AuthenticationError, (2, 1), (WHERE, "freshly made token")),
    Case("402", Fault.status(402, b""), litellm.BadRequestError, (1, 0), (WHERE, "quota or credit")),
    Case("403", Fault.status(403), litellm.AuthenticationError, (1, 0), (WHERE,)),
    Case("404", Fault.status(404), litellm.NotFoundError, (1, 0), (WHERE, "Check the slug")),
    Case("408", Fault.status(408), litellm.Timeout, (1, 2), ("408", WHERE)),
    Case("422", Fault.status(422), litellm.BadRequestError, (1, 0), ("422", WHERE)),
    Case("500", Fault.status(500), litellm.InternalServerError, (1, 2), ("500", WHERE)),
    Case("502", Fault.status(502), litellm.BadGatewayError, (1, 2), ("502", WHERE)),
    Case("504", Fault.status(504), litellm.ServiceUnavailableError, (1, 2), ("504", WHERE)),
    Case("204", Fault.status(204, b""), LOST, (1, 0), ("0 characters that", "proxy")),
    Case("redirect", Fault.redirect("http://127.0.0.1:1/"), litellm.BadRequestError, (1, 0), ("not followed",)),
    Case("a page", Fault.login_page(), LOST, (1, 0), ("127.0.0.1 answered with a web page", "HTTPS_PROXY")),
    Case("no JSON", Fault.status(200, b"\xff{"), LOST, (1, 0), ("proxy in between",)),
    Case("a list", Fault.status(200, b"[1]"), LOST, (1, 0), ("proxy in between",)),
    Case("nothing", Fault.status(200, b""), LOST, (1, 0), ("proxy in between",)),
    Case("close", Fault.close(), LOST, (1, 2), ("127.0.0.1", "broke while the answer was awaited")),
    Case("reset", Fault.reset(), LOST, (1, 2), ("127.0.0.1", "Connection reset by peer")),
    Case("cut", Fault.cut_after(body_bytes=5), LOST, (1, 2), ("broke while the answer was awaited",)),
    Case("damaged gzip", Fault.status(200, b"no", headers={"Content-Encoding": "gzip"}), LOST, (1, 2), ("damaged",)),
]
"""The second of `requests` is here how many requests of the kind follow the first that meets the fault."""


@pytest.mark.parametrize("kind", ["quick-command", "quick-command-callback"])
@each(*CASES)
def test_a_fault(case: Case, kind: str, emulator: Emulator) -> None:
    emulator.fail(kind, case.fault, times=None)
    assert case.raises is not None
    expect(case.raises, case.words, completion, model="stackspot/reviewer")
    tokens, more = case.requests
    assert (len(emulator.token_requests), len(emulator.requests_of(kind))) == (tokens, 1 + more)
    assert len(emulator.requests_of("quick-command")) <= 1 or kind == "quick-command"


@pytest.mark.parametrize("body", ['{"progress": 7}', '{"steps": [1, null]}', '{"progress": {"status": {"a": 1}}}'])
def test_a_progress_that_says_nothing_is_asked_for_again(body: str, emulator: Emulator) -> None:
    emulator.answer = "done"
    emulator.fail("quick-command-callback", Fault.status(200, body), times=2)
    assert completion(model="stackspot/reviewer") == "done"


@pytest.mark.parametrize(
    "body",
    [
        '{"progress": {"status": "COMPLETED"}}',
        '{"progress": {"status": "COMPLETED"}, "steps": 7}',
        '{"progress": {"status": "COMPLETED"}, "steps": {"a": 1}, "result": null}',
        '{"progress": {"status": "FAILED"}, "result": [1]}',
        '{"progress": {"status": "FAILURE", "details": {"a": {"b": 1}}}}',
        '{"steps": 5}',
        '{"steps": [{"step_name": 7, "step_result": "x"}], "progress": {"status": "completed"}}',
    ],
)
def test_odd_documents_are_typed_errors(body: str, emulator: Emulator) -> None:
    emulator.fail("quick-command-callback", Fault.status(200, body), times=None)
    with pytest.raises(StackSpotError) as caught:
        StackSpotProvider(timeout=0.5).completion_sync([{"role": "user", "content": "hi"}], "reviewer")
    assert type(caught.value) is not StackSpotError, caught.value


@pytest.mark.parametrize("kind", ["quick-command", "quick-command-callback"])
def test_silence_has_a_limit(kind: str, emulator: Emulator, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "IDLE_TIMEOUT", 0.1)
    emulator.fail(kind, Fault.silent(), times=None)
    expect(litellm.Timeout, ("was silent for too long while the answer",), ask, model="stackspot/reviewer")
    assert len(emulator.requests_of(kind)) == 1


@pytest.mark.thorough
def test_a_result_of_any_size_is_an_answer(emulator: Emulator) -> None:
    emulator.answer = "word " * 1_000_000
    assert completion(model="stackspot/reviewer") == emulator.answer
