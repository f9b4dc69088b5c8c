"""A server on loopback that answers each request with bytes of the test's, and counts its connections."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Sequence
from types import TracebackType
from urllib.parse import urlsplit

Script = Callable[[str], Sequence[bytes | float]]
"""Returns for a request's path the writes and the pauses (seconds) of its answer; no write at all closes."""


class ScriptedServer:
    """Keeps its connections open, on the event loop of the test, so that writes without a pause arrive in one read.

    Args:
        script: what to answer.
        tls: what it speaks TLS with.
    """

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self.ended = 0
        self._script = script
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> ScriptedServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        """The base URL."""
        port = self._server.sockets[0].getsockname()[1]
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self._answer_requests(reader, writer)
        self.ended += 1
        writer.close()

    async def _answer_requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            answer = self._script(urlsplit(head.split(b" ")[1].decode()).path)
            if not answer:
                return
            for each in answer:
                if isinstance(each, bytes):
                    writer.write(each)
                else:
                    await asyncio.sleep(each)
