"""A server that must never be asked: it stands wherever LiteLLM would look for OpenAI."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType

ANSWER = b"HTTP/1.1 418 Trapped\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Trap:
    """Listens on loopback, and keeps the first bytes of whatever arrives."""

    def __init__(self) -> None:
        self.caught: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self._thread = threading.Thread(target=self._listen, daemon=True)

    @property
    def url(self) -> str:
        """The trap's base URL, as OpenAI's would be written."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"

    def __enter__(self) -> Trap:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout=5)
        self._listener.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with contextlib.suppress(OSError), client:
                    client.settimeout(2)
                    self.caught.append(client.recv(4096))
                    client.sendall(ANSWER)
