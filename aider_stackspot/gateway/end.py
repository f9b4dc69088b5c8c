"""How a complete answer ended, what it cost, and what StackSpot told with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aider_stackspot.api.answer import Finish, Usage
from aider_stackspot.pipeline.usage_record import CHARACTERS_PER_TOKEN


@dataclass(frozen=True)
class End:
    """How a complete answer ended.

    Attributes:
        reason: one of OpenAI's finish reasons.
        usage: counted, or estimated.
        stop_sequence: the client's own text at which it ended.
        told: the conversation and the knowledge sources of a StackSpot agent; empty where it named neither.
    """

    reason: str
    usage: Usage
    stop_sequence: str | None = None
    told: Mapping[str, Any] = field(default_factory=dict)

    @property
    def extra(self) -> dict[str, Any]:
        """What stands beside the protocol's own fields: `stackspot`, where there is something to tell."""
        return {"stackspot": dict(self.told)} if self.told else {}


def told_by(finish: Finish) -> Mapping[str, Any]:
    """Return what a program can use of what StackSpot told."""
    return finish.facts if finish.conversation_id or finish.sources else {}


def estimated_tokens(of: str | int) -> int:
    """Return how many tokens a text, or a number of characters, may be; for where nobody counts them."""
    return -(-(of if isinstance(of, int) else len(of)) // CHARACTERS_PER_TOKEN)
