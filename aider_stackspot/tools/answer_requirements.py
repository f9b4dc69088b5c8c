"""What a request demands of an answer's form: tools and the choice among them, or JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aider_stackspot.tools.events import Event, TextDelta, ToolCall
from aider_stackspot.tools.instructions import instructions
from aider_stackspot.tools.parser import ToolCallParser
from aider_stackspot.tools.response_format import ResponseFormatFilter, response_format_instructions


@dataclass(frozen=True)
class AnswerFormat:
    """The parameters of the OpenAI API that StackSpot does not have, as one request gave them.

    Attributes:
        tools: `tools`.
        tool_choice: `tool_choice`.
        parallel: `parallel_tool_calls`.
        response_format: `response_format`.
        tool_syntax: what the system part of the prompt says about tools; empty where no call is possible.
        form: what it says about the form of the answer; empty when any text will do.
    """

    tools: Sequence[Any] | None = None
    tool_choice: Any = None
    parallel: bool = True
    response_format: Any = None
    tool_syntax: str = ""
    form: str = ""

    @property
    def instructions(self) -> str:
        """All that the prompt has to say; empty for a request that demands nothing."""
        if self.tool_syntax and self.form:
            return f"{self.tool_syntax}\n\n# Form of an answer without a tool call\n\n{self.form}"
        return self.tool_syntax or self.form

    def reader(self, *, whole: bool) -> AnswerReader:
        """Return what reads the answer.

        Args:
            whole: nothing is wanted before the answer is complete, so that its JSON can be mended too.
        """
        return AnswerReader(self, whole)


def read_answer_format(parameters: Mapping[str, Any]) -> AnswerFormat:
    """Read the parameters of one request.

    Raises:
        ValueError: one of them cannot be honoured; the text says which and why.
    """
    if parameters.get("functions"):
        raise ValueError("`functions` is the old form of `tools`; give `tools`")
    tools, choice = parameters.get("tools"), parameters.get("tool_choice")
    parallel = parameters.get("parallel_tool_calls") is not False
    response_format = parameters.get("response_format")
    return AnswerFormat(
        tools=tools,
        tool_choice=choice,
        parallel=parallel,
        response_format=response_format,
        tool_syntax=instructions(tools, choice, parallel),
        form=response_format_instructions(response_format),
    )


class AnswerReader:
    """Reads one answer: calls first, then the form of the text around them.

    Attributes:
        calls: the calls so far.
    """

    def __init__(self, demand: AnswerFormat, whole: bool) -> None:
        self._parser = ToolCallParser(demand.tools, demand.tool_choice, parallel=demand.parallel)
        self._form = ResponseFormatFilter(demand.response_format, hold=whole)

    @property
    def calls(self) -> list[ToolCall]:
        """The calls that were given out."""
        return self._parser.calls

    def feed(self, text: str) -> list[Event]:
        """Read the next piece of the answer and return what is certain by now."""
        return self._formed(self._parser.feed(text))

    def finish(self) -> list[Event]:
        """The answer is over: return what was held back."""
        rest = self._formed(self._parser.finish())
        return rest + self._form.finish(checked=not self.calls)

    def finish_reason(self, upstream: str) -> str:
        """Return the reason to report: a cut answer stays one, although calls were read before the cut."""
        return self._parser.finish_reason if upstream == "stop" else upstream

    def _formed(self, events: list[Event]) -> list[Event]:
        formed: list[Event] = []
        for event in events:
            formed += self._form.feed(event.text) if isinstance(event, TextDelta) else [event]
        return formed
