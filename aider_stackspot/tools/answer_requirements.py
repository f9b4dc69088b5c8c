"""The parameters of OpenAI's API that a service of text does not have, followed by way of the prompt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aider_stackspot.tools.events import Event, TextDelta
from aider_stackspot.tools.instructions import json_instructions, tool_instructions
from aider_stackspot.tools.request import (
    JsonResponseFormat,
    ToolCallRules,
    read_response_format,
    read_tool_call_rules,
)
from aider_stackspot.tools.response_format import ResponseFormatFilter
from aider_stackspot.tools.tool_call_parser import ToolCallParser

_OLD_FORMS = {"functions": "tools", "function_call": "tool_choice"}


@dataclass(frozen=True)
class AnswerRequirements:
    """What one request demands of its answer besides being text.

    Attributes:
        tool_calls: the calls that are possible.
        response_format: the JSON that is wanted; None when any text will do.
        tool_instructions: what the prompt says about tools; empty where no call is possible.
        json_instructions: what the prompt says about JSON; empty when any text will do.
    """

    tool_calls: ToolCallRules
    response_format: JsonResponseFormat | None
    tool_instructions: str
    json_instructions: str

    @property
    def instructions(self) -> str:
        """All that the prompt has to say; empty for a request that demands nothing."""
        if self.tool_instructions and self.json_instructions:
            return f"{self.tool_instructions}\n\n# Form of an answer without a tool call\n\n{self.json_instructions}"
        return self.tool_instructions or self.json_instructions

    def parser(self, *, whole: bool) -> AnswerParser:
        """Return what reads the answer.

        Args:
            whole: nothing is wanted before the answer is complete, so that its JSON can be mended too.
        """
        return AnswerParser(self, whole)


def read_answer_requirements(parameters: Mapping[str, Any]) -> AnswerRequirements:
    """Read `tools`, `tool_choice`, `parallel_tool_calls` and `response_format` of one request.

    Args:
        parameters: all of the request's parameters, by their names in OpenAI's Chat Completions API.

    Raises:
        ValueError: one of them cannot be honoured; the text says which and why.
    """
    for old, new in _OLD_FORMS.items():
        if parameters.get(old):
            raise ValueError(f"`{old}` is the old form of `{new}`; give `{new}`")
    rules = read_tool_call_rules(
        parameters.get("tools"), parameters.get("tool_choice"), parameters.get("parallel_tool_calls")
    )
    response_format = read_response_format(parameters.get("response_format"))
    return AnswerRequirements(
        tool_calls=rules,
        response_format=response_format,
        tool_instructions=tool_instructions(rules),
        json_instructions=json_instructions(response_format),
    )


class AnswerParser:
    """Reads one answer: calls first, then the form of the text around them."""

    def __init__(self, requirements: AnswerRequirements, whole: bool) -> None:
        self._tool_calls = ToolCallParser(requirements.tool_calls)
        self._json = ResponseFormatFilter(requirements.response_format, hold=whole)

    def feed(self, text: str) -> list[Event]:
        """Read the next piece of the answer and return what is certain by now."""
        return self._formed(self._tool_calls.feed(text))

    def finish(self) -> list[Event]:
        """The answer is over: return what was held back."""
        rest = self._formed(self._tool_calls.finish())
        return rest + self._json.finish(checked=not self._tool_calls.calls)

    def finish_reason(self, upstream: str) -> str:
        """Return the reason to report: a cut answer stays one, although calls were read before the cut."""
        return self._tool_calls.finish_reason if upstream == "stop" else upstream

    def _formed(self, events: list[Event]) -> list[Event]:
        formed: list[Event] = []
        for event in events:
            formed += self._json.feed(event.text) if isinstance(event, TextDelta) else [event]
        return formed
