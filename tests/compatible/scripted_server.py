"""A server on loopback that answers with given bytes, as they are."""

from __future__ import annotations

import socket
import threading


class Scripted:
    """A server that answers every request with the same bytes, as they are, and closes the connection.

    `requests` has the bodies that came.
    """

    def __init__(self) -> None:
        self.status = "200 OK"
        self.headers: dict[str, str] = {"Content-Type": "text/event-stream"}
        self.body = b""
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                head, _, body = self._received(client)
                if b"/models" not in head.split(b"\r\n")[0]:
                    self.requests.append(body)
                    lines = [f"HTTP/1.1 {self.status}", *(f"{name}: {value}" for name, value in self.headers.items())]
                    client.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode() + self.body)
                else:
                    client.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def _received(self, client: socket.socket) -> tuple[bytes, bytes, bytes]:
        data = b""
        while b"\r\n\r\n" not in data:
            data += client.recv(65536)
        head, separator, body = data.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        while len(body) < length:
            body += client.recv(65536)
        return head, separator, body

    def close(self) -> None:
        self._listener.close()
