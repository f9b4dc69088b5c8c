"""An HTTP proxy on loopback: CONNECT tunnels, plain forwarding, Basic authentication, a record of it all."""

from __future__ import annotations

import base64
import contextlib
import selectors
import socket
import ssl
import threading
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import urlsplit

_END = b"\r\n\r\n"


@dataclass(frozen=True)
class RequestedSettings:
    """One request to the proxy: its method and target as they stood in the first line, and the credentials shown."""

    method: str
    target: str
    user: str | None


class ConnectProxy:
    """The proxy, from `with` on.

    Args:
        user: the only "name:password" that is let through; everybody is when not given.
        refuse: the status to answer everything with.
        tls: the proxy itself speaks TLS with it.
    """

    def __init__(self, user: str | None = None, refuse: int | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[RequestedSettings] = []
        self._user = user
        self._refuse = refuse
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def host(self) -> str:
        """Host and port, as in `HTTPS_PROXY=host:port`."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def url(self) -> str:
        """The proxy's URL without credentials."""
        return f"{'http' if self._tls is None else 'https'}://{self.host}"

    def __enter__(self) -> ConnectProxy:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _shut_down(self._listener, *self._sockets)  # a thread that waits for a socket does not notice its close
        for thread in self._threads:
            thread.join(timeout=2)
        for each in (self._listener, *self._sockets):
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                thread = threading.Thread(target=self._serve, args=[client], daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._tls is not None:
                client = self._tls.wrap_socket(client, server_side=True)
                self._sockets.append(client)
            while (head := _read_head(client)) and not self._answer(client, head):
                pass
        _shut_down(client)

    def _answer(self, client: socket.socket, head: bytes) -> bool:
        """Answer one request; whether the connection is used up."""
        first, *fields = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}
        user = _user(headers.get("proxy-authorization", ""))
        self.asked.append(RequestedSettings(method, target, user))
        if self._refuse or (self._user is not None and user != self._user):
            status = self._refuse or 407
            client.sendall(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            return True
        if method == "CONNECT":
            server = self._connect(*target.rsplit(":", 1))
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            server = self._forward(target, method, fields)
        _pump(client, server)
        return True

    def _forward(self, target: str, method: str, fields: list[str]) -> socket.socket:
        """Pass a request for an http:// URL on, and let the connection end with its answer."""
        url = urlsplit(target)
        kept = [field for field in fields if not field.lower().startswith(("proxy-", "connection:"))]
        server = self._connect(url.hostname or "", str(url.port))
        server.sendall("\r\n".join([f"{method} {url.path} HTTP/1.1", *kept, "Connection: close"]).encode() + _END)
        return server

    def _connect(self, host: str, port: str) -> socket.socket:
        server = socket.create_connection((host, int(port)))
        self._sockets.append(server)
        return server


def _read_head(client: socket.socket) -> bytes:
    head = b""
    while not head.endswith(_END):
        byte = client.recv(1)
        if not byte:
            return b""
        head += byte
    return head.removesuffix(_END)


def _user(authorization: str) -> str | None:
    scheme, _, credentials = authorization.partition(" ")
    return base64.b64decode(credentials).decode() if scheme.lower() == "basic" else None


def _pump(client: socket.socket, server: socket.socket) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(client, selectors.EVENT_READ, server)
        selector.register(server, selectors.EVENT_READ, client)
        while True:
            for key, _ in selector.select():
                source = key.fileobj
                assert isinstance(source, socket.socket)
                data = source.recv(65536)
                while isinstance(source, ssl.SSLSocket) and source.pending():
                    data += source.recv(source.pending())
                if not data:
                    _shut_down(server)
                    return
                key.data.sendall(data)


def _shut_down(*sockets: socket.socket) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
