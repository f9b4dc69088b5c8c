"""A small OpenAI-compatible server on loopback that records everything and answers what the test says."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


@dataclass
class Request:
    """One request as it came. `left` is set when the client went away before the answer's end."""

    method: str
    path: str
    headers: dict[str, str]
    json: Any
    left: threading.Event = field(default_factory=threading.Event)


@dataclass
class Reply:
    """One answer to a chat.

    `deltas` are the stream's deltas (a text stands for a delta of content); `finish` and `done` its end; `frames` are
    sent as they are, before the deltas. With a `status` other than 200, `body` is the answer.
    """

    deltas: Iterable[str | dict[str, Any]] = ("Hello ", "wörld", " 😀")
    finish: str | None = "stop"
    done: bool = True
    usage: dict[str, int] | None = field(
        default_factory=lambda: {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
    )
    frames: tuple[bytes, ...] = ()
    status: int = 200
    body: Any = None
    choice: dict[str, Any] = field(default_factory=dict)
    message: dict[str, Any] = field(default_factory=dict)
    delay: float = 0.0
    abort: bool = False

    @property
    def text(self) -> str:
        return "".join(delta for delta in self.deltas if isinstance(delta, str))


class OpenAIServer:
    """The server. `pages` are answers to GETs by path, `missing` the one to any other.

    `reply` answers chats, or makes an answer of the request. `key` is the one that it takes, or tells which it takes.
    """

    def __init__(self, models: Any = None, key: str | Callable[[str], bool] | None = None, tls: Any = None) -> None:
        self.pages: dict[str, Any] = {}
        if models is not None:
            self.pages["/v1/models"] = models
        self.key = key
        self.reply: Reply | Callable[[Any], Reply] = Reply()
        self.missing: Any = {"error": {"message": "not found"}}
        self.requests: list[Request] = []
        self.wait = 0.0
        self.connections = 0
        outer = self

        class Handler(_Handler):
            server_of = outer

        self._http = _Quiet(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        if tls is not None:
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True)
        self._scheme = "https" if tls is not None else "http"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """The server's root."""
        return f"{self._scheme}://127.0.0.1:{self._http.server_address[1]}"

    @property
    def base(self) -> str:
        """The base URL as OpenAI's clients want it."""
        return f"{self.url}/v1"

    @property
    def chats(self) -> list[Request]:
        """The chats that were asked for."""
        return [request for request in self.requests if request.path.endswith("/chat/completions")]

    @property
    def gets(self) -> list[str]:
        """The paths of all other requests."""
        return [request.path for request in self.requests if not request.path.endswith("/chat/completions")]

    def __enter__(self) -> OpenAIServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()


def models(*ids: str, **more: Any) -> dict[str, Any]:
    """Return an ordinary list of models."""
    return {
        "object": "list",
        "data": [{"id": one, "object": "model", "created": 1, "owned_by": "x"} | more for one in ids],
    }


class _Quiet(ThreadingHTTPServer):
    request_queue_size = 256  # more clients at once than five are not turned away

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that leave early; anything else is a defect of this server."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server_of: OpenAIServer
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        self.server_of.connections += 1
        super().setup()

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        self._record(None)
        self._page()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        document = json.loads(body)
        self._record(document)
        if not self.path.endswith("/chat/completions"):
            self._page()
        elif self._allowed():
            server = self.server_of
            self._chat(document, server.reply(document) if callable(server.reply) else server.reply)

    def _record(self, document: Any) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.recorded = Request(self.command, self.path, headers, document)
        self.server_of.requests.append(self.recorded)

    def _allowed(self) -> bool:
        key, shown = self.server_of.key, self.headers.get("authorization", "")
        if key is None or (key(shown.removeprefix("Bearer ")) if callable(key) else shown == f"Bearer {key}"):
            return True
        self._send(401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}})
        return False

    def _page(self) -> None:
        time.sleep(self.server_of.wait)
        if not self._allowed():
            return
        page = self.server_of.pages.get(self.path)
        if isinstance(page, int):
            self._send(page, {"error": {"message": "no"}})
        elif page is None:
            self._send(404, self.server_of.missing)
        else:
            self._send(200, page)

    def _send(self, status: int, document: Any) -> None:
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _chat(self, document: Any, reply: Reply) -> None:
        if reply.status != 200:
            self._send(reply.status, reply.body)
        elif document.get("stream"):
            self._stream(document, reply)
        else:
            message = {"role": "assistant", "content": reply.text or None} | reply.message
            choice = {"index": 0, "message": message, "finish_reason": reply.finish} | reply.choice
            self._send(200, self._head(document) | {"choices": [choice], "usage": reply.usage})

    def _head(self, document: Any, kind: str = "chat.completion") -> dict[str, Any]:
        return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": document.get("model")}

    def _stream(self, document: Any, reply: Reply) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        head = self._head(document, "chat.completion.chunk")
        frames = list(reply.frames)
        for delta in reply.deltas:
            said = {"content": delta} if isinstance(delta, str) else delta
            frames.append(
                _frame(head | {"choices": [{"index": 0, "delta": said, "finish_reason": None} | reply.choice]})
            )
        if reply.finish:
            frames.append(_frame(head | {"choices": [{"index": 0, "delta": {}, "finish_reason": reply.finish}]}))
        if reply.usage and (document.get("stream_options") or {}).get("include_usage"):
            frames.append(_frame(head | {"choices": [], "usage": reply.usage}))
        if reply.done:
            frames.append(b"data: [DONE]\n\n")
        try:
            for frame in frames:
                time.sleep(reply.delay)
                self.wfile.write(b"%x\r\n%s\r\n" % (len(frame), frame))
            if reply.abort:
                self.close_connection = True
                self.connection.close()
                return
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True
            self.recorded.left.set()


def _frame(document: Any) -> bytes:
    return b"data: " + json.dumps(document).encode() + b"\n\n"
