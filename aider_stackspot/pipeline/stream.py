"""An answer as its consumer sees it: pieces as they come, for `for` and for `async for`, and how it ended."""

from __future__ import annotations

import concurrent.futures
from typing import Generic, TypeVar

from aider_stackspot.api.answer import Finish
from aider_stackspot.pipeline.background_loop import background_loop
from aider_stackspot.pipeline.call import run
from aider_stackspot.pipeline.channel import AnswerWriter, Channel, TextWriter
from aider_stackspot.pipeline.request import Call
from aider_stackspot.pipeline.shared import shared_resources

T = TypeVar("T")


class AnswerStream(Generic[T]):
    """One answer as it comes.

    Each item is everything that has arrived since the last one. After the last, `finish` tells how the answer ended.
    Closing it, or dropping the last reference, closes the connection at once.
    """

    def __init__(self, channel: Channel[T], writer: AnswerWriter[T], work: concurrent.futures.Future[None]) -> None:
        self._channel = channel
        self._writer = writer
        self._work = work

    @property
    def finish(self) -> Finish | None:
        """How the answer ended; `None` before the end."""
        return self._writer.finish

    def __iter__(self) -> AnswerStream[T]:
        return self

    def __next__(self) -> T:
        try:
            piece = self._channel.get()
        except BaseException:  # Ctrl-C too: whoever keeps the exception would keep the connection
            self.close()
            raise
        if piece is None:
            raise StopIteration
        return piece

    def __aiter__(self) -> AnswerStream[T]:
        return self

    async def __anext__(self) -> T:
        try:
            piece = await self._channel.aget()
        except BaseException:  # cancellation too
            self.close()
            raise
        if piece is None:
            raise StopAsyncIteration
        return piece

    def close(self) -> None:
        """Give up the rest of the answer."""
        # A complete answer's connection is still being made ready for the next call: that goes on.
        if self._writer.finish is None:
            self._channel.abandon()
            self._work.cancel()

    async def aclose(self) -> None:
        """Do the same; it never blocks."""
        self.close()

    def __del__(self) -> None:
        self.close()


def start(call: Call[T]) -> AnswerStream[T]:
    """Begin a call. What goes wrong from here on is raised where the stream is read."""
    channel = Channel(background_loop().loop, call.join)
    return _started(call, channel, AnswerWriter(channel))


def start_text(call: Call[str], stop: tuple[str, ...] = ()) -> AnswerStream[str]:
    """Begin a call for text, which ends before the first stop sequence."""
    channel = Channel(background_loop().loop, call.join)
    return _started(call, channel, TextWriter(channel, stop))


def _started(call: Call[T], channel: Channel[T], writer: AnswerWriter[T]) -> AnswerStream[T]:
    return AnswerStream(channel, writer, background_loop().submit(run(call, shared_resources(), writer)))
