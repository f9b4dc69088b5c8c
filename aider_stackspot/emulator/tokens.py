"""Credentials, the tokens issued for them, and how often each may ask."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import threading
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Final

Credential = tuple[str, str]
"""A realm and a client id."""

_MINUTE: Final = 60.0


class TokenDesk:
    """Issues tokens and recognises them.

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


def _segment(value: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
