"""A small HTTP/1.x server: it listens, gives each TCP or TLS connection its thread, and reads requests.

It is written by hand because a client's tests need what a usual server does not let them do: a response that trickles,
stops in its middle or is reset, and the knowledge that a client has gone away.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from aider_stackspot.emulator.recording import Headers, RecordedRequest, kind_of

_BACKLOG: Final = 2_048
_JOIN_SECONDS: Final = 2.0
_READ_SIZE: Final = 65_536
_MAX_LINE: Final = 65_536
_Selector: Final = getattr(selectors, "PollSelector", selectors.SelectSelector)
"""``select`` fails beyond 1,024 descriptors, and epoll would cost a descriptor for each connection."""


class ClientGone(Exception):
    """The other side closed or reset the connection, or the emulator is closing it."""


class NotHttp(Exception):
    """What came in is not an HTTP request."""


class Server:
    """A listening socket on the loopback address, one thread for each connection.

    Args:
        port: TCP port; 0 takes a free one.
        context: TLS context; None speaks plain HTTP.
        serve: Called in the connection's own thread; the connection is closed when it returns or raises
            :class:`ClientGone`.
    """

    def __init__(self, port: int, context: ssl.SSLContext | None, serve: Callable[[Connection], None]) -> None:
        self.accepted = 0
        self._context = context
        self._serve = serve
        self._lock = threading.Lock()
        self._open: dict[Connection, threading.Thread] = {}
        self._closing = False
        self._listener = socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._wake, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._accept, name="stackspot-emulator", daemon=True)
        self._thread.start()

    @property
    def open(self) -> int:
        """How many connections are open."""
        with self._lock:
            return len(self._open)

    def drop_connections(self) -> None:
        """Close every open connection, whatever it is doing."""
        with self._lock:
            open_ = list(self._open)
        for connection in open_:
            connection.interrupt()

    def close(self) -> None:
        """Stop listening, end every connection and wait for its thread; may be called twice."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
        self._waker.send(b"x")
        self._thread.join()
        self.drop_connections()
        with self._lock:
            threads = list(self._open.values())
        deadline = time.monotonic() + _JOIN_SECONDS  # only a scripted answer that hangs can keep a thread
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        for sock in (self._listener, self._wake, self._waker):
            sock.close()

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            while True:
                selector.select()
                if self._closing:
                    return
                try:
                    sock, _ = self._listener.accept()
                except BlockingIOError:
                    continue
                except OSError:
                    time.sleep(0.01)  # out of descriptors: some will come back
                    continue
                self._start(sock)

    def _start(self, sock: socket.socket) -> None:
        sock.setblocking(True)
        try:
            connection = Connection(sock, self.accepted + 1, self._context)
        except OSError:  # gone before it was accepted
            sock.close()
            return
        name = f"stackspot-emulator-{connection.number}"
        thread = threading.Thread(target=self._run, args=(connection,), name=name, daemon=True)
        with self._lock:
            self.accepted += 1
            self._open[connection] = thread
        thread.start()

    def _run(self, connection: Connection) -> None:
        try:
            with contextlib.suppress(ClientGone):
                connection.handshake()
                self._serve(connection)
        finally:
            connection.close()
            with self._lock:
                del self._open[connection]


class Connection:
    """A client's connection, used by one thread; only :meth:`interrupt` may be called from others.

    Args:
        sock: The accepted socket, before any TLS handshake.
        number: Which connection of the emulator this is, from 1.
        context: TLS context; None speaks plain HTTP.
    """

    def __init__(self, sock: socket.socket, number: int, context: ssl.SSLContext | None) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            sock = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        self.number = number
        self.interrupted = threading.Event()
        self._sock = sock
        self._buffer = bytearray()
        self._selector = _Selector()
        self._selector.register(sock, selectors.EVENT_READ)

    def handshake(self) -> None:
        """Do the TLS handshake, if there is one.

        Raises:
            ClientGone: The client does not trust us, or left.
        """
        if isinstance(self._sock, ssl.SSLSocket):
            try:
                self._sock.do_handshake()
            except OSError as error:
                raise ClientGone from error

    def read_line(self) -> bytes:
        """Read the next line, without its end.

        Raises:
            ClientGone: The client left before the line was complete, or the line is too long.
        """
        start = 0
        while (end := self._buffer.find(b"\n", start)) < 0:
            start = len(self._buffer)
            if start > _MAX_LINE:
                raise ClientGone
            self._fill()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line.rstrip(b"\r")

    def read_exactly(self, size: int) -> bytes:
        """Read the next ``size`` bytes.

        Raises:
            ClientGone: The client left before they were there.
        """
        while len(self._buffer) < size:
            self._fill()
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def send(self, data: bytes) -> None:
        """Send all of ``data``.

        Raises:
            ClientGone: Nobody takes it.
        """
        try:
            self._sock.sendall(data)
        except (OSError, ValueError) as error:
            raise ClientGone from error

    def wait(self, seconds: float) -> None:
        """Let ``seconds`` pass and watch the client meanwhile; 0 only looks once.

        Raises:
            ClientGone: The client left, or the emulator shuts down.
        """
        end = time.monotonic() + seconds
        while True:
            left = max(0.0, end - time.monotonic())
            if not self._selector.select(left):
                return
            self._take_what_is_there()
            if left == 0.0:
                return

    def interrupt(self) -> None:
        """Wake the connection's thread out of whatever it waits for, and make it end."""
        self.interrupted.set()
        with contextlib.suppress(OSError):
            socket.socket.shutdown(
                self._sock, socket.SHUT_RDWR
            )  # below TLS: a goodbye would wait for a peer that hangs

    def reset(self) -> None:
        """Close with an RST instead of a FIN."""
        linger = struct.pack("hh" if hasattr(socket, "WSADATA_VERSION") else "ii", 1, 0)
        with contextlib.suppress(OSError):
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close()

    def close(self) -> None:
        """Close at once, without a TLS goodbye; may be called twice."""
        self._selector.close()
        with contextlib.suppress(OSError):
            self._sock.close()

    def _fill(self) -> None:
        try:
            data = self._sock.recv(_READ_SIZE)
        except (OSError, ValueError) as error:
            raise ClientGone from error
        if not data:
            raise ClientGone
        self._buffer += data

    def _take_what_is_there(self) -> None:
        self._sock.settimeout(0)  # a TLS record may be incomplete: never block here
        try:
            data = self._sock.recv(_READ_SIZE)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except (OSError, ValueError) as error:
            raise ClientGone from error
        finally:
            self._sock.settimeout(None)
        if not data:
            raise ClientGone
        self._buffer += data


class Received(NamedTuple):
    """A request, and whether its connection may serve another one afterwards."""

    request: RecordedRequest
    keep_alive: bool


def read_request(connection: Connection) -> Received:
    """Wait for the next request.

    Raises:
        ClientGone: There is no further request, or it broke off.
        NotHttp: It is not HTTP.
    """
    line = connection.read_line() or connection.read_line()
    try:
        method, target, version = line.decode("ascii").split(" ")
        headers = _read_headers(connection)
        if headers.get("expect", "").lower() == "100-continue":
            connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = _read_body(connection, headers)
        url = urlsplit(target)  # a proxy's client sends the whole URL: the path is all that counts here
        query = {name: values[-1] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
    except ValueError as error:
        raise NotHttp from error
    asked = headers.get("connection", "").lower()
    keep_alive = asked != "close" if version == "HTTP/1.1" else asked == "keep-alive"
    at = time.monotonic()
    number = connection.number
    request = RecordedRequest(kind_of(url.path), method, url.path, query, headers, body, number, at)
    return Received(request, keep_alive)


def _read_headers(connection: Connection) -> Headers:
    pairs: list[tuple[str, str]] = []
    while line := connection.read_line():
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise ValueError(line)
        pairs.append((name, value.strip()))
    return Headers(pairs)


def _read_body(connection: Connection, headers: Headers) -> bytes:
    if "chunked" not in headers.get("transfer-encoding", "").lower():
        return connection.read_exactly(int(headers.get("content-length", "0")))
    body = bytearray()
    while size := int(connection.read_line().partition(b";")[0], 16):
        body += connection.read_exactly(size)
        connection.read_line()
    while connection.read_line():
        pass
    return bytes(body)
