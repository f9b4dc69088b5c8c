"""How a client shows its secret to a token endpoint, and what else it asks for."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from pydantic import SecretStr

from aider_stackspot.api.error_response import Service
from aider_stackspot.errors import AuthenticationFailed, MalformedAnswer
from aider_stackspot.network.client_credentials import EVERY_WAY, ClientCredentials

URL = "https://login.example/oauth2/token?policy=a"
SECRET = "k+&%=/:ä secret"
ISSUER = Service("the login", {401: "Ask 401."})
REFUSED = {"error": "invalid_client"}
Respond = Callable[[httpx.Request], httpx.Response]


def credentials(**more: Any) -> ClientCredentials:
    return ClientCredentials(URL, "the client", SecretStr(SECRET), ISSUER, authentications=EVERY_WAY, **more)


def minted(client: ClientCredentials, respond: Respond) -> str:
    async def mint() -> str:
        async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as http:
            return (await client.mint(http)).value

    return asyncio.run(mint())


class Endpoint:
    """A token endpoint that takes HTTP Basic, the form, or neither, and says no as told."""

    def __init__(self, takes: str, no: httpx.Response | None = None) -> None:
        self.takes = takes
        self.no = no or httpx.Response(401, json=REFUSED)
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        form = parse_qs(request.content.decode())
        self.asked.append("basic" if "authorization" in request.headers else "form")
        if self.asked[-1] == "basic":
            assert "client_secret" not in form
            assert "client_id" not in form
        return httpx.Response(200, json={"access_token": "abc"}) if self.asked[-1] == self.takes else self.no


def test_the_secret_stands_in_the_form_where_that_is_enough() -> None:
    endpoint, client = Endpoint("form"), credentials()
    assert minted(client, endpoint) == "abc"
    assert endpoint.asked == ["form"]


@pytest.mark.parametrize(
    "no",
    [
        httpx.Response(401, json=REFUSED),
        httpx.Response(400, json=REFUSED),
        httpx.Response(401, text="no", headers={"WWW-Authenticate": 'Basic realm="x"'}),
    ],
    ids=["401", "400", "challenge"],
)
def test_http_basic_is_tried_once_where_the_server_demands_it_and_remembered(no: httpx.Response) -> None:
    endpoint, client = Endpoint("basic", no), credentials()
    assert [minted(client, endpoint) for _ in range(3)] == ["abc"] * 3
    assert endpoint.asked == ["form", "basic", "basic", "basic"]


def test_id_and_secret_are_form_encoded_in_http_basic() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        shown = request.headers.get("authorization")
        if shown is None:
            return httpx.Response(401, json=REFUSED)
        pair = base64.b64decode(shown.removeprefix("Basic ")).decode()
        assert pair == "the+client:k%2B%26%25%3D%2F%3A%C3%A4+secret"
        return httpx.Response(200, json={"access_token": "abc"})

    assert minted(credentials(), respond) == "abc"


def test_a_server_that_does_not_decode_them_gets_them_as_they_are() -> None:
    asked = []

    def respond(request: httpx.Request) -> httpx.Response:
        shown = request.headers.get("authorization", "")
        asked.append(base64.b64decode(shown.removeprefix("Basic ")).decode())
        right = asked[-1] == f"the client:{SECRET}"
        return httpx.Response(200, json={"access_token": "abc"}) if right else httpx.Response(401, json=REFUSED)

    client = credentials()
    assert [minted(client, respond) for _ in range(2)] == ["abc", "abc"]
    assert len(asked) == 4
    plain = replace(client, client_id="plain", client_secret=SecretStr("plain"))
    with pytest.raises(AuthenticationFailed):
        minted(plain, respond)
    assert len(asked) == 6, "nothing is tried twice in the same form"


@pytest.mark.parametrize("status", [400, 401, 403])
def test_another_refusal_is_no_reason_to_show_the_secret_again(status: int) -> None:
    endpoint = Endpoint("basic", httpx.Response(status, json={"error": "invalid_scope"}))
    with pytest.raises(AuthenticationFailed):
        minted(credentials(scope="a b"), endpoint)
    assert endpoint.asked == ["form"]


def test_the_refusal_names_client_scope_and_audience_and_never_the_secret() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        told = request.headers.get("authorization") or request.content.decode()
        return httpx.Response(401, json=REFUSED | {"error_description": told})

    with pytest.raises(AuthenticationFailed) as caught:
        minted(credentials(scope="chat", audience="https://api.example"), respond)
    text = str(caught.value)
    for told in ("client id `the client`", "scope `chat`", "audience `https://api.example`", "status 401", "Ask 401."):
        assert told in text
    for secret in credentials().secrets:
        assert secret not in text


def test_scope_and_audience_are_asked_for_and_tell_tokens_apart() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        form = parse_qs(request.content.decode())
        assert (form["scope"], form["audience"]) == (["chat models"], ["api"])
        assert str(request.url) == URL
        return httpx.Response(200, json={"access_token": "abc"})

    client = credentials(scope="chat models", audience="api")
    assert minted(client, respond) == "abc"
    assert len({one.identity for one in (client, credentials(), credentials(scope="chat models"))}) == 3


@pytest.mark.parametrize(
    ("answer", "token"),
    [
        (b'\xef\xbb\xbf{"access_token": "abc"}', "abc"),
        (b'{"access_token": "Bearer abc", "token_type": "bearer"}', "abc"),
        (b'{"access_token": "abc", "token_type": "BearerToken", "expires_in": "soon"}', "abc"),
        (b'{"access_token": "abc", "error": null, "expires_in": -1}', "abc"),
    ],
)
def test_odd_answers_with_a_token(answer: bytes, token: str) -> None:
    assert minted(credentials(), lambda _: httpx.Response(200, content=answer)) == token


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b'{"access_token": "abc", "token_type": "DPoP"}', "a token of the type `DPoP`: only bearer tokens"),
        (b'{"access_token": "abc", "token_type": "mac"}', "a token of the type `mac`: only bearer tokens"),
        (b'{"access_token": "abc\\u0000"}', "instead of a token"),
        (b'{"access_token": "abc two"}', "instead of a token"),
        (b'{"access_token": {"value": "abc"}}', "instead of a token"),
        (b"access_token=abc&token_type=bearer", "34 characters of unknown type instead of a token"),
    ],
)
def test_an_answer_without_a_usable_token_says_what_is_wrong_and_not_what_it_was(answer: bytes, words: str) -> None:
    with pytest.raises(MalformedAnswer) as caught:
        minted(credentials(), lambda _: httpx.Response(200, content=answer))
    assert words in str(caught.value)
    assert "abc" not in str(caught.value)
