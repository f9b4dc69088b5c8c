"""What the token endpoint can do wrong: which error comes of it, after how many requests, in which words."""

from __future__ import annotations

import socket
import time
from typing import Any

import litellm
import pytest

from aider_stackspot.emulator import Emulator, Fault
from aider_stackspot.network import client, client_credentials
from tests.faults.fault_ways import Ask, Case, check, each, expect

pytest_plugins = ["tests.faults.fault_fixtures"]
pytestmark = pytest.mark.usefixtures("quick")

WHO = "realm `stackspot`, client id `client-id`"
KEYS = "Check STACKSPOTAI_CLIENT_ID, STACKSPOTAI_CLIENT_KEY"
LOGIN = ("The token endpoint http://127.0.0.1", "login page of a proxy", "check HTTPS_PROXY")
BROKE = ("The connection to 127.0.0.1", "broke while the token was awaited")
TEN_MEGABYTES = 10_000_000


@each(
    Case("400", Fault.status(400), litellm.AuthenticationError, (1, 0), ("with status 400", WHO, KEYS)),
    Case("401", Fault.status(401), litellm.AuthenticationError, (1, 0), ("401", WHO, "Invalid client", KEYS)),
    Case("403", Fault.status(403), litellm.AuthenticationError, (1, 0), ("403", WHO, "may not use this realm", KEYS)),
    Case("404", Fault.status(404), litellm.AuthenticationError, (1, 0), (WHO, "no such realm", "STACKSPOTAI_REALM")),
    Case("405", Fault.status(405), litellm.AuthenticationError, (1, 0), ("with status 405", WHO)),
    Case("408", Fault.status(408), litellm.Timeout, (3, 0), ("answered 408", "the token request", WHO)),
    Case("429", Fault.status(429), litellm.RateLimitError, (1, 0), ("429", "the token request", WHO, "wait a minute")),
    Case("429 that waits", Fault.status(429, retry_after=0), litellm.RateLimitError, (3, 0), ("429", WHO)),
    Case("429 once", Fault.status(429, retry_after=0.01), None, (2, 1), times=1),
    Case("500", Fault.status(500), litellm.InternalServerError, (3, 0), ("500", "the token request", WHO)),
    Case("502", Fault.status(502), litellm.BadGatewayError, (3, 0), ("502", WHO, "a web page")),
    Case("503", Fault.status(503), litellm.ServiceUnavailableError, (3, 0), ("503", WHO, "overloaded, or stopped")),
    Case("504", Fault.status(504), litellm.ServiceUnavailableError, (3, 0), ("504", WHO)),
    Case("501", Fault.status(501), litellm.BadRequestError, (1, 0), ("501", WHO)),
    Case("500 once", Fault.status(500), None, (2, 1), times=1),
    Case("503 twice", Fault.status(503), None, (3, 1), times=2),
)
def test_a_refusal(case: Case, emulator: Emulator, ask: Ask) -> None:
    check(case, emulator, ask, "token")


@each(
    Case("login page", Fault.login_page(), litellm.APIConnectionError, (1, 0), (LOGIN[0], "a web page", LOGIN[2])),
    Case("no token", Fault.bad_token(without=("access_token",)), litellm.APIConnectionError, (1, 0), LOGIN),
    Case("token of null", Fault.bad_token(access_token=""), litellm.APIConnectionError, (1, 0), LOGIN),
    Case("token of a number", Fault.bad_token(access_token=7), litellm.APIConnectionError, (1, 0), LOGIN),
    Case("token with a line", Fault.bad_token(access_token="a\r\nX: b"), litellm.APIConnectionError, (1, 0), LOGIN),
    Case("an error with 200", Fault.status(200, {"error": "invalid_client"}), litellm.AuthenticationError, (1, 0),
         ("with status 200", WHO, "invalid_client", KEYS)),
    Case("a list", Fault.status(200, b"[1, 2]"), litellm.APIConnectionError, (1, 0), LOGIN),
    Case("nothing", Fault.status(200, b""), litellm.APIConnectionError, (1, 0), ("with 0 characters", LOGIN[2])),
    Case("deep", Fault.status(200, b"[" * 100_000), litellm.APIConnectionError, (1, 0), LOGIN),
    Case("no JSON", Fault.status(200, b"\xff\xfe{"), litellm.APIConnectionError, (1, 0), LOGIN),
    Case("204", Fault.status(204, b""), litellm.APIConnectionError, (1, 0), ("status 204", LOGIN[2])),
    Case("10 MB", Fault.bad_token(padding=TEN_MEGABYTES), litellm.APIConnectionError, (1, 0), ("more than 1,048,576",)),
    Case(
        "10 MB refusal",
        Fault.status(401, b"x" * TEN_MEGABYTES, content_type="text/plain"),
        litellm.AuthenticationError,
        (1, 0),
        ("with status 401", WHO, KEYS),
    ),
    Case("damaged gzip", Fault.status(200, b"no", headers={"Content-Encoding": "gzip"}), litellm.APIConnectionError,
         (3, 0), ("compressed answer of 127.0.0.1", "damaged")),
)  # fmt: skip
def test_an_answer_that_is_no_token(case: Case, emulator: Emulator, ask: Ask) -> None:
    check(case, emulator, ask, "token")


@each(
    *(
        Case(f"expires in {value!r}", Fault.bad_token(expires_in=value), None, (1, 1))
        for value in (0, -5, 1, 1199.5, "1199", "soon", "", True, 10**400, 1e300, [1], {"a": 1})
    ),
    Case("no expires_in", Fault.bad_token(without=("expires_in",)), None, (1, 1)),
    Case("text/html", Fault.bad_token(content_type="text/html"), None, (1, 1)),
    Case("no token type", Fault.bad_token(without=("token_type",)), None, (1, 1)),
    Case("half a megabyte", Fault.bad_token(padding=500_000), None, (1, 1)),
)
def test_a_token_that_is_odd_and_works(case: Case, emulator: Emulator, ask: Ask) -> None:
    check(case, emulator, ask, "token")


@pytest.mark.parametrize("value", [0, "soon", -1, 10**400])
def test_a_token_without_a_usable_lifetime_is_kept(emulator: Emulator, ask: Ask, value: Any) -> None:
    emulator.fail("token", Fault.bad_token(expires_in=value), times=None)
    for _ in range(3):
        ask()
    assert len(emulator.token_requests) == 1


def test_a_token_that_lives_a_second_serves_half_of_it(emulator: Emulator, ask: Ask) -> None:
    emulator.fail("token", Fault.bad_token(expires_in=1), times=None)
    for count in (1, 2, 3):
        ask()
        assert len(emulator.token_requests) == count
        time.sleep(0.6)


@each(
    Case("close", Fault.close(), litellm.APIConnectionError, (3, 0), BROKE),
    Case("reset", Fault.reset(), litellm.APIConnectionError, (3, 0), (*BROKE, "Connection reset by peer")),
    Case("cut in the body", Fault.cut_after(body_bytes=10), litellm.APIConnectionError, (3, 0), BROKE),
    Case("reset in the body", Fault.reset_after(body_bytes=10), litellm.APIConnectionError, (3, 0), BROKE),
    Case("close once", Fault.close(), None, (2, 1), times=1),
    Case("reset twice", Fault.reset(), None, (3, 1), times=2),
    Case("slow headers", Fault.slow_header(0.05), None, (1, 1)),
)
def test_a_broken_connection(case: Case, emulator: Emulator, ask: Ask) -> None:
    check(case, emulator, ask, "token")


@pytest.mark.parametrize("code", [302, 307])
def test_a_redirect_is_not_followed_with_the_key(emulator: Emulator, ask: Ask, code: int) -> None:
    with Emulator() as elsewhere:
        redirect = Fault.redirect(f"{elsewhere.url}/stackspot/oidc/oauth/token", code)
        words = (f"a redirect ({code})", "it would take the client's secret along", "Check STACKSPOTAI_AUTH_URL")
        check(Case("", redirect, litellm.APIConnectionError, (1, 0), words), emulator, ask, "token")
        assert elsewhere.connections == 0


def test_nobody_listens(emulator: Emulator, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKSPOTAI_AUTH_URL", "http://127.0.0.1:1")
    words = (
        "No connection to 127.0.0.1:1 for the token",
        "Connection refused",
        "Check that the server runs, its port, HTTPS_PROXY and NO_PROXY",
    )
    expect(litellm.APIConnectionError, words, ask)
    assert emulator.requests == []


def test_the_name_is_unknown(emulator: Emulator, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def resolve(host: str | bytes, *more: Any, **named: Any) -> Any:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setenv("STACKSPOTAI_AUTH_URL", "https://idm.nowhere.invalid")
    words = ("No connection to idm.nowhere.invalid for the token", "Name or service not known", "Check the network")
    expect(litellm.APIConnectionError, words, ask)
    assert len(asked) == 3
    assert emulator.requests == []


def test_silence_ends_at_the_tokens_own_limit(emulator: Emulator, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_credentials, "TOKEN_TIMEOUT", 0.1)
    case = Case("", Fault.silent(), litellm.Timeout, (1, 0), ("/oidc/oauth/token gave no token within 0.1 s",))
    check(case, emulator, ask, "token")


def test_silence_ends_at_the_calls_total_limit(emulator: Emulator, ask: Ask) -> None:
    case = Case("", Fault.silent(), litellm.Timeout, (1, 0), ("total", "limit"))
    check(case, emulator, ask, "token", timeout=0.1)


def test_no_connection_within_the_limit(
    emulator: Emulator, ask: Ask, full_house: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "CONNECT_TIMEOUT", 0.05)
    monkeypatch.setenv("STACKSPOTAI_AUTH_URL", full_house)
    expect(litellm.Timeout, ("did not accept a connection for the token within 0.05 s", "Check the network"), ask)
    assert emulator.requests == []


def test_a_refused_credential_is_not_posted_by_every_caller(emulator: Emulator, ask: Ask) -> None:
    emulator.fail("token", Fault.status(401), times=None)
    for _ in range(5):
        expect(litellm.AuthenticationError, (WHO,), ask)
    assert len(emulator.token_requests) == 1
