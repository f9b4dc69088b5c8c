"""Who may come in: every request but those for the gateway's health needs the key, before anything of it is read."""

from __future__ import annotations

import json
import secrets
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from aider_stackspot.gateway.errors import GatewayError, Protocol, invalid
from aider_stackspot.gateway.reply import send_json

MAX_BODY_BYTES = 32 * 1024 * 1024
"""Of a request; Anthropic's limit for one."""
OPEN_PATHS = frozenset({"/health/liveliness", "/health/liveness", "/health/readiness"})


class KeyCheck:
    """Lets the holders of the key in.

    Args:
        app: what is behind it.
        key: the gateway's key.
    """

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._key = key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401."""
        if scope["type"] != "http":
            return
        if scope["path"] in OPEN_PATHS or self._knows_key(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        error = GatewayError(
            401,
            "This is not the gateway's key. Whoever runs the gateway knows where it is: `aider-stackspot serve` says "
            "it at its start.",
            code="invalid_api_key",
            headers={"WWW-Authenticate": "Bearer"},
        )
        await send_json(send, 401, error.body(protocol_of(scope)), error.headers)

    def _knows_key(self, headers: Headers) -> bool:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        given = [token.strip()] if scheme.lower() == "bearer" else []
        given += headers.getlist("x-api-key")
        found = False
        for key in given:
            found |= secrets.compare_digest(key.encode("utf-8", "replace"), self._key)
        return found


def protocol_of(scope: Scope) -> Protocol:
    """Return whose protocol a request speaks."""
    is_messages = scope["path"].startswith("/v1/messages")
    return Protocol.ANTHROPIC if is_messages or "anthropic-version" in Headers(scope=scope) else Protocol.OPENAI


async def body_of(request: Request) -> dict[str, Any]:
    """Return a request's JSON object.

    Raises:
        GatewayError: it is longer than `MAX_BODY_BYTES`, compressed, or no JSON object.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise GatewayError(415, f"`Content-Encoding: {encoding[:40]}` is not read here: send the body as it is.")
    try:
        value = json.loads(await _content(request), parse_constant=_not_json)
    except UnicodeDecodeError:
        raise invalid("The body is not UTF-8.") from None
    except (ValueError, RecursionError):
        raise invalid("The body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise invalid("The body should be a JSON object.")
    return value


async def _content(request: Request) -> bytes:
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length) > MAX_BODY_BYTES:
        raise _too_long()
    pieces, total = [], 0
    try:
        async for piece in request.stream():
            total += len(piece)
            if total > MAX_BODY_BYTES:
                raise _too_long()
            pieces.append(piece)
    except ClientDisconnect:
        raise invalid("The body ended too early.") from None
    return b"".join(pieces)


def _too_long() -> GatewayError:
    limit = MAX_BODY_BYTES // (1024 * 1024)
    return GatewayError(413, f"The body is longer than {limit} MiB.", headers={"Connection": "close"})


def _not_json(name: str) -> float:
    raise ValueError(name)
