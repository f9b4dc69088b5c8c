"""Error answers of any server, as HTTP responses and as events inside a stream, in this package's words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aider_stackspot import errors
from aider_stackspot.api.error_response import Service, from_frame, from_response, from_text, report, web_page
from aider_stackspot.api.stackspot_service import STACKSPOT

LAB = Service("the server `lab`", {401: "Check its key.", 404: "Check the model's name.", 429: "Ask for less."})
TOO_LONG = "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300123 tokens."
VLLM = (
    "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4000 in the messages, "
    "1000 in the completion). Please reduce the length of the messages or completion."
)


def body(details: str, code: str = "INFERENCE_6001_LLM_MODEL_BAD_REQUEST") -> str:
    return json.dumps({"type": "BadRequestError", "code": code, "details": details})


def answered(status: int, text: str = "", **more: Any) -> errors.StackSpotError:
    return from_response(status, text, service=STACKSPOT, **more)


def reported(frame: Any, event: str = "") -> errors.StackSpotError:
    error = from_frame(frame, service=LAB, event=event)
    assert error is not None
    return error


REFUSED = (400, 402, 405, 406, 407, 409, 410, 411, 413, 415, 418, 422, 425, 431, 451, 501, 505, 511)
CLASSES: dict[int, type[errors.StatusError]] = {
    302: errors.RequestRefused,
    307: errors.RequestRefused,
    **dict.fromkeys(REFUSED, errors.RequestRefused),
    401: errors.AuthenticationFailed,
    403: errors.AuthenticationFailed,
    404: errors.NotFound,
    408: errors.RequestTimedOut,
    429: errors.RateLimited,
    **dict.fromkeys((500, 502, 503, 504, 520, 524, 529, 599), errors.ServerFailed),
}


@pytest.mark.parametrize(("status", "kind"), CLASSES.items())
@pytest.mark.parametrize("text", ["", "{}", "[]", "<html>502</html>", '{"details": "no"}', "plain", "null", "[" * 5000])
def test_every_status_has_its_kind_whatever_the_body(status: int, kind: type[errors.StatusError], text: str) -> None:
    error = answered(status, text)
    assert type(error) is kind
    assert error.status == status
    assert str(status) in str(error)


@pytest.mark.parametrize("status", [201, 202, 204, 206])
def test_a_good_status_that_cannot_be_read_is_a_proxys_doing(status: int) -> None:
    error = answered(status, "", where="the call")
    assert type(error) is errors.MalformedAnswer
    assert f"status {status}" in str(error)


@pytest.mark.parametrize("status", [400, 413, 422, 500, 503])
@pytest.mark.parametrize(
    ("details", "limit", "requested"),
    [
        (TOO_LONG, 272000, 300123),
        (TOO_LONG.replace("272000", "8,192").replace("300123", "9,001"), 8192, 9001),
        (VLLM, 4096, 5000),
        ("This model's maximum context length is 8192 tokens, however you requested 9000 tokens", 8192, 9000),
        ("prompt is too long", None, None),
        ("context_length_exceeded", None, None),
    ],
)
def test_a_prompt_that_is_too_long_is_told_by_the_words(
    status: int, details: str, limit: int | None, requested: int | None
) -> None:
    for text in (body(details), body(details, "X"), details, json.dumps({"error": {"message": details}})):
        error = answered(status, text)
        assert type(error) is errors.ContextTooLong
        assert (error.status, error.limit, error.requested) == (status, limit, requested)


@pytest.mark.parametrize(
    "details",
    ["The model refused the request.", "limit of requests reached", "context not found", "limit of 5 tokens per call"],
)
def test_the_same_code_with_other_words_is_no_context_error(details: str) -> None:
    assert type(answered(400, body(details))) is errors.RequestRefused


@pytest.mark.parametrize("status", [401, 403, 404, 429])
def test_what_is_refused_for_another_reason_is_never_about_length(status: int) -> None:
    assert type(answered(status, body(TOO_LONG))) is CLASSES[status]


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (500, "image input is not supported - hint: you may need to provide the mmproj", errors.RequestRefused),
        (500, "This model does not support tools", errors.RequestRefused),
        (500, "Unsupported content part: audio", errors.RequestRefused),
        (500, "the runner has stopped; supported are 4", errors.ServerFailed),
        (503, "not supported while the model loads", errors.ServerFailed),
    ],
)
def test_what_a_server_cannot_do_is_refused_for_good(status: int, words: str, kind: type[errors.StatusError]) -> None:
    failed = {"error": {"code": status, "message": words, "type": "server_error"}}
    assert type(answered(status, json.dumps(failed))) is kind
    assert type(reported(failed)) is kind


def test_the_message_has_the_services_words_its_code_and_where() -> None:
    error = answered(403, body("not your agent", code="INFERENCE_1"), where="agent `01A` at host")
    assert str(error).startswith("StackSpot answered 403 (INFERENCE_1) for agent `01A` at host: not your agent. Check")
    assert isinstance(error, errors.StatusError)
    assert error.code == "INFERENCE_1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"error": {"message": "no such key", "type": "auth", "code": null}}', "(auth): no such key."),
        ('{"error": "no such key", "error_description": "try again"}', ": try again."),
        ('{"error": "no such key"}', ": no such key."),
        ('{"success": false, "message": "off"}', ": off."),
        ('{"detail": "Not Found"}', ": Not Found."),
        ('{"detail": [{"loc": ["body"], "msg": "Field required"}, {"msg": "Wrong"}]}', ": Field required; Wrong."),
        ('{"object": "error", "message": "gone", "type": "GoneError", "code": 401}', "(GoneError): gone."),
        ('{"title": "No key", "status": 401}', ": No key."),
        ('{"error": true, "message": "closed"}', ": closed."),
        ('{"message": "", "error": "Unauthorized", "status": 401}', ": Unauthorized."),
        (
            '{"error": {"message": "Provider returned error", "metadata": {"raw": "{\\"error\\": \\"busy\\"}"}}}',
            ": Provider returned error: busy.",
        ),
        ('"only text"', ": only text."),
        ("only text!", ": only text!"),
        ("", ": the answer says nothing more."),
    ],
)
def test_the_words_are_found_wherever_a_server_puts_them(text: str, said: str) -> None:
    assert (
        str(from_response(401, text, service=LAB))
        == f"The server `lab` answered 401{said if said[0] == ':' else ' ' + said} Check its key."
    )


@pytest.mark.parametrize(("status", "advice"), [(404, "Check the model's name."), (429, "Ask for less."), (500, None)])
def test_the_advice_is_the_services_own(status: int, advice: str | None) -> None:
    said = str(from_response(status, "no", service=LAB))
    assert said == f"The server `lab` answered {status}: no.{' ' + advice if advice else ''}"


def test_a_redirect_says_why_it_is_not_followed() -> None:
    assert "Redirects are not followed" in str(from_response(302, "", service=LAB))


@pytest.mark.parametrize("page", ["<!DOCTYPE html><html><body>Bad gateway of ACME</body></html>", "\n <HTML>ACME"])
def test_a_web_page_is_not_repeated_but_named(page: str) -> None:
    for error in (answered(502, page), from_text(page, service=LAB)):
        assert "proxy" in str(error)
        assert "ACME" not in str(error)


def test_one_text_for_a_web_page_with_a_good_status() -> None:
    assert str(web_page("host.example")).startswith("host.example answered with a web page instead of an answer.")
    assert "instead of a token" in str(web_page("The token endpoint", instead_of="a token"))


def test_long_words_are_cut() -> None:
    assert len(str(answered(500, body("x" * 100_000)))) < 1000


def test_the_wait_asked_for_is_kept() -> None:
    error = answered(429, "", retry_after=3.0)
    assert isinstance(error, errors.RateLimited)
    assert error.retry_after == 3.0


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ({"error": {"message": "engine died"}}, "engine died"),
        ({"error": "engine died"}, "engine died"),
        ({"error": True, "message": "engine died"}, "engine died"),
        ({"error": {"message": "engine died"}, "choices": [{"delta": {}, "finish_reason": "error"}]}, "engine died"),
        ({"object": "error", "message": "engine died", "param": None}, "engine died"),
        ({"type": "error", "message": "engine died"}, "engine died"),
        ({"type": "error", "error": {"type": "api_error", "message": "engine died"}}, "(api_error): engine died"),
        ({"type": "InternalServerError", "message": "engine died"}, "(InternalServerError): engine died"),
        ({"event": "error", "message": "engine died"}, "engine died"),
        ({"detail": "worker lost"}, "worker lost"),
        ({"detail": [{"msg": "worker lost"}]}, "worker lost"),
        ({"text": "**NETWORK ERROR**", "error_code": 50001}, "(50001): **NETWORK ERROR**"),
        ({"code": "InternalError", "message": "failed", "request_id": "r"}, "(InternalError): failed"),
        ({"code": 1234, "msg": "failed"}, "(1234): failed"),
        ({"success": False, "message": "model is off"}, "model is off"),
        ({"status": "error", "message": "model is off"}, "model is off"),
        ({"status": "FAILED"}, "does not say why"),
        ({"type": "InternalError", "code": "INFERENCE_1", "details": "it broke"}, "(INFERENCE_1): it broke"),
        ({"type": "InternalError", "code": "INFERENCE_1"}, "(INFERENCE_1): the service does not say why"),
        ({"code": "INFERENCE_1", "details": "it broke"}, "it broke"),
    ],
)
def test_a_frame_that_reports_a_failure(frame: dict[str, Any], words: str) -> None:
    error = reported(frame)
    assert str(error).startswith("The server `lab` reported an error inside the stream")
    assert words in str(error)
    assert type(error) is errors.ServerFailed
    assert error.status == 200


@pytest.mark.parametrize(
    "frame",
    [
        {"message": "text"},
        {"message": "text", "type": "delta", "id": "m-1"},
        {"message": "an error", "type": "message", "event": "message"},
        {"message": "text", "error": None, "code": None, "detail": None, "details": None},
        {"message": "text", "error": "", "code": "", "error_code": 0},
        {"message": "text", "error": {}, "success": True},
        {"message": "text", "error": {"message": None, "code": 0}},
        {"message": "text", "code": 200},
        {"message": "text", "code": 0, "msg": "success"},
        {"message": "text", "code": "OK", "status": "ok"},
        {"message": "text", "code": "200", "status": 200},
        {"answer": "text", "status": "working", "type": "chunk"},
        {"content": "text", "type": "chunk", "details": {"a": 1}},
        {"type": "delta", "code": None, "details": None},
        {"status": "working"},
        {"stop_reason": "stop", "type": "end", "tokens": {}},
        {"choices": [{"delta": {"content": "text"}}], "object": "chat.completion.chunk", "error": None, "code": 500},
        {"choices": [], "usage": {"prompt_tokens": 1}, "object": "chat.completion.chunk"},
        {"choices": [{"delta": {"content": "x"}}], "detail": "of the vendor's"},
        {},
    ],
)
def test_a_frame_that_reports_none(frame: dict[str, Any]) -> None:
    assert from_frame(frame, service=LAB) is None


@pytest.mark.parametrize(
    ("frame", "kind", "status"),
    [
        ({"error": {"message": "slow down", "code": 429}}, errors.RateLimited, 429),
        ({"error": {"message": "slow down", "code": "429"}}, errors.RateLimited, 429),
        ({"error": {"message": "slow down", "type": "rate_limit_error"}}, errors.RateLimited, 429),
        ({"error": {"code": "RESOURCE_EXHAUSTED", "message": "x"}}, errors.RateLimited, 429),
        ({"error": "Too many requests"}, errors.RateLimited, 429),
        ({"type": "TooManyRequests", "code": "INFERENCE_3008_CHAT_RATE_LIMIT_EXCEEDED"}, errors.RateLimited, 429),
        ({"detail": "Limit: 6000 tokens per minute"}, errors.RateLimited, 429),
        ({"status": 403, "message": "not yours"}, errors.AuthenticationFailed, 403),
        ({"error": {"type": "authentication_error", "message": "x"}}, errors.AuthenticationFailed, 401),
        ({"error": "Incorrect API key provided"}, errors.AuthenticationFailed, 401),
        ({"code": "Unauthorized", "message": "token is expired"}, errors.AuthenticationFailed, 401),
        ({"status_code": 404, "detail": "no such model"}, errors.NotFound, 404),
        ({"error": {"code": "model_not_found", "message": "no such model"}}, errors.NotFound, 404),
        ({"object": "error", "code": 400, "message": "bad logprobs"}, errors.RequestRefused, 400),
        ({"type": "BadRequestError", "code": "INFERENCE_6001", "details": "No."}, errors.RequestRefused, 400),
        ({"error": {"type": "invalid_request_error", "message": "No."}}, errors.RequestRefused, 400),
        ({"error": {"code": "insufficient_quota", "message": "x"}}, errors.RequestRefused, 402),
        ({"code": 408, "message": "too slow"}, errors.RequestTimedOut, 408),
        ({"object": "error", "code": 500, "message": "engine died"}, errors.ServerFailed, 500),
        ({"code": 503}, errors.ServerFailed, 503),
        ({"error": {"type": "overloaded_error", "message": "Overloaded"}}, errors.ServerFailed, 503),
        ({"error": "The model is temporarily unavailable"}, errors.ServerFailed, 503),
        ({"error": {"code": 501, "message": "no"}}, errors.RequestRefused, 501),
        ({"error": {"code": 12, "message": "bad request, said the model"}}, errors.ServerFailed, 200),
    ],
)
def test_a_frames_class_is_that_of_its_meaning(
    frame: dict[str, Any], kind: type[errors.StatusError], status: int
) -> None:
    error = reported(frame)
    assert type(error) is kind
    assert error.status == status


@pytest.mark.parametrize(
    ("frame", "numbers"),
    [
        ({"type": "BadRequestError", "code": "INFERENCE_6001", "details": TOO_LONG}, (272000, 300123)),
        ({"error": {"message": VLLM, "code": 400}}, (4096, 5000)),
        ({"object": "error", "message": VLLM}, (4096, 5000)),
        ({"text": VLLM, "error_code": 40303}, (4096, 5000)),
        ({"error": {"type": "exceed_context_size_error", "n_ctx": 10, "n_prompt_tokens": 12}}, (10, 12)),
        ({"detail": "prompt is too long; try again later"}, None),
    ],
)
def test_a_frame_about_a_long_prompt_has_its_numbers(frame: dict[str, Any], numbers: tuple[int, int] | None) -> None:
    error = reported(frame)
    if numbers is None:
        assert type(error) is errors.ServerFailed
    else:
        assert type(error) is errors.ContextTooLong
        assert (error.limit, error.requested) == numbers


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("worker 3 died", errors.ServerFailed, "worker 3 died"),
        ("429 Too Many Requests", errors.RateLimited, "429 Too Many Requests"),
        ("Service Unavailable", errors.ServerFailed, "Service Unavailable"),
        (VLLM, errors.ContextTooLong, "4096"),
        ('{"message": "it broke"}', errors.ServerFailed, "it broke"),
        ('{"code": 401, "message": "who?"}', errors.AuthenticationFailed, "who?"),
        ('{"message": "cut', errors.ServerFailed, "cut"),
        ('["a", {"message": "b"}]', errors.ServerFailed, "a; b"),
        ("", errors.ServerFailed, "does not say why"),
        ("null", errors.ServerFailed, "does not say why"),
    ],
)
def test_an_error_event_may_hold_anything(text: str, kind: type[errors.StatusError], words: str) -> None:
    error = from_text(text, service=LAB)
    assert type(error) is kind
    assert words in str(error)


@pytest.mark.parametrize("event", ["error", "server_error"])
def test_an_events_name_makes_it_an_error(event: str) -> None:
    assert "it broke" in str(reported({"message": "it broke"}, event))


def test_a_report_says_who_and_gives_its_hint() -> None:
    error = report({"code": "X1", "details": "it broke"}, "The step failed", hint="Look at it.")
    assert str(error) == "The step failed (X1): it broke. Look at it."


def test_a_deep_document_is_read_to_a_depth() -> None:
    frame: Any = {"message": "deep"}
    for _ in range(500):
        frame = {"error": frame}
    assert str(reported(frame))
