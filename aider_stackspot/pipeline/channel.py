"""From the background loop to the caller: pieces of an answer, handed over as many at a time as have arrived.

A call writes its answer into the channel counted, and text past the caller's stop sequences is left out.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, TypeVar

from aider_stackspot.api.answer import Finish
from aider_stackspot.errors import AnswerTooLong, StackSpotError

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
        self._is_one_thread = False

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
            if not self._is_one_thread:
                time.sleep(0)  # lets the consumer have the interpreter now, not when this thread has nothing to do

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
        self._is_one_thread = loop is self._producer_loop
        wake = _set if self._is_one_thread else _wake_loop
        while True:
            arrived: asyncio.Future[None] = loop.create_future()
            ready, piece = self._take(partial(wake, arrived))
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


def _wake_loop(arrived: asyncio.Future[None]) -> None:
    # A closed loop raises: nobody waits there any more.
    with contextlib.suppress(RuntimeError):
        arrived.get_loop().call_soon_threadsafe(_set, arrived)


def _set(arrived: asyncio.Future[None]) -> None:
    if not arrived.done():
        arrived.set_result(None)


MAX_ANSWER_CHARACTERS = 64 * 1024 * 1024
"""Of one answer: a server that never stops must not fill the memory of whoever collects what it says."""


class AnswerWriter(Generic[T]):
    """Takes a call's answer and its end, on the background loop.

    Args:
        channel: leads to the consumer.
    """

    def __init__(self, channel: Channel[T]) -> None:
        self._channel = channel
        self.has_output = False
        self.finish: Finish | None = None
        self.characters = 0
        self.first_output_at: float | None = None
        self.execution: str | None = None  # of a quick command, so that a retry goes on with it

    def write(self, piece: T, characters: int) -> None:
        """Hand over a piece of the answer, which is so many characters long; nothing, where it is empty.

        Raises:
            AnswerTooLong: the answer has more than `MAX_ANSWER_CHARACTERS`.
        """
        if piece:
            self._count(characters)
            self._channel.put(piece, characters)

    def finished(self, finish: Finish) -> None:
        """Say that the answer is complete. The first end counts."""
        if self.finish is None:
            self.finish = finish
            self._channel.end()

    def failed(self, error: StackSpotError) -> None:
        """Say that the answer will not be completed; nothing, where it is complete."""
        self._channel.end(error)

    @property
    def must_wait(self) -> bool:
        """Whether the consumer is so far behind, or gone, that `room` has to be awaited before there is more."""
        return self._channel.must_wait

    async def room(self) -> None:
        """Wait until the consumer has caught up.

        Raises:
            asyncio.CancelledError: the consumer has gone.
        """
        await self._channel.room()

    def _count(self, characters: int) -> None:
        if not self.has_output:
            self.has_output, self.first_output_at = True, time.monotonic()
        self.characters += characters
        if self.characters > MAX_ANSWER_CHARACTERS:
            raise AnswerTooLong(
                f"The answer is longer than {MAX_ANSWER_CHARACTERS:,} characters and was given up; the server may "
                "have got into a loop."
            )


class TextWriter(AnswerWriter[str]):
    """The same for text, which ends before the first stop sequence.

    Args:
        channel: leads to the consumer.
        stop: texts at which the answer ends.
    """

    def __init__(self, channel: Channel[str], stop: Sequence[str] = ()) -> None:
        super().__init__(channel)
        self._stop = StopSequences(stop)

    def write(self, piece: str, characters: int) -> None:
        """Hand over text; a stop sequence in it ends the answer.

        Raises:
            AnswerTooLong: the answer has more than `MAX_ANSWER_CHARACTERS`.
        """
        if piece:
            self._count(len(piece))
            piece = self._stop.feed(piece)
        if piece:
            self._channel.put(piece, len(piece))
        if self._stop.stopped_at is not None:
            self.finished(Finish(reason="stop", stop_sequence=self._stop.stopped_at))

    def finished(self, finish: Finish) -> None:
        """Hand over what was held back, and say that the answer is complete."""
        held = self._stop.finish()
        if held:
            self._channel.put(held, len(held))
        super().finished(finish)


class StopSequences:
    """Cuts a streamed text before the stop sequence that is complete first, as a service that has them would.

    StackSpot's API has none, so that the answer is cut on this side. Text that might be the beginning of one is held
    back until that is decided. Once `stopped_at` is one of them there is no more text.

    Args:
        sequences: the texts to stop at; empty ones are passed over.
    """

    def __init__(self, sequences: Sequence[str]) -> None:
        self._sequences = [sequence for sequence in sequences if sequence]
        self._longest = max((len(sequence) for sequence in self._sequences), default=0)
        self._held = ""
        self.stopped_at: str | None = None

    def feed(self, text: str) -> str:
        """Return what may go out."""
        if not self._sequences or self.stopped_at is not None:
            return text if self.stopped_at is None else ""
        text = self._held + text
        found = [(at + len(sequence), at) for sequence in self._sequences if (at := text.find(sequence)) >= 0]
        if found:
            end, at = min(found)
            self.stopped_at, self._held = text[at:end], ""
            return text[:at]
        keep = self._possible_beginning(text)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def finish(self) -> str:
        """Return what was held back, at the end of the answer."""
        held, self._held = self._held, ""
        return held

    def _possible_beginning(self, text: str) -> int:
        for length in range(min(self._longest - 1, len(text)), 0, -1):
            tail = text[-length:]
            if any(sequence.startswith(tail) for sequence in self._sequences):
                return length
        return 0
