"""Where a call's text goes: past the stop sequences, into the channel."""

from __future__ import annotations

import time

from aider_stackspot.api.answer import Finish
from aider_stackspot.errors import StackSpotError
from aider_stackspot.pipeline.channel import Channel
from aider_stackspot.pipeline.stop_sequences import StopSequences


class AnswerWriter:
    """Takes a call's text and its end, on the background loop.

    Args:
        channel: leads to the consumer.
        stop: texts at which the answer ends.
    """

    def __init__(self, channel: Channel, stop: tuple[str, ...] = ()) -> None:
        self._channel = channel
        self._stop = StopSequences(stop)
        self.has_text = False
        self.finish: Finish | None = None
        self.characters = 0
        self.first_text_at: float | None = None
        self.execution: str | None = None  # of a quick command, so that a retry goes on with it

    def text(self, text: str) -> None:
        """Hand over text; a stop sequence in it ends the answer."""
        if text:
            if not self.has_text:
                self.has_text, self.first_text_at = True, time.monotonic()
            self.characters += len(text)
            text = self._stop.feed(text)
        if text:
            self._channel.put(text)
        if self._stop.stopped and self.finish is None:
            self.finished(Finish(reason="stop"))

    def finished(self, finish: Finish) -> None:
        """Hand over what was held back, and say that the answer is complete."""
        held = self._stop.finish()
        if held:
            self._channel.put(held)
        self.finish = finish
        self._channel.end()

    def failed(self, error: StackSpotError) -> None:
        """Say that the answer will not be completed; nothing, where it is complete."""
        self._channel.end(error)

    @property
    def must_wait(self) -> bool:
        """Whether the consumer is so far behind, or gone, that `room` has to be awaited before there is more text."""
        return self._channel.must_wait

    async def room(self) -> None:
        """Wait until the consumer has caught up.

        Raises:
            asyncio.CancelledError: the consumer has gone.
        """
        await self._channel.room()
