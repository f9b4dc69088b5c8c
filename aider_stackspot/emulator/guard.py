"""What every request passes before its endpoint: the scripted fault, the token, the rate limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aider_stackspot.emulator.bodies import Reply, api_error, default_error
from aider_stackspot.emulator.exchange import Exchange, HangUp

if TYPE_CHECKING:
    from aider_stackspot.emulator.emulator import Emulator


def begin(exchange: Exchange) -> bool:
    """Let the exchange's fault happen as far as it needs no answer; whether it has answered the request."""
    fault = exchange.fault
    exchange.pause(fault.silence)
    if fault.abort:
        raise HangUp(reset=fault.abort == "reset")
    if (fixed := fault.fixed_reply(exchange.request.kind)) is None:
        return False
    exchange.reply(fixed)
    return True


def admit(emulator: Emulator, exchange: Exchange, *, limited: bool) -> bool:
    """Check the token and, for calls that count against it, the rate limit; answers when it says no."""
    if refusal := _refusal(emulator, exchange, limited=limited):
        exchange.reply(refusal)
    return refusal is None


def refuse(exchange: Exchange, status: int, details: str) -> None:
    """Answer with the API's error shape."""
    exchange.reply(api_error(status, "UnprocessableEntity", "INFERENCE_0005", details))


def _refusal(emulator: Emulator, exchange: Exchange, *, limited: bool) -> Reply | None:
    request = exchange.request
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    holder = emulator.tokens.holder(token.strip()) if scheme.lower() == "bearer" else None
    if holder is None:
        return default_error(401, request.kind)
    if limited and not emulator.tokens.within_rate(holder):
        return default_error(429, request.kind)
    return None
