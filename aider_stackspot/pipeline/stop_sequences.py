"""Stop sequences, which StackSpot's API has none of: the answer is cut on this side."""

from __future__ import annotations

from collections.abc import Sequence


class StopSequences:
    """Cuts a streamed text before the stop sequence that is complete first, as a service that has them would.

    Text that might be the beginning of one is held back until that is decided. After `stopped` is set there is no
    more text.

    Args:
        sequences: the texts to stop at; empty ones are passed over.
    """

    def __init__(self, sequences: Sequence[str]) -> None:
        self._sequences = [sequence for sequence in sequences if sequence]
        self._longest = max((len(sequence) for sequence in self._sequences), default=0)
        self._held = ""
        self.stopped = False

    def feed(self, text: str) -> str:
        """Return what may go out."""
        if not self._sequences or self.stopped:
            return "" if self.stopped else text
        text = self._held + text
        found = [(at + len(sequence), at) for sequence in self._sequences if (at := text.find(sequence)) >= 0]
        if found:
            self.stopped, self._held = True, ""
            return text[: min(found)[1]]
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
