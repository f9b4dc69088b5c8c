"""The client credentials grant of OAuth2 (RFC 6749 section 4.4)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote_plus

import anyio
import httpx
from pydantic import SecretStr

from aider_stackspot.api.error_response import (
    Service,
    code_and_details,
    from_response,
    is_html,
    message_of,
    web_page,
)
from aider_stackspot.config.header_values import api_key
from aider_stackspot.errors import AuthenticationFailed, ConfigurationError, MalformedAnswer, StackSpotError, TimedOut
from aider_stackspot.network.body import read_limited
from aider_stackspot.network.client import retry_after
from aider_stackspot.network.errors import network_error
from aider_stackspot.network.tokens import AccessToken, ClientFor
from aider_stackspot.redact import scrub

TOKEN_TIMEOUT = 30.0
"""Seconds for the whole token request."""
ASSUMED_LIFETIME = 300.0
"""Seconds, where the service does not say; StackSpot's live 1,200 (docs/wire.md, "Token endpoint")."""
MAX_LIFETIME = 24 * 3600.0
MAX_TOKEN_RESPONSE_BYTES = 1024 * 1024
"""Bytes."""

ClientAuthentication = Literal["client_secret_post", "client_secret_basic", "client_secret_basic_as_it_is"]
"""How a client proves who it is, in OpenID Connect's names: in the form, or by HTTP Basic (RFC 6749 section 2.3.1).

The last is HTTP Basic as everywhere else: many servers, such as those on Authlib, take id and secret without the form
encoding that OAuth2 asks for.
"""
EVERY_WAY: tuple[ClientAuthentication, ...] = (
    "client_secret_post",
    "client_secret_basic",
    "client_secret_basic_as_it_is",
)

_OTHER_KINDS = frozenset({"mac", "dpop", "pop"})
"""Types of tokens that prove a key's possession at each request (RFC 6749 section 7.1, RFC 9449). Others that are not
called `bearer` are bearer tokens all the same ("BearerToken", "JWT")."""
_MAX_SHOWN_ID = 12
"""Characters of a client id that are shown whole where there is little room."""


@dataclass(frozen=True)
class ClientCredentials:
    """It exchanges a client's id and secret for tokens.

    Attributes:
        token_url: the token endpoint.
        client_id: whose tokens they are.
        client_secret: proves it.
        issuer: who answers there, in the words of error messages.
        account: what tells this client apart besides its id, for error messages ("realm `acme`").
        scope: what the token shall be good for; empty for what the endpoint gives by itself.
        audience: which API the token shall be for; empty for what the endpoint gives by itself.
        authentications: how the secret may be shown. The next is tried where the endpoint refuses the client for the
            first, and what worked is remembered.
        refused: is called when the endpoint refuses them: whoever keeps the secret may know another one by now.
    """

    token_url: str
    client_id: str
    client_secret: SecretStr
    issuer: Service
    account: str = ""
    scope: str = ""
    audience: str = ""
    authentications: tuple[ClientAuthentication, ...] = ("client_secret_post",)
    refused: Callable[[], None] | None = field(default=None, repr=False, compare=False)
    _worked: list[ClientAuthentication] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def description(self) -> str:
        """Whose credentials these are, for messages."""
        asked = (("scope", self.scope), ("audience", self.audience))
        parts = [self.account, *(f"{name} `{value}`" for name, value in asked if value)]
        return ", ".join([*filter(None, parts), f"client id `{self.client_id}`"])

    @property
    def shown(self) -> str:
        """Whose credentials these are, for messages with more to say: the beginning of a long client id."""
        client_id = self.client_id if len(self.client_id) <= _MAX_SHOWN_ID else f"{self.client_id[:8]}…"
        return ", ".join(filter(None, (self.account, f"client id `{client_id}`")))

    @property
    def identity(self) -> tuple[str, ...]:
        """Tell clients apart. The secret takes part as a digest: a rotated one never gets the old one's token."""
        secret = self.client_secret.get_secret_value().encode("utf-8", "surrogatepass")
        return (self.token_url, self.client_id, hashlib.sha256(secret).hexdigest(), self.scope, self.audience)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not stand in a message."""
        shown = (self._basic(way).partition(" ")[2] for way in EVERY_WAY[1:])
        return (self.client_secret.get_secret_value(), *shown)

    def form(self, authentication: ClientAuthentication = "client_secret_post") -> dict[str, str]:
        """Return the fields of a token request (RFC 6749 section 4.4.2)."""
        fields = {"grant_type": "client_credentials"}
        if authentication == "client_secret_post":
            fields |= {"client_id": self.client_id, "client_secret": self.client_secret.get_secret_value()}
        asked = {"scope": self.scope, "audience": self.audience}
        return fields | {name: value for name, value in asked.items() if value}

    async def new_token(self, client_for: ClientFor) -> AccessToken:
        """Ask for a token with the client for the endpoint; see `mint`."""
        try:
            return await self.mint(client_for(self.token_url))
        except AuthenticationFailed:
            if self.refused is not None:
                self.refused()
            raise

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
                response, body = await self._answer(client)
        except TimeoutError:
            raise TimedOut(f"{self._shown_url} gave no token within {TOKEN_TIMEOUT:g} s.") from None
        except httpx.HTTPError as error:
            raise network_error(error, self.token_url, "the token") from error
        if response.is_success:
            return self._token(response, body)
        raise self._refusal(response, body)

    async def _answer(self, client: httpx.AsyncClient) -> tuple[httpx.Response, str]:
        """Return the endpoint's answer to the first way of showing the secret that it takes, or to the last one."""
        for way in self._ways():
            response, body = await self._post(client, way)
            if not _wants_another_way(response, body):
                self._worked[:] = [way] if response.is_success else self._worked
                break
        return response, body

    async def _post(self, client: httpx.AsyncClient, way: ClientAuthentication) -> tuple[httpx.Response, str]:
        headers = {"Accept": "application/json"}
        if way != "client_secret_post":
            headers["Authorization"] = self._basic(way)
        form = self.form(way)
        async with client.stream("POST", self.token_url, data=form, headers=headers) as response:
            try:
                return response, await read_limited(response, MAX_TOKEN_RESPONSE_BYTES)
            except MalformedAnswer:
                if response.is_success:
                    raise
                return response, ""

    def _ways(self) -> list[ClientAuthentication]:
        """Return how the secret is shown, one after the other: what worked before comes first."""
        encoded, plain = map(self._basic, EVERY_WAY[1:])
        ways = dict.fromkeys((*self._worked, *self.authentications))
        return [way for way in ways if way != "client_secret_basic_as_it_is" or plain != encoded]

    def _basic(self, way: ClientAuthentication) -> str:
        """Return the header of HTTP Basic."""
        pair = [self.client_id, self.client_secret.get_secret_value()]
        raw = [text.encode("utf-8", "surrogatepass") for text in pair]
        if way == "client_secret_basic":
            raw = [quote_plus(text).encode() for text in raw]
        return f"Basic {base64.b64encode(b':'.join(raw)).decode()}"

    @property
    def _shown_url(self) -> str:
        return self.token_url.partition("?")[0]

    def _token(self, response: httpx.Response, body: str) -> AccessToken:
        answer = _json_object(body)
        token = self._usable(answer)
        if token:
            return AccessToken(token, _lifetime(answer.get("expires_in")))
        if answer.get("error"):
            raise self._refusal(response, body)
        if is_html(body):
            raise web_page(f"The token endpoint {self._shown_url}", instead_of="a token")
        content_type = response.headers.get("content-type", "unknown type")
        raise MalformedAnswer(
            f"The token endpoint {self._shown_url} answered with status {response.status_code} and "
            f"with {len(body):,} characters of {content_type} instead of a token. This is most likely "
            "the login page of a proxy in between: check HTTPS_PROXY."
        )

    def _usable(self, answer: Mapping[str, Any]) -> str:
        """Return an answer's token, or an empty text where it has none that a header can carry.

        Raises:
            MalformedAnswer: its token is of a kind that wants more than to be sent.
        """
        try:
            token = api_key(answer.get("access_token", ""), "its token")
        except ConfigurationError:
            return ""
        kind = answer.get("token_type")
        if token and isinstance(kind, str) and kind.casefold() in _OTHER_KINDS:
            raise MalformedAnswer(
                f"The token endpoint {self._shown_url} answered with a token of the type `{kind}`: only bearer tokens "
                "can be used here."
            )
        return token

    def _refusal(self, response: httpx.Response, body: str) -> StackSpotError:
        body = scrub(body, self.secrets)  # the answer may repeat the request
        status, advice = response.status_code, self.issuer.advice.get(response.status_code, "")
        if 300 <= status < 400:
            message = (
                f"The token endpoint {self._shown_url} answered with a redirect ({status}), which is not followed "
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
        said = f"{self.issuer.subject} refused the credentials with status {status} ({self.description})"
        return AuthenticationFailed(message_of(said, details, advice), status=status)


def _wants_another_way(response: httpx.Response, body: str) -> bool:
    """Tell whether an endpoint did not take the client's word in this form (RFC 6749 section 5.2)."""
    if response.status_code not in (400, 401):
        return False
    challenge = response.headers.get("www-authenticate", "").lower().startswith("basic")
    return challenge or _json_object(body).get("error") == "invalid_client"


def _json_object(body: str) -> dict[str, Any]:
    """Return a body that is a JSON object, or an empty one."""
    try:
        answer = json.loads(body.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _lifetime(expires_in: object) -> float:
    """Return seconds; the field is a number, sometimes a string, sometimes absent (docs/wire.md, "Token endpoint")."""
    try:
        seconds = float(expires_in)  # type: ignore[arg-type]  # what is no number is caught
    except (TypeError, ValueError, OverflowError):
        return ASSUMED_LIFETIME
    return min(seconds, MAX_LIFETIME) if seconds > 0 else ASSUMED_LIFETIME
