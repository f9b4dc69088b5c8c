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


@pytest.mark.parametrize(
    ("text", "segment"),
    [
        (ID, ID),
        ("3f2504e0-4f89-11d3-9a0c-0305e82c3301", "3f2504e0-4f89-11d3-9a0c-0305e82c3301"),
        ("exec:2026.1_b~c", "exec%3A2026.1_b~c"),
        ("{3F2504E0-4F89}", "%7B3F2504E0-4F89%7D"),
        ("a/../b?c#d%", "a%2F..%2Fb%3Fc%23d%25"),
        ("é", "%C3%A9"),
        ("...", "..."),
        ("x" * 200, "x" * 200),
    ],
)
def test_an_id_is_any_word_in_every_known_shape(text: str, segment: str) -> None:
    for body in (f'"{text}"', f'{{"id": "{text}"}}', f'{{"execution_id": "{text}"}}', f' "{text}"\n'):
        assert quick_command.execution_id(body) == text
    assert quick_command.callback_path(text) == f"/v1/quick-commands/callback/{segment}"


@pytest.mark.parametrize("text", [ID, "3f2504e0-4f89-11d3", "{3F2504E0-4F89}", "exec:2026.1_b~c", "x" * 200])
def test_an_id_may_come_without_quotation_marks(text: str) -> None:
    assert quick_command.execution_id(text) == quick_command.execution_id(f" {text}\r\n") == text


@pytest.mark.parametrize(
    "body",
    [
        "",
        "\ufffd{",
        "a/b",
        " ",
        '""',
        "null",
        "{}",
        "[]",
        '"."',
        '".."',
        "..",
        '"a b"',
        '"a\\nb"',
        '"a\\u0000"',
        "<html>",
        "<p>",
        '{"id":"0',
        "12.5",
        "true",
        '{"id": null}',
        '{"id": ["a"]}',
        f'"{"x" * 201}"',
        "Not Found",
        "a\tb",
        '"\\ud800"',
    ],
)
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
