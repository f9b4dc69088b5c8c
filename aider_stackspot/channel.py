"""From the engine's thread to the caller: pieces of text, handed over as many at a time as have arrived.

A slow consumer gets one long piece instead of many short ones, and a producer that is far ahead is asked to wait, so
that an answer of any size needs little memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable

HIGH_WATER = 1024 * 1024
"""Characters that may wait for the consumer before the producer pauses."""

_WAKE_UP_EVERY = 1.0
"""Seconds; on Windows a thread that waits without a limit cannot be interrupted with Ctrl-C."""


class Channel:
    """One producer on the engine's loop, one consumer in any thread or on any loop.

    `put` and `end` belong to the producer, the rest to the consumer.
    """

    def __init__(self, producer_loop: asyncio.AbstractEventLoop) -> None:
        self._producer_loop = producer_loop
        self._room = asyncio.Event()
        self._lock = threading.Lock()
        self._pieces: list[str] = []
        self._waiting = 0
        self._ended = False
        self._error: BaseException | None = None
        self._wake: Callable[[], object] | None = None

    async def put(self, text: str) -> None:
        """Hand over text; waits while the consumer is far behind."""
        with self._lock:
            self._pieces.append(text)
            self._waiting += len(text)
            wake, self._wake = self._wake, None
            is_full = self._waiting > HIGH_WATER
            if is_full:
                self._room.clear()
        if wake is not None:
            wake()
        if is_full:
            await self._room.wait()

    def end(self, error: BaseException | None = None) -> None:
        """Say that nothing follows; `error` is raised at the consumer once it has all text. The first word counts."""
        with self._lock:
            if self._ended:
                return
            self._ended, self._error = True, error
            wake, self._wake = self._wake, None
        if wake is not None:
            wake()

    def get(self) -> str | None:
        """Wait for text and return all there is, or `None` at the end.

        Raises:
            BaseException: what the producer ended with.
        """
        while True:
            arrived = threading.Lock()
            arrived.acquire()
            ready, text = self._take(arrived.release)
            if ready:
                return text
            while not arrived.acquire(timeout=_WAKE_UP_EVERY):
                pass

    async def aget(self) -> str | None:
        """Do the same on the consumer's event loop, without blocking it."""
        loop = asyncio.get_running_loop()
        while True:
            arrived: asyncio.Future[None] = loop.create_future()
            ready, text = self._take(lambda: _wake_loop(loop, arrived))  # noqa: B023
            if ready:
                return text
            await arrived

    def _take(self, wake: Callable[[], object]) -> tuple[bool, str | None]:
        """Return whether there is an outcome, and the text; leave `wake` behind where there is none yet."""
        with self._lock:
            if self._pieces:
                text = "".join(self._pieces)
                was_full = self._waiting > HIGH_WATER
                self._pieces, self._waiting = [], 0
            elif self._ended:
                if self._error is not None:
                    raise self._error
                return True, None
            else:
                self._wake = wake
                return False, None
        if was_full:
            self._producer_loop.call_soon_threadsafe(self._room.set)
        return True, text


def _wake_loop(loop: asyncio.AbstractEventLoop, arrived: asyncio.Future[None]) -> None:
    def wake() -> None:
        if not arrived.done():
            arrived.set_result(None)

    # A closed loop raises: nobody waits there any more.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(wake)
