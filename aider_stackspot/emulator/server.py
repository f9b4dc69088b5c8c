"""Accepts connections and gives each its thread; ends them all at once when told to."""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Final

from aider_stackspot.emulator.connection import ClientGone, Connection

_BACKLOG: Final = 2_048
_JOIN_SECONDS: Final = 2.0


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
