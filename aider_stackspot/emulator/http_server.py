"""One TCP (or TLS) connection of a client: buffered reading, sending, and knowing when the client is gone."""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import struct
import threading
import time
from typing import Final

_READ: Final = 65_536
_MAX_LINE: Final = 65_536
_Selector: Final = getattr(selectors, "PollSelector", selectors.SelectSelector)
"""``select`` fails beyond 1,024 descriptors, and epoll would cost a descriptor for each connection."""


class ClientGone(Exception):
    """The other side closed or reset the connection, or the emulator is closing it."""


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
        """The next line without its end; raises :class:`ClientGone` when there is none."""
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
        """The next ``size`` bytes; raises :class:`ClientGone` when the client leaves before them."""
        while len(self._buffer) < size:
            self._fill()
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def send(self, data: bytes) -> None:
        """Send all of ``data``; raises :class:`ClientGone` when nobody takes it."""
        try:
            self._sock.sendall(data)
        except (OSError, ValueError) as error:
            raise ClientGone from error

    def wait(self, seconds: float) -> None:
        """Let ``seconds`` pass, watching the client meanwhile; 0 only looks.

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
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)  # below TLS: no words to a peer that hangs

    def reset(self) -> None:
        """Close with an RST instead of a FIN."""
        linger = struct.pack("hh" if hasattr(socket, "WSADATA_VERSION") else "ii", 1, 0)
        with contextlib.suppress(OSError):
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close()

    def close(self) -> None:
        """Close at once, without words; may be called twice."""
        self._selector.close()
        with contextlib.suppress(OSError):
            self._sock.close()

    def _fill(self) -> None:
        try:
            data = self._sock.recv(_READ)
        except (OSError, ValueError) as error:
            raise ClientGone from error
        if not data:
            raise ClientGone
        self._buffer += data

    def _take_what_is_there(self) -> None:
        self._sock.settimeout(0)  # a TLS record may be incomplete: never block here
        try:
            data = self._sock.recv(_READ)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except (OSError, ValueError) as error:
            raise ClientGone from error
        finally:
            self._sock.settimeout(None)
        if not data:
            raise ClientGone
        self._buffer += data
