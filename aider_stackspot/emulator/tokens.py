"""The token endpoint, ``POST /{realm}/oidc/oauth/token``, and the tokens that it gave out.

Its answers are docs/wire.md, "Token endpoint".
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import threading
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any, Final

from aider_stackspot.emulator.fault import Fault
from aider_stackspot.emulator.recording import RecordedRequest
from aider_stackspot.emulator.responses import Reply, default_error, json_reply, oauth_error

Credential = tuple[str, str]
"""A realm and a client id."""

_MINUTE: Final = 60.0


class TokenIssuer:
    """Issues tokens to clients that prove who they are, recognises the tokens, and counts the calls made with them.

    Args:
        credentials: The client key of each (realm, client id).
        lifetime: Seconds a token is valid.
        rate_limit: Calls a credential may make in any 60 seconds; None for no limit.
    """

    def __init__(self, credentials: Mapping[Credential, str], lifetime: float, rate_limit: int | None) -> None:
        self.lifetime = lifetime
        self.rate_limit = rate_limit
        self._keys = dict(credentials)
        self._tokens: dict[str, tuple[Credential, float]] = {}
        self._calls: defaultdict[Credential, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def knows_realm(self, realm: str) -> bool:
        """Whether any credential belongs to the realm."""
        return any(known == realm for known, _ in self._keys)

    def accepts(self, credential: Credential, key: str) -> bool:
        """Whether ``key`` is the credential's key."""
        expected = self._keys.get(credential)
        return expected is not None and hmac.compare_digest(expected.encode(), key.encode())

    def issue(self, credential: Credential) -> str:
        """A new token, in the shape of a JWT."""
        now = time.time()
        realm, client_id = credential
        claims = {"iss": realm, "clientId": client_id, "iat": int(now), "exp": int(now + self.lifetime)}
        head = _segment({"alg": "RS256", "typ": "JWT"})
        token = f"{head}.{_segment(claims)}.{secrets.token_urlsafe(48)}"
        with self._lock:
            self._tokens[token] = (credential, time.monotonic() + self.lifetime)
        return token

    def holder(self, token: str) -> Credential | None:
        """Whose valid token it is; None for one that is unknown, expired or revoked."""
        with self._lock:
            credential, expiry = self._tokens.get(token, (None, 0.0))
        return credential if time.monotonic() < expiry else None

    def revoke(self) -> None:
        """Refuse every token issued so far."""
        with self._lock:
            self._tokens.clear()

    def rotate(self, credential: Credential, key: str) -> None:
        """Give a credential a new key; the old one is refused, tokens issued for it stay valid."""
        self._keys[credential] = key

    def within_rate(self, credential: Credential) -> bool:
        """Count one call; False when the credential has had its share of the last 60 seconds."""
        if self.rate_limit is None:
            return True
        now = time.monotonic()
        with self._lock:
            calls = self._calls[credential]
            while calls and calls[0] <= now - _MINUTE:
                calls.popleft()
            if len(calls) >= self.rate_limit:
                return False
            calls.append(now)
            return True


def token_reply(issuer: TokenIssuer, request: RecordedRequest, fault: Fault) -> Reply:
    """Answer a request for a token: with one, with the reason why not, or with one that a fault has spoiled."""
    realm, form = request.segments[0], request.form
    if request.method != "POST":
        return oauth_error(405, "HTTP 405 Method Not Allowed")
    if not issuer.knows_realm(realm):
        return default_error(404, "token")
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return oauth_error(400, "invalid_request", "Content-Type is not application/x-www-form-urlencoded")
    if "grant_type" not in form:
        return oauth_error(400, "invalid_request", "Missing form parameter: grant_type")
    if form["grant_type"] != "client_credentials":
        return default_error(400, "token")
    credential = (realm, form.get("client_id", ""))
    if not issuer.accepts(credential, form.get("client_secret", "")):
        return default_error(401, "token")
    lifetime = issuer.lifetime
    body: dict[str, Any] = {
        "access_token": issuer.issue(credential),
        "expires_in": int(lifetime) if lifetime == int(lifetime) else lifetime,
        "refresh_expires_in": 0,
        "token_type": "Bearer",
        "not-before-policy": 0,
        "scope": "profile",
    }
    return _spoiled(body, fault) if fault.spoils_token else json_reply(200, body)


def _spoiled(body: dict[str, Any], fault: Fault) -> Reply:
    changed = {name: value for name, value in {**body, **fault.token}.items() if value is not None}
    content_type, padding = fault.token_reply
    if padding:
        changed["padding"] = "x" * padding
    return Reply(200, json.dumps(changed).encode(), content_type)


def _segment(value: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
