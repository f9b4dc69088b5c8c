"""Every status that an API can answer with: which error comes of it, after how many requests, in which words."""

from __future__ import annotations

import email.utils
import time

import litellm
import pytest

from aider_stackspot import StackSpotProvider
from aider_stackspot.emulator import Emulator, Fault
from tests.faults.fault_ways import AGENT, Ask, Case, check, completion, each, expect

pytest_plugins = ["tests.faults.fault_fixtures"]
pytestmark = pytest.mark.usefixtures("quick")

WHERE = f"agent `{AGENT}` (realm `stackspot`, client id `client-id`)"
TOO_LONG = "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300123 tokens."
PAGE = "<!DOCTYPE html><html><body>Blocked by the firewall</body></html>"
A_PAGE = "the answer is a web page, perhaps a proxy's"
SILENT, OVERLOADED = "the answer says nothing more", "overloaded, or stopped for maintenance"


@each(
    Case("too long", Fault.too_long(), litellm.ContextWindowExceededError, (1, 1), ("400", WHERE, TOO_LONG)),
    Case("same code", Fault.refused("No."), litellm.BadRequestError, (1, 1), ("400 (INFERENCE_6001", WHERE, "No.")),
    Case("too long as 413", Fault.status(413, {"details": TOO_LONG}), litellm.ContextWindowExceededError, (1, 1)),
    Case("too long as 500", Fault.status(500, {"details": TOO_LONG}), litellm.ContextWindowExceededError, (1, 1)),
    Case("401 once", Fault.status(401), None, (2, 2), times=1),
    Case("401", Fault.status(401), litellm.AuthenticationError, (2, 2), (WHERE, "freshly made token", "rotated")),
    Case("402", Fault.status(402), litellm.BadRequestError, (1, 1), ("402", WHERE, "no credit left")),
    Case("402 empty", Fault.status(402, b""), litellm.BadRequestError, (1, 1), ("402", WHERE, "quota or credit")),
    Case("403", Fault.status(403), litellm.AuthenticationError, (1, 1), (WHERE, "no permission", "agent is shared")),
    Case("404", Fault.status(404), litellm.NotFoundError, (1, 1), ("404", WHERE, "Check the agent id")),
    Case("408", Fault.status(408), litellm.Timeout, (1, 3), ("408", WHERE, "took too long")),
    Case("413", Fault.status(413), litellm.BadRequestError, (1, 1), ("413", WHERE, "too large")),
    Case("418", Fault.status(418, b"short and stout"), litellm.BadRequestError, (1, 1), (WHERE, "short and stout")),
    Case("422", Fault.status(422), litellm.BadRequestError, (1, 1), ("422", WHERE, "a field that")),
    Case("500", Fault.status(500), litellm.InternalServerError, (1, 3), ("500", WHERE, "went wrong")),
    Case("501", Fault.status(501), litellm.BadRequestError, (1, 1), ("501", WHERE)),
    Case("502", Fault.status(502), litellm.BadGatewayError, (1, 3), ("502", WHERE, A_PAGE)),
    Case("503", Fault.status(503), litellm.ServiceUnavailableError, (1, 3), ("503", WHERE, OVERLOADED)),
    Case("504", Fault.status(504), litellm.ServiceUnavailableError, (1, 3), ("504", WHERE, "did not answer in time")),
    Case("599", Fault.status(599), litellm.InternalServerError, (1, 1), ("599", WHERE)),
    Case("500 once", Fault.status(500), None, (1, 2), times=1),
    Case("502 twice", Fault.status(502), None, (1, 3), times=2),
    Case("204", Fault.status(204, b""), litellm.APIConnectionError, (1, 1), ("good status and 0 characters", "proxy")),
    Case("206", Fault.status(206, b"data: {}"), litellm.APIConnectionError, (1, 3), ("ended before its end marker",)),
)
def test_a_status(case: Case, emulator: Emulator, ask: Ask) -> None:
    check(case, emulator, ask)


CLASSES: dict[int, type[Exception]] = {
    400: litellm.BadRequestError,
    401: litellm.AuthenticationError,
    403: litellm.AuthenticationError,
    404: litellm.NotFoundError,
    429: litellm.RateLimitError,
    500: litellm.InternalServerError,
    503: litellm.ServiceUnavailableError,
}


@pytest.mark.parametrize("status", CLASSES)
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (PAGE, A_PAGE),
        (b"", SILENT),
        (b"\xff\xfe\x00", "�"),
        (b"[" * 50_000, "…"),
        (b'{"details": {"message": "inside"}}', "inside"),
        (b'{"details": "a\\u001b[2Jb\\ud800"}', "a [2Jb�"),
        (b"x" * 1_000_000, SILENT),
    ],
    ids=["page", "empty", "binary", "deep", "nested", "escapes", "megabyte"],
)
def test_the_status_decides_whatever_the_body_is(
    status: int, body: str | bytes, words: str, emulator: Emulator
) -> None:
    emulator.fail("any chat", Fault.status(status, body), times=None)
    if (status, words) == (503, SILENT):
        words = OVERLOADED
    expect(CLASSES[status], (f"answered {status}", words), completion, max_retries=0)


@each(
    *(
        Case(f"{name}", Fault.status(429, retry_after=value), litellm.RateLimitError, (1, requests), ("wait a minute",))
        for name, value, requests in (
            ("no header", None, 1),
            ("nothing", "", 1),
            ("at once", 0, 3),
            ("soon", 0.01, 3),
            ("too late", 6, 1),
            ("for ever", 10**12, 1),
            ("negative", -1, 1),
            ("not a number", "nan", 1),
            ("infinite", "inf", 1),
            ("exponential", "1e1", 1),
            ("other digits", "\u00b2", 1),
            ("words", "in a while", 1),
            ("a past date", email.utils.formatdate(0, usegmt=True), 3),
            ("a far date", email.utils.formatdate(4_000_000_000, usegmt=True), 1),
            ("an absurd date", "Wed, 99 Foo 99999 99:99:99 GMT", 1),
        )
    ),
    Case("soon, once", Fault.status(429, retry_after=0.01), None, (1, 2), times=1),
    Case("soon, twice", Fault.status(429, retry_after=0.01), None, (1, 3), times=2),
    Case("a page", Fault.status(429, PAGE), litellm.RateLimitError, (1, 1), (A_PAGE, "wait a minute")),
)
def test_too_many_requests(case: Case, emulator: Emulator, ask: Ask) -> None:
    check(case, emulator, ask)


def test_the_wait_that_was_asked_for_is_kept(emulator: Emulator) -> None:
    emulator.fail("any chat", Fault.status(429, retry_after=0.3))
    began = time.monotonic()
    StackSpotProvider().completion_sync([{"role": "user", "content": "hi"}])
    assert 0.3 <= time.monotonic() - began < 2
    first, second = emulator.chat_requests
    assert second.at - first.at >= 0.3


def test_a_wait_beyond_the_total_limit_is_not_begun(emulator: Emulator, ask: Ask) -> None:
    emulator.fail("any chat", Fault.status(429, retry_after=4), times=None)
    began = time.monotonic()
    expect(litellm.RateLimitError, ("429",), ask, timeout=3)
    assert time.monotonic() - began < 2.5
    assert len(emulator.chat_requests) == 1


@pytest.mark.parametrize("code", [302, 304, 308])
def test_a_redirect_is_not_followed_with_the_token(emulator: Emulator, ask: Ask, code: int) -> None:
    with Emulator() as elsewhere:
        redirect = Fault.redirect(f"{elsewhere.url}/v1/agent/{AGENT}/chat", code)
        words = (f"answered {code}", WHERE, "Redirects are not followed", "Check the base URL")
        check(Case("", redirect, litellm.BadRequestError, (1, 1), words), emulator, ask)
        assert elsewhere.connections == 0


@pytest.mark.parametrize("retries", [0, 1, 4])
def test_max_retries_of_the_call_is_the_number(emulator: Emulator, ask: Ask, retries: int) -> None:
    emulator.fail("any chat", Fault.status(503), times=None)
    expect(litellm.ServiceUnavailableError, ("503",), ask, max_retries=retries)
    assert len(emulator.chat_requests) == 1 + retries
