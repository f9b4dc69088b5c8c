"""OAuth2 client credentials (RFC 6749 section 4.4), in three layers.

`ClientCredentials` mints a token; minting again is the renewal. `TokenCache` decides when, and that it happens once
however many ask. `BearerAuth` puts the token on a request, and repeats it once after a 401. Nothing else knows tokens.
All of it runs on the background loop.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import anyio
import httpx
from pydantic import SecretStr

from aider_stackspot.api.error_response import Service, code_and_details, from_response, is_html, web_page
from aider_stackspot.errors import AuthenticationFailed, MalformedAnswer, StackSpotError, TimedOut
from aider_stackspot.network.body import read_limited
from aider_stackspot.network.client import retry_after
from aider_stackspot.network.errors import network_error
from aider_stackspot.redact import scrub

log = logging.getLogger(__name__)

RENEWAL_MARGIN = 60.0
"""Seconds before expiry at which a new token is asked for; half the lifetime where that is less."""
MIN_LIFE_LEFT = 5.0
"""Seconds that a token must still live to be served without asking for the next: a request needs time to arrive."""
PAUSE_AFTER_FAILURE = 5.0
"""Seconds in which a refused credential is not posted again, and a failed early renewal not repeated."""
UNSEEN_REFUSAL_KEPT = 60.0
"""Seconds in which a refusal that nobody was told of yet answers the first call, without another request."""
TOKEN_TIMEOUT = 30.0
"""Seconds for the whole token request."""
ASSUMED_LIFETIME = 300.0
"""Seconds, where the service does not say; the real ones live 1,200 (docs/wire.md, "Token endpoint")."""
MAX_LIFETIME = 24 * 3600.0
MAX_TOKEN_RESPONSE_BYTES = 1024 * 1024
"""Bytes."""


@dataclass(frozen=True)
class AccessToken:
    """A bearer token, and how many seconds it lives. Its `repr` shows the last four characters only."""

    value: str
    lifetime: float

    def __repr__(self) -> str:
        shown = self.value[-4:] if len(self.value) > 16 else ""
        return f"AccessToken(…{shown}, lifetime={self.lifetime:.0f})"


@dataclass(frozen=True)
class ClientCredentials:
    """The client credentials grant: it exchanges a client's id and secret for tokens.

    Attributes:
        token_url: the token endpoint.
        client_id: whose tokens they are.
        client_secret: proves it.
        issuer: who answers there, in the words of error messages.
        account: what tells this client apart besides its id, for error messages ("realm `acme`").
    """

    token_url: str
    client_id: str
    client_secret: SecretStr
    issuer: Service
    account: str = ""

    @property
    def description(self) -> str:
        """Whose credentials these are, for messages."""
        return f"{self.account}{', ' if self.account else ''}client id `{self.client_id}`"

    @property
    def identity(self) -> tuple[str, ...]:
        """Tell clients apart. The secret takes part as a digest: a rotated one never gets the old one's token."""
        secret = self.client_secret.get_secret_value().encode("utf-8", "surrogatepass")
        return (self.token_url, self.client_id, hashlib.sha256(secret).hexdigest())

    def form(self) -> dict[str, str]:
        """Return the fields of a token request (RFC 6749 section 4.4.2)."""
        return {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret.get_secret_value(),
        }

    async def mint(self, client: httpx.AsyncClient) -> AccessToken:
        """Ask for a token.

        Raises:
            AuthenticationFailed: the endpoint refused the credentials; names the client, never its secret.
            StatusError: it answered with another error.
            MalformedAnswer: it answered 200, and no token.
            TransportError: it could not be reached, or not within `TOKEN_TIMEOUT`.
        """
        try:
            with anyio.fail_after(TOKEN_TIMEOUT):
                response, body = await self._post(client)
        except TimeoutError:
            raise TimedOut(f"{self.token_url} gave no token within {TOKEN_TIMEOUT:g} s.") from None
        except httpx.HTTPError as error:
            raise network_error(error, self.token_url, "the token") from error
        if response.is_success:
            return self._token(response, body)
        raise self._refusal(response, body)

    async def _post(self, client: httpx.AsyncClient) -> tuple[httpx.Response, str]:
        headers = {"Accept": "application/json"}
        async with client.stream("POST", self.token_url, data=self.form(), headers=headers) as response:
            try:
                return response, await read_limited(response, MAX_TOKEN_RESPONSE_BYTES)
            except MalformedAnswer:
                if response.is_success:
                    raise
                return response, ""

    def _token(self, response: httpx.Response, body: str) -> AccessToken:
        answer = _json_object(body)
        value = answer.get("access_token")
        if isinstance(value, str) and value.isascii() and value.isprintable() and value.strip():
            return AccessToken(value.strip(), _lifetime(answer.get("expires_in")))
        if answer.get("error"):
            raise self._refusal(response, body)
        if is_html(body):
            raise web_page(f"The token endpoint {self.token_url}", instead_of="a token")
        content_type = response.headers.get("content-type", "unknown type")
        raise MalformedAnswer(
            f"The token endpoint {self.token_url} answered with status {response.status_code}, but with {len(body):,} "
            f"characters of {content_type} instead of a token. This is most likely the login page of a proxy in "
            "between: check HTTPS_PROXY, and that the host may be reached."
        )

    def _refusal(self, response: httpx.Response, body: str) -> StackSpotError:
        # The answer may repeat the request.
        body = scrub(body, [self.client_secret.get_secret_value()])
        status, advice = response.status_code, self.issuer.advice.get(response.status_code, "")
        if 300 <= status < 400:
            message = (
                f"The token endpoint {self.token_url} answered with a redirect ({status}), which is not followed "
                "because it would take the client's secret along."
            )
            return MalformedAnswer(f"{message} {advice}".rstrip())
        if status in (408, 429) or status >= 500:
            return from_response(
                status,
                body,
                service=self.issuer,
                where=f"the token request ({self.description})",
                retry_after=retry_after(response.headers),
            )
        _, details = code_and_details(body)
        message = (
            f"{self.issuer.subject} refused the credentials with status {status} ({self.description})"
            f"{': ' if details else ''}{details}."
        )
        return AuthenticationFailed(f"{message} {advice}".rstrip(), status=status)


def _json_object(body: str) -> dict[str, Any]:
    """Return a body that is a JSON object, or an empty one."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _lifetime(expires_in: object) -> float:
    """Return seconds; the field is a number, sometimes a string, sometimes absent (docs/wire.md, "Token endpoint")."""
    try:
        seconds = float(expires_in)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return ASSUMED_LIFETIME
    return min(seconds, MAX_LIFETIME) if seconds > 0 else ASSUMED_LIFETIME


class TokenCache:
    """Keeps one token, renews it ahead of its end, and asks once however many are waiting.

    A token that nears its end is renewed in the background and served meanwhile, unless it could be dead by the time
    it is used. A failure of that is tolerated as long as the old token lives.

    Args:
        mint: asks for a token.
        clock: monotonic seconds.
    """

    def __init__(self, mint: Callable[[], Awaitable[AccessToken]], clock: Callable[[], float] = time.monotonic) -> None:
        self._mint = mint
        self._clock = clock
        self._token: AccessToken | None = None
        self._renew_at = 0.0
        self._expires_at = 0.0
        self._renewal: asyncio.Task[AccessToken] | None = None
        self._refusal: tuple[float, AuthenticationFailed] | None = None
        self._unseen: tuple[float, AuthenticationFailed] | None = None
        self._told: AuthenticationFailed | None = None
        self.known: deque[str] = deque(maxlen=8)
        """The last tokens, for those who must keep them out of a text."""

    async def get(self) -> AccessToken:
        """Return a token that is valid now.

        Raises:
            StackSpotError: there is none, and none could be had.
        """
        now = self._clock()
        if self._token is not None and now < self._expires_at:
            return await self._living(self._token, now)
        unseen, self._unseen = self._unseen, None
        if unseen is not None and now < unseen[0] + UNSEEN_REFUSAL_KEPT:
            self._refusal = (now, unseen[1])
            raise unseen[1].with_traceback(None)
        if self._refusal is not None and now < self._refusal[0] + PAUSE_AFTER_FAILURE:
            raise self._refusal[1].with_traceback(None)
        try:
            return await asyncio.shield(self._renewal or self._start_renewal())
        except AuthenticationFailed as error:
            self._told, self._unseen = error, None
            raise

    async def _living(self, token: AccessToken, now: float) -> AccessToken:
        """Return a token that lives, or the next one if it is close to its end."""
        if now < self._renew_at:
            return token
        if self._renewal is None:
            self._start_renewal().add_done_callback(self._tolerate)
        assert self._renewal is not None
        if now < self._expires_at - MIN_LIFE_LEFT:
            return token
        try:
            return await asyncio.shield(self._renewal)
        except StackSpotError:
            if self._clock() < self._expires_at:
                return token
            raise

    async def prepare(self) -> None:
        """Have a token ready before anybody needs it; a refusal is kept for the first who does.

        Raises:
            StackSpotError: there is none.
        """
        has_token = self._token is not None and self._clock() < self._expires_at
        if has_token or self._refusal is not None:
            return
        renewal = self._renewal or self._start_renewal()
        try:
            await asyncio.shield(renewal)
        except AuthenticationFailed as error:
            if self._told is not error:  # a call that waited for the same answer has said it
                self._unseen = (self._clock(), error)
            raise

    def invalidate(self, token: AccessToken) -> None:
        """Forget a token that the API refused, unless it was replaced already."""
        if self._token is token:
            self._token = None

    def _start_renewal(self) -> asyncio.Task[AccessToken]:
        self._renewal = asyncio.create_task(self._renew())
        # A failure is raised to those who wait; where nobody does any more, it is no news either.
        self._renewal.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._renewal

    async def _renew(self) -> AccessToken:
        asked = self._clock()  # the endpoint counts from some moment between question and answer
        try:
            token = await self._mint()
        except AuthenticationFailed as error:
            self._refusal = (self._clock(), error)
            raise
        finally:
            self._renewal = None
        self._token, self._refusal = token, None
        self.known.append(token.value)
        self._expires_at = asked + token.lifetime
        self._renew_at = self._expires_at - max(MIN_LIFE_LEFT, min(RENEWAL_MARGIN, token.lifetime / 2))
        return token

    def _tolerate(self, renewal: asyncio.Task[AccessToken]) -> None:
        if not renewal.cancelled() and renewal.exception() is not None:
            log.warning("the token could not be renewed ahead of time: %s", renewal.exception())
            self._renew_at = min(self._clock() + PAUSE_AFTER_FAILURE, self._expires_at)


class BearerAuth(httpx.Auth):
    """Puts the token on a request; after a 401 forgets that token and repeats the request once.

    Args:
        tokens: where tokens come from.
        deadline: the monotonic second at which the caller's time is spent.
    """

    def __init__(self, tokens: TokenCache, deadline: float) -> None:
        self._tokens = tokens
        self._deadline = deadline

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Run the flow; see `httpx.Auth`."""
        token = await self._put_token_on(request)
        response = yield request
        if response.status_code == 401:
            self._tokens.invalidate(token)
            await self._put_token_on(request)
            yield request

    async def _put_token_on(self, request: httpx.Request) -> AccessToken:
        try:
            # Not asyncio.wait_for: before Python 3.12 it loses a cancellation that comes together with the token.
            with anyio.fail_after(max(0.0, self._deadline - time.monotonic())):
                token = await self._tokens.get()
        except TimeoutError:
            raise TimedOut("No token within the call's total time limit.") from None
        request.headers["Authorization"] = f"Bearer {token.value}"
        return token
