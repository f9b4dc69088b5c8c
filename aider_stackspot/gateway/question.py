"""What a client asks, whichever protocol it spoke: in the words of OpenAI's Chat Completions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Message = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """One request.

    Attributes:
        model: the name of a model, as the client wrote it.
        messages: Chat Completions' messages.
        demands: `tools`, `tool_choice`, `parallel_tool_calls` and `response_format` of Chat Completions.
        streams: whether the answer is wanted as it comes.
        stop: texts at which the answer ends.
        temperature: where the model's own range is the limit.
        parameters: further fields, of which a server of OpenAI's API knows what to do and StackSpot does not.
        arguments: what is asked of a StackSpot agent, by the names of `arguments.AGENT_ARGUMENTS`.
    """

    model: str
    messages: list[Message]
    demands: Mapping[str, Any] = field(default_factory=dict)
    streams: bool = False
    stop: tuple[str, ...] = ()
    temperature: float | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
