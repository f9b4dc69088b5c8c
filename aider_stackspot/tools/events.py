"""What an answer's text is read into: text for the client, tool calls, and warnings for the operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True)
class TextDelta:
    """Text of the answer, to be given to the client as it is.

    Attributes:
        text: never empty.
    """

    text: str


@dataclass(frozen=True)
class ToolCall:
    """A whole, checked call.

    Attributes:
        id: unique among all calls.
        name: the name of one of the request's tools.
        arguments: the arguments as JSON text of one object, in the model's own spelling (numbers keep their digits).
        index: the position among the calls of this answer, from 0.
    """

    id: str
    name: str
    arguments: str
    index: int

    @property
    def in_message(self) -> dict[str, Any]:
        """The call as a message of Chat Completions has it."""
        return {"id": self.id, "type": "function", "function": {"name": self.name, "arguments": self.arguments}}


@dataclass(frozen=True)
class AnswerWarning:
    """Something the operator should know. It names tools and schema keywords, never the content of an answer.

    Attributes:
        message: one line.
    """

    message: str


@dataclass(frozen=True)
class RejectedCall:
    """A call that may not be made, for a caller that asks the model for it once more; others get its text.

    Attributes:
        text: all of it, with its markers, as it came.
        problem: what is wrong with it, as one line that does not quote it.
    """

    text: str
    problem: str


Event: TypeAlias = TextDelta | ToolCall | RejectedCall | AnswerWarning
