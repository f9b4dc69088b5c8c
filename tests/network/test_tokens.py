"""When a token is minted, kept, renewed and given up. The clock is the test's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from aider_stackspot.api.error_response import Service
from aider_stackspot.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    MalformedAnswer,
    RateLimited,
    RequestTimedOut,
    ServerFailed,
)
from aider_stackspot.network import tokens
from aider_stackspot.network.client_credentials import ASSUMED_LIFETIME, MAX_LIFETIME, ClientCredentials
from aider_stackspot.network.tokens import AccessToken, BearerAuth, TokenCache


class Clock:
    """Monotonic seconds that pass when told."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Mint:
    """Mints numbered tokens, or fails as told."""

    def __init__(self, lifetime: float = 1200) -> None:
        self.lifetime = lifetime
        self.count = 0
        self.fails_with: Exception | None = None

    async def __call__(self) -> AccessToken:
        self.count += 1
        await asyncio.sleep(0)
        if self.fails_with is not None:
            raise self.fails_with
        return AccessToken(f"token-{self.count}", self.lifetime)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


async def settle() -> None:
    """Let a renewal in the background come to its end."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_token_serves_until_a_minute_before_its_end() -> None:
    async def scenario() -> None:
        clock, mint = Clock(), Mint(lifetime=1200)
        cache = TokenCache(mint, clock)
        assert (await cache.get()).value == "token-1"
        clock.now += 1139
        assert (await cache.get()).value == "token-1"
        assert mint.count == 1
        clock.now += 2
        assert (await cache.get()).value == "token-1", "the old one serves while the new one is fetched"
        await settle()
        assert (await cache.get()).value == "token-2"
        assert mint.count == 2

    run(scenario())


def test_a_short_lived_token_serves_for_half_its_life() -> None:
    async def scenario() -> None:
        clock, mint = Clock(), Mint(lifetime=10)
        cache = TokenCache(mint, clock)
        await cache.get()
        clock.now += 4.9
        await cache.get()
        assert mint.count == 1
        clock.now += 0.2
        await cache.get()
        await settle()
        assert mint.count == 2

    run(scenario())


@pytest.mark.parametrize("lifetime", [0.5, 1, 2, 4.9])
@pytest.mark.parametrize("share", [0, 0.1, 0.49, 0.51, 0.99, 1.5])
def test_a_token_of_seconds_is_shared_for_half_its_life_and_never_served_after_it(
    lifetime: float, share: float
) -> None:
    async def scenario() -> None:
        clock, mint = Clock(), Mint(lifetime)
        cache = TokenCache(mint, clock)
        assert (await cache.get()).value == "token-1"
        clock.now += lifetime * share
        expected = "token-1" if share < 0.5 else "token-2"
        assert {token.value for token in await asyncio.gather(*(cache.get() for _ in range(9)))} == {expected}
        assert mint.count == int(expected[-1])

    run(scenario())


def test_a_token_close_to_its_end_is_served_only_if_there_is_no_other() -> None:
    async def scenario() -> None:
        clock, mint = Clock(), Mint(lifetime=1200)
        cache = TokenCache(mint, clock)
        await cache.get()
        clock.now += 1200 - tokens.MIN_LIFE_LEFT + 1
        mint.fails_with = AuthenticationFailed("no", status=401)
        assert (await cache.get()).value == "token-1"
        assert mint.count == 2
        clock.now += 1
        assert (await cache.get()).value == "token-1", "not asked again at once"
        assert mint.count == 2
        clock.now += tokens.MIN_LIFE_LEFT
        with pytest.raises(AuthenticationFailed):
            await cache.get()

    run(scenario())


def test_a_token_that_dies_while_the_next_is_refused_is_not_served() -> None:
    async def scenario() -> None:
        clock, mint = Clock(), Mint(lifetime=1)
        cache = TokenCache(mint, clock)
        await cache.get()
        clock.now += 0.6

        async def fail_late() -> AccessToken:
            clock.now += 2
            raise ConnectionFailed("away")

        cache._mint = fail_late
        with pytest.raises(ConnectionFailed):
            await cache.get()

    run(scenario())


def test_a_token_grows_old_on_its_way() -> None:
    async def scenario() -> None:
        clock, mint = Clock(), Mint(lifetime=100)

        async def slowly() -> AccessToken:
            token = await mint()
            clock.now += 30
            return token

        cache = TokenCache(slowly, clock)
        assert (await cache.get()).value == "token-1"
        clock.now += 69.9
        assert (await cache.get()).value == "token-2", "the endpoint may have counted from the question"

    run(scenario())


def test_an_expired_token_is_never_served() -> None:
    async def scenario() -> None:
        clock, mint = Clock(), Mint(lifetime=1200)
        cache = TokenCache(mint, clock)
        await cache.get()
        clock.now += 1201
        assert (await cache.get()).value == "token-2"

    run(scenario())


def test_a_failed_early_renewal_is_tolerated_while_the_old_token_lives() -> None:
    async def scenario() -> None:
        clock, mint = Clock(), Mint(lifetime=1200)
        cache = TokenCache(mint, clock)
        await cache.get()
        clock.now += 1150
        mint.fails_with = ConnectionFailed("away")
        await cache.get()
        await settle()
        assert (await cache.get()).value == "token-1"
        assert mint.count == 2, "not asked again at once"
        clock.now += tokens.PAUSE_AFTER_FAILURE + 1
        await cache.get()
        await settle()
        assert mint.count == 3
        clock.now += 60
        with pytest.raises(ConnectionFailed):
            await cache.get()

    run(scenario())


def test_many_who_ask_at_once_share_one_request() -> None:
    async def scenario() -> None:
        mint = Mint()
        cache = TokenCache(mint, Clock())
        tokens = await asyncio.gather(*(cache.get() for _ in range(50)))
        assert {token.value for token in tokens} == {"token-1"}
        assert mint.count == 1

    run(scenario())


def test_one_who_gives_up_does_not_spoil_it_for_the_others() -> None:
    async def scenario() -> None:
        mint = Mint()
        cache = TokenCache(mint, Clock())
        impatient = asyncio.create_task(cache.get())
        patient = asyncio.create_task(cache.get())
        await asyncio.sleep(0)
        impatient.cancel()
        assert (await patient).value == "token-1"

    run(scenario())


def test_a_refused_credential_is_not_posted_again_for_a_moment() -> None:
    async def scenario() -> None:
        clock, mint = Clock(), Mint()
        mint.fails_with = AuthenticationFailed("no", status=401)
        cache = TokenCache(mint, clock)
        for _ in range(3):
            with pytest.raises(AuthenticationFailed):
                await cache.get()
        assert mint.count == 1
        clock.now += tokens.PAUSE_AFTER_FAILURE + 0.1
        mint.fails_with = None
        assert (await cache.get()).value == "token-2"

    run(scenario())


@pytest.mark.parametrize("together", [False, True])
def test_a_refusal_ahead_of_time_answers_exactly_one_call(together: bool) -> None:
    async def scenario() -> None:
        clock, mint = Clock(), Mint()
        mint.fails_with = AuthenticationFailed("no", status=401)
        cache = TokenCache(mint, clock)
        ahead = asyncio.create_task(cache.prepare())
        await asyncio.sleep(0)
        if not together:
            await asyncio.wait([ahead])
            clock.now += tokens.PAUSE_AFTER_FAILURE + 1
        with pytest.raises(AuthenticationFailed):
            await cache.get()
        await asyncio.wait([ahead])
        assert isinstance(ahead.exception(), AuthenticationFailed)
        assert mint.count == 1
        clock.now += tokens.PAUSE_AFTER_FAILURE + 1
        with pytest.raises(AuthenticationFailed):
            await cache.get()
        assert mint.count == 2

    asyncio.run(scenario())


def test_a_refused_token_is_forgotten_only_if_it_is_still_the_current_one() -> None:
    async def scenario() -> None:
        mint = Mint()
        cache = TokenCache(mint, Clock())
        first = await cache.get()
        cache.invalidate(first)
        second = await cache.get()
        cache.invalidate(first)
        assert await cache.get() is second

    run(scenario())


def test_a_token_does_not_show_itself() -> None:
    token = AccessToken("eyJhbGciOiJIUzI1NiIsInR5cCI6", 1200)
    assert repr(token) == "AccessToken(…pCI6, lifetime=1200)".replace("pCI6", token.value[-4:])
    assert "eyJh" not in f"{token} {token!r}"


URL = "https://login.example/ours/token?a=b"
ISSUER = Service("the company's login", {302: "Ask 302.", 401: "Ask 401.", 404: "Ask 404.", 429: "Ask 429."})


def answered_by(
    respond: Callable[[httpx.Request], httpx.Response],
) -> Callable[[], Awaitable[AccessToken]]:
    """A mint whose token endpoint is a function."""
    credentials = ClientCredentials(URL, "the-client", SecretStr("k+&%=/ä"), ISSUER, account="tenant `ours`")
    client = httpx.AsyncClient(transport=httpx.MockTransport(respond))
    return lambda: credentials.mint(client)


def test_the_request_is_a_form_that_keeps_every_character_of_the_secret() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == URL
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        assert "authorization" not in request.headers
        body = request.content.decode()
        assert body == ("grant_type=client_credentials&client_id=the-client&client_secret=k%2B%26%25%3D%2F%C3%A4")
        return httpx.Response(200, json={"access_token": "abc", "expires_in": 1199})

    async def scenario() -> None:
        assert await answered_by(respond)() == AccessToken("abc", 1199)

    run(scenario())


@pytest.mark.parametrize(
    ("expires_in", "lifetime"),
    [
        (1199, 1199),
        ("1199", 1199),
        (None, ASSUMED_LIFETIME),
        (0, ASSUMED_LIFETIME),
        (-5, ASSUMED_LIFETIME),
        ("soon", ASSUMED_LIFETIME),
        ([], ASSUMED_LIFETIME),
        (float("1e300"), MAX_LIFETIME),
    ],
)
def test_every_spelling_of_the_lifetime(expires_in: object, lifetime: float) -> None:
    async def scenario() -> None:
        body = json.dumps({"access_token": "abc", "expires_in": expires_in})
        token = await answered_by(lambda _: httpx.Response(200, text=body))()
        assert token.lifetime == lifetime

    run(scenario())


@pytest.mark.parametrize(
    "body", ["<html>Sign in</html>", "", "[]", '{"token": 1}', '{"access_token": ""}', '{"access_token": "a\\nb"}']
)
def test_a_good_status_without_a_token_is_a_proxys_doing(body: str) -> None:
    async def scenario() -> None:
        with pytest.raises(MalformedAnswer, match=r"instead of a token.*login page of a proxy"):
            await answered_by(lambda _: httpx.Response(200, text=body))()

    run(scenario())


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (
            400,
            '{"error": "invalid_client"}',
            "with status 400 (tenant `ours`, client id `the-client`): invalid_client.",
        ),
        (401, '{"error_description": "No k+&%=/ä."}', "with status 401 (tenant `ours`, client id `the-client`): No"),
        (403, "", "with status 403 (tenant `ours`, client id `the-client`)."),
        (404, "<html>", "with status 404 (tenant `ours`, client id `the-client`): the answer is a web page"),
        (418, "teapot", "with status 418 (tenant `ours`, client id `the-client`): teapot."),
        (200, '{"error": "invalid_grant", "error_description": "Expired."}', "with status 200 (tenant `ours`, client"),
        (200, '{"error": {"message": "No k+&%=/ä."}, "access_token": null}', "with status 200 (tenant `ours`, client"),
        (201, '{"error": "invalid_client", "access_token": ""}', "with status 201 (tenant `ours`, client id"),
    ],
)
def test_a_refusal_names_the_client_but_not_the_secret(status: int, body: str, words: str) -> None:
    async def scenario() -> None:
        with pytest.raises(AuthenticationFailed) as caught:
            await answered_by(lambda _: httpx.Response(status, text=body))()
        text = str(caught.value)
        assert text.startswith(f"The company's login refused the credentials {words}")
        assert caught.value.status == status
        assert "k+&" not in text + repr(caught.value)
        assert text.endswith(ISSUER.advice.get(status, "")), "what the issuer's users can do is said by the issuer"
        assert "STACKSPOT" not in text.upper()

    run(scenario())


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (302, MalformedAnswer, "is not followed because it would take the client's secret along. Ask 302."),
        (307, MalformedAnswer, "is not followed because it would take the client's secret along."),
        (408, RequestTimedOut, "answered 408 for the token request (tenant `ours`, client id `the-client`)"),
        (429, RateLimited, "Ask 429."),
        (500, ServerFailed, "The company's login answered 500 for the token request (tenant `ours`, client id"),
        (503, ServerFailed, "The company's login answered 503 for the token request (tenant `ours`, client id"),
    ],
)
def test_another_failure_is_no_refusal_of_the_credentials(status: int, kind: type[Exception], words: str) -> None:
    async def scenario() -> None:
        with pytest.raises(kind) as caught:
            await answered_by(lambda _: httpx.Response(status, text="k+&%=/ä"))()
        assert words in str(caught.value)
        assert "k+&" not in str(caught.value)
        assert "STACKSPOT" not in str(caught.value).upper()

    run(scenario())


def test_clients_are_told_apart_by_all_that_they_are() -> None:
    one = ClientCredentials(URL, "the-client", SecretStr("secret"), ISSUER)
    others = [
        replace(one, token_url=URL + "c"),
        replace(one, client_id="another"),
        replace(one, client_secret=SecretStr("rotated")),
        replace(one, client_secret=SecretStr("lone \ud800")),
    ]
    assert len({each.identity for each in (one, *others)}) == 5
    assert replace(one, account="under another name").identity == one.identity
    assert "secret" not in repr(one.identity) + repr(one).replace("client_secret", "")


def drive(cache: TokenCache, *statuses: int) -> list[str]:
    """Let a server answer with these statuses; return the tokens it saw."""
    seen: list[str] = []

    async def scenario() -> None:
        def respond(request: httpx.Request) -> httpx.Response:
            seen.append(request.headers["authorization"])
            return httpx.Response(statuses[len(seen) - 1])

        async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as client:
            response = await client.get("https://api.example", auth=BearerAuth(cache, deadline=float("inf")))
        assert response.status_code == statuses[-1]

    run(scenario())
    return seen


def test_a_request_is_repeated_once_with_a_new_token_after_a_401() -> None:
    assert drive(TokenCache(Mint(), Clock()), 401, 200) == ["Bearer token-1", "Bearer token-2"]


def test_it_is_not_repeated_twice() -> None:
    assert drive(TokenCache(Mint(), Clock()), 401, 401) == ["Bearer token-1", "Bearer token-2"]


def test_another_status_is_not_repeated() -> None:
    assert drive(TokenCache(Mint(), Clock()), 403) == ["Bearer token-1"]
