"""From a connection's requests to the endpoints that answer them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from aider_stackspot.emulator import chats, listing, oauth, quick_commands
from aider_stackspot.emulator.bodies import reply
from aider_stackspot.emulator.connection import ClientGone, Connection
from aider_stackspot.emulator.exchange import Exchange, HangUp
from aider_stackspot.emulator.guard import admit, begin
from aider_stackspot.emulator.request import BadRequestError, read_request

if TYPE_CHECKING:
    from aider_stackspot.emulator.emulator import Emulator

_Handler = Callable[[Any, Exchange], None]
_HANDLERS: Final[dict[str, tuple[str, _Handler]]] = {
    "agent": ("POST", chats.agent),
    "chat": ("POST", chats.chat),
    "quick-command": ("POST", quick_commands.create),
    "quick-command-callback": ("GET", quick_commands.callback),
    "agents": ("GET", listing.agents),
}
_LIMITED: Final = ("agent", "chat", "quick-command")


def serve(emulator: Emulator, connection: Connection) -> None:
    """Answer a connection's requests until it ends.

    Raises:
        ClientGone: The client closed the connection.
    """
    keep_alive = True
    while keep_alive:
        try:
            request, keep_alive = read_request(connection)
        except BadRequestError:
            connection.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        fault = emulator.admit(request)
        exchange = Exchange(connection, request, fault, emulator.silence_limit, keep_alive=keep_alive)
        keep_alive = _answer(emulator, exchange)


def _answer(emulator: Emulator, exchange: Exchange) -> bool:
    """Answer one request; whether the connection lives on."""
    request, connection = exchange.request, exchange.connection
    try:
        if not begin(exchange):
            _dispatch(emulator, exchange)
        return exchange.keep_alive
    except ClientGone:
        request.closed_early = not connection.interrupted.is_set()
        return False
    except HangUp as end:
        if end.reset:
            connection.reset()
        return False
    finally:
        request.seconds = time.monotonic() - request.at
        emulator.finish(request)


def _dispatch(emulator: Emulator, exchange: Exchange) -> None:
    request = exchange.request
    if request.kind == "token":
        oauth.token(emulator, exchange)
        return
    if request.kind == "other":
        exchange.reply(reply(404, {}))
        return
    method, handler = _HANDLERS[request.kind]
    if request.method != method:
        exchange.reply(reply(405, {"detail": "Method Not Allowed"}))
    elif admit(emulator, exchange, limited=request.kind in _LIMITED):
        handler(emulator, exchange)
