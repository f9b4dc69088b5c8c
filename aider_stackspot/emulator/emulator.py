"""A StackSpot that runs on this machine: the object that tests and the command drive."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Final, NamedTuple, Protocol, get_args

from aider_stackspot.emulator import chats, quick_commands, uploads
from aider_stackspot.emulator.agents import AgentDetails, Conversations, Knowledge, agent_record
from aider_stackspot.emulator.exchange import Exchange, HangUp
from aider_stackspot.emulator.fault import Fault
from aider_stackspot.emulator.http_server import ClientGone, Connection, NotHttp, Server, read_request
from aider_stackspot.emulator.quick_commands import Execution, QuickCommand, QuickCommandSettings
from aider_stackspot.emulator.recording import Kind, RecordedRequest
from aider_stackspot.emulator.responses import Reply, default_error, json_reply
from aider_stackspot.emulator.script import Answer, Model, Script, assistant
from aider_stackspot.emulator.style import Style
from aider_stackspot.emulator.tokens import Credential, TokenIssuer, token_reply
from aider_stackspot.emulator.uploads import Uploads, UploadSettings

_SAMPLE_AGENTS: Final = {"01GGGGGGGGGGGGGGGGGGGGGGGG": "my agent"}
_SAMPLE_DETAILS: Final = {
    "01GGGGGGGGGGGGGGGGGGGGGGGG": AgentDetails(models=("gpt-4.1", "gpt-5.1"), versions=3, input_limit=272_000)
}


class Service(QuickCommandSettings, UploadSettings, Protocol):
    """What all endpoints together ask of the emulator.

    Attributes:
        tokens: Issues tokens and recognises them.
        silence_limit: Seconds without a byte after which a call is cut.
        max_page: Agents on a page of their list, however many are asked for.
    """

    tokens: TokenIssuer
    silence_limit: float
    max_page: int

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
    if request.kind == "upload" and request.method == "POST":
        uploads.store(service, exchange)
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
    items = [agent_record(id_, name, service.details.get(id_)) for id_, name in known.items()]
    if exchange.request.segments[0] == "v1":
        exchange.reply(json_reply(200, items))
        return
    query = exchange.request.query
    page, size = _positive(query.get("page"), 1), min(service.max_page, _positive(query.get("size"), 10))
    exchange.reply(json_reply(200, {"items": items[(page - 1) * size : page * size], "page": page}))


def _show_agent(service: Service, exchange: Exchange) -> None:
    """Answer one agent's record; whether StackSpot has it is assumed (docs/wire.md, "Lists of agents")."""
    known, agent_id = _SAMPLE_AGENTS if service.agents is None else service.agents, exchange.request.segments[2]
    if agent_id in known:
        exchange.reply(json_reply(200, agent_record(agent_id, known[agent_id], service.details.get(agent_id))))
    else:
        exchange.reply(json_reply(404, {}))


def _positive(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and int(text) > 0 else default


_ENDPOINTS: Final[dict[Kind, _Endpoint]] = {
    "agent": _Endpoint("POST", chats.agent, is_limited=True),
    "chat": _Endpoint("POST", chats.chat, is_limited=True),
    "quick-command": _Endpoint("POST", quick_commands.create, is_limited=True),
    "quick-command-callback": _Endpoint("GET", quick_commands.callback, is_limited=False),
    "agents": _Endpoint("GET", _list_agents, is_limited=False),
    "upload-form": _Endpoint("POST", uploads.form, is_limited=False),
    "agent-record": _Endpoint("GET", _show_agent, is_limited=False),
}


_ANY_CHAT: Final = ("agent", "chat")
_FAULT_KINDS: Final = (*get_args(Kind), "any chat")


class _QueuedFault:
    """A fault, and how many requests it is still meant for."""

    def __init__(self, kind: str, fault: Fault, times: int | None) -> None:
        self.kind = kind
        self.fault = fault
        self.left = times

    def fits(self, kind: str) -> bool:
        return self.left != 0 and (self.kind == kind or (self.kind == "any chat" and kind in _ANY_CHAT))


class Emulator:
    """Serves StackSpot's endpoints on the loopback address, from ``with`` or :meth:`start` to :meth:`close`.

    Args:
        credentials: The client key of each (realm, client id).
        script: The scripted model's rules; None for none.
        token_lifetime: Seconds an issued token is valid.
        port: TCP port; 0 takes a free one.
        ssl_context: Serves HTTPS with it; None serves HTTP.
        rate_limit: Chat calls a credential may make in 60 seconds before it gets 429; None for no limit.
        silence_limit: Seconds without a byte after which the server cuts a call, as StackSpot's gateway does.
        agents: Names of the agents that exist, by id; None lets any id be one.
        keep: How many of the newest requests to remember; None for all.
        on_finished: Called with each request when it is answered, in the connection's thread.

    Attributes:
        style: How streams are written; may be set at any time.
        answer: What the scripted model says where no rule does: a text (cut into words), a list of deltas, or
            a function from the prompt to either.
        script: The rules.
        details: What single agents have, by id; may be changed at any time.
        input_limit: Tokens that a prompt may have where an agent has no limit of its own; None for no limit.
        knowledge: The knowledge sources that exist, by id; None lets any id be one. An answer quotes their texts.
        conversations: What was said in the conversations that are kept.
        uploads: The files that were uploaded, and whether the credential may upload.
        max_page: Agents on a page of their list, however many are asked for.
        quick_command: How quick commands go.
        tokens: Issues tokens and recognises them; its ``lifetime`` and ``rate_limit`` may be set at any time.
        requests: The requests so far, in order of arrival.
    """

    def __init__(
        self,
        credentials: Mapping[Credential, str] | None = None,
        script: Script | None = None,
        token_lifetime: float = 1200,
        port: int = 0,
        ssl_context: ssl.SSLContext | None = None,
        rate_limit: int | None = None,
        *,
        silence_limit: float = 120.0,
        agents: Mapping[str, str] | None = None,
        keep: int | None = None,
        on_finished: Callable[[RecordedRequest], None] | None = None,
    ) -> None:
        self.credentials = dict({("stackspot", "client-id"): "client-key"} if credentials is None else credentials)
        self.script = script or Script()
        self.tokens = TokenIssuer(self.credentials, token_lifetime, rate_limit)
        self.silence_limit = silence_limit
        self.agents = agents
        self.style = Style()
        self.answer: Answer | Model = assistant if self.script.default is None else self.script.default
        self.details: dict[str, AgentDetails] = {**_SAMPLE_DETAILS}
        self.input_limit: int | None = None
        self.knowledge: dict[str, Knowledge] | None = None
        self.conversations = Conversations()
        self.uploads = Uploads()
        self.max_page = 100
        self.quick_command = QuickCommand()
        self.requests: list[RecordedRequest] = []
        self.executions: dict[str, Execution] = {}
        self._port = port
        self._ssl_context = ssl_context
        self._keep = keep
        self._on_finished = on_finished
        self._faults: list[_QueuedFault] = []
        self._lock = threading.Lock()
        self._server: Server | None = None

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> Emulator:
        """Listen; raises ``OSError`` when the port is taken."""
        if self._server is None:
            self._server = Server(self._port, self._ssl_context, lambda connection: serve(self, connection))
        return self

    def close(self) -> None:
        """Stop at once: every connection ends, every thread is gone when this returns."""
        if self._server is not None:
            self._server.close()

    @property
    def url(self) -> str:
        """The base URL of all of its endpoints."""
        scheme = "http" if self._ssl_context is None else "https"
        return f"{scheme}://127.0.0.1:{self._running.port}"

    @property
    def storage_url(self) -> str:
        """The base URL of the storage for files: the same machine under another name, as S3 is another host."""
        return self.url.replace("127.0.0.1", "localhost")

    def environment(self) -> dict[str, str]:
        """The environment variables that point the plugin here, with the first of the credentials."""
        (realm, client_id), key = next(iter(self.credentials.items()))
        return {
            "STACKSPOTAI_CLIENT_ID": client_id,
            "STACKSPOTAI_CLIENT_KEY": key,
            "STACKSPOTAI_REALM": realm,
            "STACKSPOTAI_AUTH_URL": self.url,
            "STACKSPOTAI_API_BASE": self.url,
            "STACKSPOTAI_AGENT_API_BASE": self.url,
        }

    @property
    def connections(self) -> int:
        """How many TCP connections were accepted."""
        return self._running.accepted

    @property
    def open_connections(self) -> int:
        """How many TCP connections are open now."""
        return self._running.open

    @property
    def token_requests(self) -> list[RecordedRequest]:
        """The requests to the token endpoint."""
        return self.requests_of("token")

    @property
    def chat_requests(self) -> list[RecordedRequest]:
        """The calls of the Agents API and of ``/v3/chat``."""
        return self.requests_of(*_ANY_CHAT)

    def requests_of(self, *kinds: str) -> list[RecordedRequest]:
        """The requests of these kinds, in order."""
        with self._lock:
            return [request for request in self.requests if request.kind in kinds]

    def fail(self, kind: str, fault: Fault, times: int | None = 1) -> None:
        """Let the next requests of a kind meet a fault; faults queue up in the order of the calls.

        Args:
            kind: A request's kind, or ``any chat`` for the Agents API and ``/v3/chat``.
            fault: What goes wrong.
            times: How many requests it meets; None for all from now on.

        Raises:
            ValueError: There is no such kind.
        """
        if kind not in _FAULT_KINDS:
            raise ValueError(f"no such kind: {kind!r}; there are {', '.join(_FAULT_KINDS)}")
        with self._lock:
            self._faults.append(_QueuedFault(kind, fault, times))

    def revoke_tokens(self) -> None:
        """Refuse every token issued so far with 401."""
        self.tokens.revoke()

    def rotate(self, realm: str, client_id: str, key: str) -> None:
        """Give a client a new key; the old one is refused from now on."""
        self.credentials[realm, client_id] = key
        self.tokens.rotate((realm, client_id), key)

    def drop_connections(self) -> None:
        """Close every open connection, idle ones included, as a load balancer may."""
        self._running.drop_connections()

    def reset(self) -> None:
        """Forget the recordings and the queued faults; tokens, style and answer stay."""
        with self._lock:
            self.requests.clear()
            self._faults.clear()

    def record(self, request: RecordedRequest) -> Fault | None:
        """Record a request and take the fault it is to meet out of the queue."""
        with self._lock:
            self.requests.append(request)
            if self._keep is not None:
                del self.requests[: -self._keep]
            for queued in self._faults:
                if queued.fits(request.kind):
                    if queued.left is not None:
                        queued.left -= 1
                    self._faults = [other for other in self._faults if other.left != 0]
                    return queued.fault
        return None

    def finish(self, request: RecordedRequest) -> None:
        """Mark a request as finished and report it."""
        request.finished.set()
        if self._on_finished is not None:
            self._on_finished(request)

    @property
    def _running(self) -> Server:
        if self._server is None:
            raise RuntimeError("the emulator is not started: use it in a with statement, or call start()")
        return self._server
