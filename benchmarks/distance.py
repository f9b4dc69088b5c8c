"""A network between the program and the local server: TLS, and time that every byte spends on its way."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import trustme

from benchmarks.machine import LocalServer


@dataclass(frozen=True)
class Distant:
    """The server as two hosts behind TLS: where tokens come from, and where answers do."""

    auth_url: str
    api_base: str
    ca_file: Path


@contextlib.contextmanager
def distant(server: LocalServer, round_trip: float) -> Iterator[Distant]:
    """Put `round_trip` seconds between this machine and the server."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    port = urlsplit(server.url).port or 0

    async def listen() -> int:
        """Open a port with TLS behind one that delays; TCP's own handshake is the only thing that costs nothing."""

        async def to_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await _join((reader, writer), await asyncio.open_connection("127.0.0.1", port), 0.0)

        inner = await asyncio.start_server(to_server, "127.0.0.1", 0, ssl=context)

        async def to_inner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there = await asyncio.open_connection(*inner.sockets[0].getsockname())
            await _join((reader, writer), there, round_trip / 2)

        outer = await asyncio.start_server(to_inner, "127.0.0.1", 0)
        return int(outer.sockets[0].getsockname()[1])

    with tempfile.TemporaryDirectory() as directory:
        ca_file = Path(directory) / "ca.pem"
        authority.cert_pem.write_to_path(str(ca_file))
        auth, api = (asyncio.run_coroutine_threadsafe(listen(), loop).result(10) for _ in range(2))
        yield Distant(f"https://localhost:{auth}", f"https://localhost:{api}", ca_file)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _join(one: Ends, other: Ends, delay: float) -> None:
    await asyncio.gather(_pump(one[0], other[1], delay), _pump(other[0], one[1], delay))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Pass bytes on, each as much later as it is far; what follows does not wait for what went before."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while data := await reader.read(65536):
            if delay:
                loop.call_later(delay, writer.write, data)
            else:
                writer.write(data)
    loop.call_later(delay, writer.close)
