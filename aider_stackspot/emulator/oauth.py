"""The token endpoint: ``POST /{realm}/oidc/oauth/token`` (docs/wire.md, "Token endpoint")."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aider_stackspot.emulator.bodies import Reply, oauth_error, reply
from aider_stackspot.emulator.exchange import Exchange

if TYPE_CHECKING:
    from aider_stackspot.emulator.emulator import Emulator


def token(emulator: Emulator, exchange: Exchange) -> None:
    """Answer with a token or with the reason why not."""
    exchange.reply(_answer(emulator, exchange))


def _answer(emulator: Emulator, exchange: Exchange) -> Reply:
    request = exchange.request
    desk = emulator.tokens
    realm, form = request.segments[0], request.form
    if request.method != "POST":
        return oauth_error(405, "HTTP 405 Method Not Allowed")
    if not desk.knows_realm(realm):
        return oauth_error(404, "Realm does not exist")
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return oauth_error(400, "invalid_request", "Content-Type is not application/x-www-form-urlencoded")
    if "grant_type" not in form:
        return oauth_error(400, "invalid_request", "Missing form parameter: grant_type")
    if form["grant_type"] != "client_credentials":
        return oauth_error(400, "unsupported_grant_type", "Unsupported grant_type")
    credential = (realm, form.get("client_id", ""))
    if not desk.accepts(credential, form.get("client_secret", "")):
        return oauth_error(401, "invalid_client", "Invalid client or Invalid client credentials")
    lifetime = desk.lifetime
    body: dict[str, Any] = {
        "access_token": desk.issue(credential),
        "expires_in": int(lifetime) if lifetime == int(lifetime) else lifetime,
        "refresh_expires_in": 0,
        "token_type": "Bearer",
        "not-before-policy": 0,
        "scope": "profile",
    }
    return _spoiled(body, exchange) if exchange.fault.spoils_token else reply(200, body)


def _spoiled(body: dict[str, Any], exchange: Exchange) -> Reply:
    fault = exchange.fault
    changed = {name: value for name, value in {**body, **fault.token}.items() if value is not None}
    content_type, padding = fault.token_reply
    if padding:
        changed["padding"] = "x" * padding
    return Reply(200, json.dumps(changed).encode(), content_type)
