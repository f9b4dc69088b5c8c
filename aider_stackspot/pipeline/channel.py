"""From the background loop to the caller: pieces of an answer, handed over as many at a time as have arrived.

A slow consumer gets one long piece instead of many short ones, and a producer that is far ahead is asked to wait, so
that an answer of any size needs little memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

HIGH_WATER = 1024 * 1024
"""Characters that may wait for the consumer before the producer pauses."""

_WAKE_UP_EVERY = 1.0
"""Seconds; on Windows a thread that waits without a limit cannot be interrupted with Ctrl-C."""

_LOST_AFTER = 1.0
"""Seconds after which a cancellation that has not come will not come."""


class Channel(Generic[T]):
    """One producer on the background loop, one consumer in any thread or on any loop.

    `put` and `end` belong to the producer, the rest to the consumer; `abandon` may be called in the middle of anything,
    as a finalizer is, and so takes no lock.

    Args:
        producer_loop: the loop on which `room` is awaited.
        join: makes one piece of all that have arrived.
    """

    def __init__(self, producer_loop: asyncio.AbstractEventLoop, join: Callable[[Sequence[T]], T]) -> None:
        self._producer_loop = producer_loop
        self._join = join
        self._room = asyncio.Event()
        self._room.set()
        self._lock = threading.Lock()
        self._pieces: list[T] = []
        self._waiting = 0
        self._ended = False
        self._abandoned = False
        self._error: BaseException | None = None
        self._wake: Callable[[], object] | None = None

    def put(self, piece: T, characters: int) -> None:
        """Hand over a piece, which is so many characters long."""
        with self._lock:
            self._pieces.append(piece)
            self._waiting += characters
            wake, self._wake = self._wake, None
            if self._waiting > HIGH_WATER:
                self._room.clear()
        if wake is not None:
            wake()
            time.sleep(0)  # lets the consumer's thread have the interpreter now, not when this one has nothing to do

    @property
    def must_wait(self) -> bool:
        """Whether the producer has to `await room()` before it puts more."""
        return self._waiting > HIGH_WATER or self._abandoned

    async def room(self) -> None:
        """Wait while the consumer is far behind.

        Raises:
            asyncio.CancelledError: the consumer has gone.
        """
        if self._abandoned:
            # The cancellation is on its way. A second one would meet the producer in the middle of cleaning up.
            await asyncio.sleep(_LOST_AFTER)
            raise asyncio.CancelledError("nobody takes this answer any more")
        await self._room.wait()

    def end(self, error: BaseException | None = None) -> None:
        """Say that nothing follows; `error` is raised at the consumer once it has everything. The first word counts."""
        with self._lock:
            if self._ended:
                return
            self._ended, self._error = True, error
            wake, self._wake = self._wake, None
        if wake is not None:
            wake()

    def abandon(self) -> None:
        """Say that nobody will take anything more, in case the producer's cancellation is lost on its way."""
        self._abandoned = True

    def get(self) -> T | None:
        """Wait for a piece and return all there is, or `None` at the end.

        Raises:
            BaseException: what the producer ended with.
        """
        while True:
            arrived = threading.Lock()
            arrived.acquire()
            ready, piece = self._take(arrived.release)
            if ready:
                return piece
            while not arrived.acquire(timeout=_WAKE_UP_EVERY):
                pass

    async def aget(self) -> T | None:
        """Do the same on the consumer's event loop, without blocking it."""
        loop = asyncio.get_running_loop()
        while True:
            arrived: asyncio.Future[None] = loop.create_future()
            ready, piece = self._take(lambda: _wake_loop(loop, arrived))  # noqa: B023  # called at once
            if ready:
                return piece
            await arrived

    def _take(self, wake: Callable[[], object]) -> tuple[bool, T | None]:
        """Return whether there is an outcome, and the piece; leave `wake` behind where there is none yet."""
        with self._lock:
            if self._pieces:
                pieces, self._pieces = self._pieces, []
                was_full = self._waiting > HIGH_WATER
                self._waiting = 0
            elif self._ended:
                if self._error is not None:
                    raise self._error
                return True, None
            else:
                self._wake = wake
                return False, None
        if was_full:
            self._producer_loop.call_soon_threadsafe(self._room.set)
        return True, self._join(pieces)


def _wake_loop(loop: asyncio.AbstractEventLoop, arrived: asyncio.Future[None]) -> None:
    def wake() -> None:
        if not arrived.done():
            arrived.set_result(None)

    # A closed loop raises: nobody waits there any more.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(wake)
