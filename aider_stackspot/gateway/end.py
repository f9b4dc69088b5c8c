"""How a complete answer ended, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass

from aider_stackspot.api.answer import Usage
from aider_stackspot.pipeline.usage_record import CHARACTERS_PER_TOKEN


@dataclass(frozen=True)
class End:
    """How a complete answer ended; `reason` is one of OpenAI's finish reasons."""

    reason: str
    usage: Usage
    stop_sequence: str | None = None


def estimated_tokens(of: str | int) -> int:
    """Return how many tokens a text, or a number of characters, may be; for where nobody counts them."""
    return -(-(of if isinstance(of, int) else len(of)) // CHARACTERS_PER_TOKEN)
