"""Where a call's answer goes: into the channel, counted, and for text past the caller's stop sequences."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Generic, TypeVar

from aider_stackspot.api.answer import Finish
from aider_stackspot.errors import AnswerTooLong, StackSpotError
from aider_stackspot.pipeline.channel import Channel

T = TypeVar("T")

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
