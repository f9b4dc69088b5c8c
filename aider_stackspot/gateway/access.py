"""Who may come in: every request but those for the gateway's health needs the key, before anything of it is read.

The key comes from the environment, or is made once and kept where only its owner can read it.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from aider_stackspot.config.base_url import is_loopback
from aider_stackspot.config.environment import GATEWAY_KEY, Environment
from aider_stackspot.errors import ConfigurationError
from aider_stackspot.files import create_exclusively, private_directory, read_bounded
from aider_stackspot.gateway.errors import GatewayError, Protocol, invalid
from aider_stackspot.gateway.reply import send_json

LOCATION = Path(".aider") / "aider-stackspot" / "gateway.key"
"""Below the home directory."""
_MAX_KEY_BYTES = 4096
MIN_KEY_CHARACTERS = 16
"""Characters of a key that somebody chose."""
_CHOOSE_ONE = f"Set {GATEWAY_KEY} to a long random text that begins with sk-, and nothing is written."


@dataclass(frozen=True)
class GatewayKey:
    """A key, and where it came from.

    Attributes:
        text: the key.
        source: the variable's name or the file's path.
        is_new: it was made just now.
    """

    text: str = field(repr=False)
    source: str
    is_new: bool = False


def chosen_key() -> str:
    """Return the key that the user, not a project's file, put into the environment; empty where there is none."""
    value = Environment().chosen(GATEWAY_KEY)
    return value.text.strip() if value is not None else ""


def gateway_key(chosen: str, home: Path | None, host: str) -> GatewayKey:
    """Return the key, and make one where there is none.

    A first key is only made for a gateway on the loopback address: elsewhere it would be reachable before anybody has
    seen its key, and the key would stand in a container's log.

    Args:
        chosen: the key that the environment names; empty where it names none.
        home: the user's home directory, where there is one.
        host: the address to listen on.

    Raises:
        ConfigurationError: there is no key for a gateway that others can reach, it is too short, or its file is
            readable by others or not at all.
    """
    if chosen:
        if len(chosen) < MIN_KEY_CHARACTERS:
            raise ConfigurationError(
                f"{GATEWAY_KEY} is shorter than {MIN_KEY_CHARACTERS} characters: choose a longer key."
            )
        return GatewayKey(chosen, GATEWAY_KEY)
    if home is None:
        raise ConfigurationError(f"There is no home directory to keep the gateway's key in. {_CHOOSE_ONE}")
    path = home / LOCATION
    kept = _read(path)
    if kept is not None:
        return GatewayKey(kept, str(path))
    if not is_loopback(host):
        raise ConfigurationError(
            f"Refusing to listen on {host} without a key: others can reach that address. Set {GATEWAY_KEY} to "
            "a long random text that begins with sk-, or start the gateway once on 127.0.0.1, which makes a key."
        )
    return _make(path)


def _read(path: Path) -> str | None:
    """Return the key that is kept, or `None` where there is no file. A link is followed nowhere."""
    try:
        content = read_bounded(path, _MAX_KEY_BYTES, private=True)
        if content is None:
            return None
        text = content.decode("utf-8").strip()
        others = os.name == "posix" and stat.S_IMODE(path.lstat().st_mode) & 0o077
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(f"The gateway's key in {path} cannot be read: {why}.") from None
    if others:
        raise ConfigurationError(f"The gateway's key in {path} can be read by others. Run: chmod 600 {path}")
    if len(text) < MIN_KEY_CHARACTERS:
        raise ConfigurationError(f"There is no usable key in {path}: delete the file, and a new key is made.")
    return text


def _make(path: Path) -> GatewayKey:
    """Make a key, unless another start has just done so: it appears whole, and the first one stays."""
    key = f"sk-{secrets.token_urlsafe(32)}"
    try:
        private_directory(path.parent)
        create_exclusively(path, f"{key}\n")
    except FileExistsError:
        kept = _read(path)
        if kept is None:
            raise ConfigurationError(f"The gateway's key in {path} was there, and went away again.") from None
        return GatewayKey(kept, str(path))
    except OSError as error:
        raise ConfigurationError(
            f"The gateway's key cannot be kept in {path}: {error.strerror}. {_CHOOSE_ONE}"
        ) from None
    return GatewayKey(key, str(path), is_new=True)


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
