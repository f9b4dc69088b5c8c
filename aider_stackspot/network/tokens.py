"""Bearer tokens, in three layers.

`Credentials` mint a token (`client_credentials` over OAuth2, `key_command` by a program); minting again is the
renewal. `TokenCache` decides when, and that it happens once however many ask. `BearerAuth` puts the token on a request,
and repeats it once after a 401. Nothing else knows tokens. All of it runs on the background loop.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import anyio
import httpx

from aider_stackspot.errors import AuthenticationFailed, StackSpotError, TimedOut

log = logging.getLogger(__name__)

RENEWAL_MARGIN = 60.0
"""Seconds before expiry at which a new token is asked for; half the lifetime where that is less."""
MIN_LIFE_LEFT = 5.0
"""Seconds that a token must still live to be served without asking for the next: a request needs time to arrive. Half
the lifetime where that is less."""
PAUSE_AFTER_FAILURE = 5.0
"""Seconds in which a refused credential is not posted again, and a failed early renewal not repeated."""
UNSEEN_REFUSAL_KEPT = 60.0
"""Seconds in which a refusal that nobody was told of yet answers the first call, without another request."""


@dataclass(frozen=True)
class AccessToken:
    """A bearer token, and how many seconds it lives. Its `repr` shows the last four characters only."""

    value: str
    lifetime: float

    def __repr__(self) -> str:
        shown = self.value[-4:] if len(self.value) > 16 else ""
        return f"AccessToken(…{shown}, lifetime={self.lifetime:.0f})"


class Credentials(Protocol):
    """What tokens are got with: they tell who somebody is, and can ask for a token."""

    @property
    def identity(self) -> tuple[str, ...]:
        """Tell them apart; a secret takes part as a digest."""
        ...

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not stand in a message."""
        ...

    async def new_token(self, client_for: ClientFor) -> AccessToken:
        """Ask for a token.

        Args:
            client_for: returns the client for a URL.

        Raises:
            StackSpotError: there is none.
        """
        ...


ClientFor = Callable[[str], httpx.AsyncClient]


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
        self._served_until = 0.0
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
        if now < self._served_until:
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
        self._renew_at = self._expires_at - min(RENEWAL_MARGIN, token.lifetime / 2)
        self._served_until = self._expires_at - min(MIN_LIFE_LEFT, token.lifetime / 2)
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
