"""Serves the gateway on one socket, in this process: its start and its end."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import errno
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn

from aider_stackspot.errors import ConfigurationError
from aider_stackspot.gateway.app import Gateway
from aider_stackspot.pipeline import call_log
from aider_stackspot.pipeline.background_loop import background_loop

GRACE = 5.0
"""Seconds that answers in the middle of their stream have when the gateway stops."""
_LAST_STEPS = 2
"""Seconds for their last events to go out."""


def listen(host: str, port: int) -> socket.socket:
    """Take the port now: what is printed about it stays true, and of two gateways one is refused at once.

    Args:
        host: an address or a name of this machine.
        port: the TCP port; 0 for any that is free.

    Raises:
        ConfigurationError: the port or the address cannot be used.
    """
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        listener = socket.create_server(address[:2], family=family, backlog=2048)
        # Its connections inherit it. asyncio sets it for sockets of its own alone, and without it a stream on a
        # connection that is used again waits 40 ms for the client's word that the headers have arrived.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except (socket.gaierror, UnicodeError) as error:
        raise ConfigurationError(f"--host {host}: no such address ({error.args[-1]})") from None
    except OSError as error:
        other = f" Take another one: --port {port + 1}" if error.errno == errno.EADDRINUSE and port < 65535 else ""
        raise ConfigurationError(
            f"Cannot listen on port {port} of {host}: {os.strerror(error.errno or 0)}.{other}"
        ) from None


class Server(uvicorn.Server):
    """A server that gives open streams `GRACE` seconds when it is stopped, and then ends them in their protocol.

    Args:
        gateway: what is served.
        key: the gateway's key.
        ready: called once it answers.
    """

    def __init__(self, gateway: Gateway, key: str, ready: Callable[[], None] = lambda: None) -> None:
        super().__init__(
            uvicorn.Config(
                gateway.application(key),
                http="h11",
                loop="asyncio",
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=int(GRACE) + _LAST_STEPS,
            )
        )
        self._gateway = gateway
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve."""
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop to serve."""
        end = asyncio.get_running_loop().call_later(GRACE, self._gateway.replies.stop)
        try:
            await super().shutdown(sockets)
        finally:
            end.cancel()
            self._gateway.replies.stop()  # where there was no time to wait for them

    def begin(self, listener: socket.socket) -> concurrent.futures.Future[None]:
        """Serve on the pipeline's own event loop: what arrives there goes out without a change of threads.

        Args:
            listener: see `listen`.

        Returns:
            the end of it, which `should_exit` brings about.
        """
        return background_loop().submit(self.serve(sockets=[listener]))

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; at once, where it is asked for again."""
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True


def run(listener: socket.socket, key: str, ready: Callable[[], None]) -> None:
    """Serve until a signal says to stop.

    Args:
        listener: see `listen`.
        key: the gateway's key.
        ready: called once it answers.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    call_log.set_up()
    server = Server(Gateway(), key, ready)
    with _signals_to(server.handle_exit):
        serving = server.begin(listener)
        while not serving.done():  # on Windows, a wait without a limit cannot be interrupted
            concurrent.futures.wait([serving], timeout=1)
    serving.result()


@contextlib.contextmanager
def _signals_to(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Let the signals to stop end the server in order, and the process with status 0."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32":
        numbers.append(signal.SIGHUP)  # the terminal was closed
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
