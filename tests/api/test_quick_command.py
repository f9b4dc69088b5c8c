"""The two requests and answers of remote quick commands, without a network."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aider_stackspot.api import quick_command
from aider_stackspot.errors import ContextTooLong, MalformedAnswer, ServerFailed

ID = "01EEEEEEEEEEEEEEEEEEEEEEEE"


def answer(status: str, **more: Any) -> str:
    return json.dumps({"execution_id": ID, "progress": {"status": status}, "steps": [], "result": None, **more})


def test_the_prompt_is_a_plain_string_and_the_slug_one_segment() -> None:
    request = quick_command.request('say "hi"', "my/command")
    assert request.path == "/v1/quick-commands/create-execution/my%2Fcommand"
    assert request.body == {"input_data": 'say "hi"'}


@pytest.mark.parametrize("body", [f'"{ID}"', ID, f'{{"id": "{ID}"}}', f'{{"execution_id": "{ID}"}}', f' "{ID}"\n'])
def test_every_known_shape_of_the_id(body: str) -> None:
    assert quick_command.execution_id(body) == ID


@pytest.mark.parametrize("body", ["", "null", "{}", "[]", '"../v1/agents"', '"a b"', "<html>", '"é"', "12.5"])
def test_what_is_no_id_is_refused(body: str) -> None:
    with pytest.raises(MalformedAnswer, match="no execution id"):
        quick_command.execution_id(body)


@pytest.mark.parametrize("status", ["CREATED", "RUNNING", "SOMETHING_NEW", ""])
def test_whatever_is_neither_done_nor_failed_goes_on(status: str) -> None:
    progress = quick_command.progress(answer(status), "demo")
    assert not progress.is_done
    assert progress.text is None


def test_the_result_is_the_answer() -> None:
    assert quick_command.progress(answer("COMPLETED", result="```json\n{}\n```"), "demo").text == "```json\n{}\n```"
    assert quick_command.progress(answer("COMPLETED", result={"a": "é"}), "demo").text == '{"a": "é"}'
    assert quick_command.progress(answer("COMPLETED", result=""), "demo").text == ""


def test_without_a_result_the_last_steps_answer_is_taken() -> None:
    steps = [{"step_name": "one", "step_result": {"answer": "1"}}, {"step_name": "two", "step_result": {"answer": "2"}}]
    progress = quick_command.progress(answer("COMPLETED", steps=steps), "demo")
    assert (progress.text, progress.step) == ("2", "two")


def test_a_completion_without_any_text_is_no_answer() -> None:
    with pytest.raises(MalformedAnswer, match="without a result"):
        quick_command.progress(answer("COMPLETED"), "demo")


@pytest.mark.parametrize("status", ["FAILURE", "FAILED", "failure"])
@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "does not say why"),
        ({"result": "the model refused"}, "the model refused"),
        ({"result": {"details": "no quota", "code": "CODEBUDDY_1"}}, r"\(CODEBUDDY_1\): no quota"),
        ({"message": "broken step"}, "broken step"),
    ],
)
def test_a_failure_says_what_the_service_says(status: str, more: dict[str, Any], said: str) -> None:
    with pytest.raises(ServerFailed, match=said):
        quick_command.progress(answer(status, **more), "demo")


def test_a_failure_for_length_is_the_context_error() -> None:
    details = "Input tokens exceed the configured limit of 10 tokens. Your messages resulted in 12 tokens."
    with pytest.raises(ContextTooLong):
        quick_command.progress(answer("FAILURE", result={"details": details}), "demo")


@pytest.mark.parametrize(("share", "read"), [(0.5, 0.5), (7, 1.0), (-1, 0.0), ("x", None), (True, None)])
def test_the_share_is_a_share(share: object, read: float | None) -> None:
    body = json.dumps({"progress": {"status": "RUNNING", "execution_percentage": share}})
    assert quick_command.progress(body, "demo").share == read


def test_polls_become_rarer() -> None:
    """Ten minutes cost 70 polls, not 600, and no answer waits longer than ten seconds."""
    now, polls = 0.0, 0
    while now < 600:
        wait = quick_command.wait_before_poll(now)
        assert 1.0 <= wait <= 10.0
        now, polls = now + wait, polls + 1
    assert polls < 75
