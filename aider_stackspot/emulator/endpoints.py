"""From a connection's requests to the endpoints that answer them, past the fault, the token and the rate limit."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from aider_stackspot.emulator import chats, quick_commands
from aider_stackspot.emulator.exchange import Exchange, HangUp
from aider_stackspot.emulator.fault import Fault
from aider_stackspot.emulator.http_server import ClientGone, Connection, NotHttp, read_request
from aider_stackspot.emulator.quick_commands import QuickCommandSettings
from aider_stackspot.emulator.recording import Kind, RecordedRequest
from aider_stackspot.emulator.responses import Reply, default_error, json_reply
from aider_stackspot.emulator.tokens import TokenIssuer, token_reply

_SAMPLE_AGENTS: Final = {"01GGGGGGGGGGGGGGGGGGGGGGGG": "my agent"}


class Service(QuickCommandSettings, Protocol):
    """What all endpoints together ask of the emulator.

    Attributes:
        tokens: Issues tokens and recognises them.
        silence_limit: Seconds without a byte after which a call is cut.
    """

    tokens: TokenIssuer
    silence_limit: float

    def record(self, request: RecordedRequest) -> Fault | None:
        """Remember a request and tell which fault it is to meet."""

    def finish(self, request: RecordedRequest) -> None:
        """Take note that nothing more happens to a request."""


class _Endpoint(NamedTuple):
    """Where a kind of requests is answered, by which method, and whether it counts against the rate limit."""

    method: str
    answer: Callable[[Service, Exchange], None]
    is_limited: bool


def serve(service: Service, connection: Connection) -> None:
    """Answer a connection's requests until it ends.

    Raises:
        ClientGone: The client closed the connection.
    """
    keep_alive = True
    while keep_alive:
        try:
            request, keep_alive = read_request(connection)
        except NotHttp:
            connection.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        fault = service.record(request)
        exchange = Exchange(connection, request, fault, service.silence_limit, keep_alive=keep_alive)
        keep_alive = _answer(service, exchange)


def _answer(service: Service, exchange: Exchange) -> bool:
    """Answer one request; tell whether the connection lives on."""
    request, connection = exchange.request, exchange.connection
    try:
        if not exchange.meet_fault():
            _dispatch(service, exchange)
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
        service.finish(request)


def _dispatch(service: Service, exchange: Exchange) -> None:
    request = exchange.request
    if request.kind == "token":
        exchange.reply(token_reply(service.tokens, request, exchange.fault))
        return
    endpoint = _ENDPOINTS.get(request.kind)
    if endpoint is None:
        exchange.reply(json_reply(404, {}))
    elif request.method != endpoint.method:
        exchange.reply(json_reply(405, {"detail": "Method Not Allowed"}))
    elif refusal := _refusal(service.tokens, request, endpoint):
        exchange.reply(refusal)
    else:
        endpoint.answer(service, exchange)


def _refusal(tokens: TokenIssuer, request: RecordedRequest, endpoint: _Endpoint) -> Reply | None:
    """The answer to a request without a valid token, or to one too many of its credential."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    holder = tokens.holder(token.strip()) if scheme.lower() == "bearer" else None
    if holder is None:
        return default_error(401, request.kind)
    if endpoint.is_limited and not tokens.within_rate(holder):
        return default_error(429, request.kind)
    return None


def _list_agents(service: Service, exchange: Exchange) -> None:
    """Answer with an array on v1, with an object that has ``items`` on v3 and v4 (docs/wire.md, "Lists of agents")."""
    known = _SAMPLE_AGENTS if service.agents is None else service.agents
    items = [{"id": id_, "name": name, "model_name": "gpt-4.1"} for id_, name in known.items()]
    if exchange.request.segments[0] == "v1":
        exchange.reply(json_reply(200, items))
        return
    query = exchange.request.query
    page, size = _positive(query.get("page"), 1), _positive(query.get("size"), 100)
    exchange.reply(json_reply(200, {"items": items[(page - 1) * size : page * size], "page": page}))


def _positive(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and int(text) > 0 else default


_ENDPOINTS: Final[dict[Kind, _Endpoint]] = {
    "agent": _Endpoint("POST", chats.agent, is_limited=True),
    "chat": _Endpoint("POST", chats.chat, is_limited=True),
    "quick-command": _Endpoint("POST", quick_commands.create, is_limited=True),
    "quick-command-callback": _Endpoint("GET", quick_commands.callback, is_limited=False),
    "agents": _Endpoint("GET", _list_agents, is_limited=False),
}
