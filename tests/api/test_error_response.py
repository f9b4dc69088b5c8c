"""HTTP errors of StackSpot's hosts, in this package's words (docs/wire.md, "Errors")."""

from __future__ import annotations

import json

import pytest

from aider_stackspot import errors
from aider_stackspot.api.error_response import from_response

TOO_LONG = "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300123 tokens."


def body(details: str, code: str = "INFERENCE_6001_LLM_MODEL_BAD_REQUEST") -> str:
    return json.dumps({"type": "BadRequestError", "code": code, "details": details})


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, errors.RequestRefused),
        (400, errors.RequestRefused),
        (401, errors.AuthenticationFailed),
        (402, errors.RequestRefused),
        (403, errors.AuthenticationFailed),
        (404, errors.NotFound),
        (408, errors.RequestTimedOut),
        (413, errors.RequestRefused),
        (422, errors.RequestRefused),
        (429, errors.RateLimited),
        (500, errors.ServerFailed),
        (502, errors.ServerFailed),
        (599, errors.ServerFailed),
    ],
)
@pytest.mark.parametrize("text", ["", "{}", "[]", "<html>502</html>", '{"details": "no"}', "plain"])
def test_every_status_has_its_kind_whatever_the_body(status: int, kind: type[errors.StatusError], text: str) -> None:
    error = from_response(status, text)
    assert type(error) is kind
    assert error.status == status
    assert str(status) in str(error)


@pytest.mark.parametrize(
    "details",
    [
        TOO_LONG,
        "This model's maximum context length is 8192 tokens, however you requested 9000",
        "prompt is too long",
        "context_length_exceeded",
    ],
)
def test_a_prompt_that_is_too_long_is_told_by_the_words(details: str) -> None:
    assert type(from_response(400, body(details))) is errors.ContextTooLong
    assert type(from_response(500, body(details))) is errors.ContextTooLong


@pytest.mark.parametrize(
    "details", ["The model refused the request.", "limit of requests reached", "context not found"]
)
def test_the_same_code_with_other_words_is_no_context_error(details: str) -> None:
    assert type(from_response(400, body(details))) is errors.RequestRefused


def test_the_message_has_the_services_words_its_code_and_where() -> None:
    error = from_response(403, body("not your agent", code="INFERENCE_1"), where="agent `01A` at host")
    assert "INFERENCE_1" in str(error)
    assert "not your agent" in str(error)
    assert "agent `01A` at host" in str(error)
    assert isinstance(error, errors.StatusError)
    assert error.code == "INFERENCE_1"


def test_a_web_page_is_not_repeated_but_named() -> None:
    text = str(from_response(502, "<!DOCTYPE html><html><body>Bad gateway of ACME</body></html>"))
    assert "proxy" in text
    assert "ACME" not in text


def test_long_words_are_cut() -> None:
    assert len(str(from_response(500, body("x" * 100_000)))) < 1000


def test_the_wait_asked_for_is_kept() -> None:
    error = from_response(429, "", retry_after=3.0)
    assert isinstance(error, errors.RateLimited)
    assert error.retry_after == 3.0
