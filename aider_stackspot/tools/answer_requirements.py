"""The parameters of OpenAI's API that a service of text does not have, followed by way of the prompt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aider_stackspot.tools.events import Event, TextDelta
from aider_stackspot.tools.request import (
    JsonResponseFormat,
    Tool,
    ToolCallRules,
    read_response_format,
    read_tool_call_rules,
)
from aider_stackspot.tools.response_format import ResponseFormatFilter
from aider_stackspot.tools.tool_call_parser import ToolCallParser
from aider_stackspot.tools.tool_call_syntax import CALL_CLOSE, CALL_OPEN, RESULT_CLOSE, RESULT_OPEN, to_json

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

    def parser(self, *, whole: bool, report_rejected: bool = False) -> AnswerParser:
        """Return what reads the answer.

        Args:
            whole: nothing is wanted before the answer is complete, so that its JSON can be mended too.
            report_rejected: give calls that must not be made out as `RejectedCall`, and not as text.
        """
        return AnswerParser(self, whole, report_rejected)


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

    def __init__(self, requirements: AnswerRequirements, whole: bool, report_rejected: bool) -> None:
        self._tool_calls = ToolCallParser(requirements.tool_calls, report_rejected=report_rejected)
        self._json = ResponseFormatFilter(requirements.response_format, hold=whole)

    def feed(self, text: str) -> list[Event]:
        """Read the next piece of the answer and return what is certain by now."""
        return self._formed(self._tool_calls.feed(text))

    def finish(self) -> list[Event]:
        """The answer is over: return what was held back."""
        rest = self._formed(self._tool_calls.finish())
        return rest + self._json.finish(checked=not self._tool_calls.calls)

    def finish_reason(self, upstream: str) -> str:
        """Return the reason to report, whatever a service calls it."""
        return finish_reason(upstream, has_calls=bool(self._tool_calls.calls))

    def _formed(self, events: list[Event]) -> list[Event]:
        formed: list[Event] = []
        for event in events:
            formed += self._json.feed(event.text) if isinstance(event, TextDelta) else [event]
        return formed


def finish_reason(told: str, *, has_calls: bool) -> str:
    """Return why an answer ended: programs make the calls of one that says so, and wait for none elsewhere.

    Args:
        told: the service's own word; a cut answer stays one, although calls were read before the cut.
        has_calls: whether there is a call to make.
    """
    if told in ("length", "content_filter"):
        return told
    return "tool_calls" if has_calls else "stop"


_SYNTAX = f"""\
# Tools

You can call the tools listed below. A call is written exactly like this, as plain text outside of any code fence:

{CALL_OPEN}
{{"name": "tool-name", "arguments": {{"parameter": "value"}}}}
{CALL_CLOSE}

- The arguments are one JSON object that satisfies the tool's schema. Inside strings, line breaks, quotation marks and \
backslashes are escaped as JSON demands.
- To say that you will use a tool does nothing: in the same answer, write the call. Text for the user goes before it.
- {{parallel}}
- After the last call, end your answer. The result comes in the next message as {RESULT_OPEN} id="...">...\
{RESULT_CLOSE}; never write a result yourself. Its id is the one that the history adds to your call; write none.
- In messages, <\\stk: stands for a quoted <stk: that is not part of this syntax; in arguments, write the latter.
- {{choice}}

The tools, each with the JSON Schema of its arguments:
"""
_PARALLEL = {
    True: "Calls that do not depend on each other's results go into one answer, each between markers of its own.",
    False: "At most one call in an answer.",
}
_REQUIRED = {
    True: "This answer must contain a call of a tool that is listed below.",
    False: "When no tool is needed, or none is left to call, answer without one.",
}


def tool_instructions(rules: ToolCallRules) -> str:
    """The text about tools for the system part of the prompt; empty where no call is possible.

    Raises:
        ValueError: a tool's schema holds what JSON has no form for.
    """
    if not rules.tools:
        return ""
    text = _SYNTAX.replace("{parallel}", _PARALLEL[rules.parallel]).replace("{choice}", _REQUIRED[rules.required])
    return text + "\n".join(_describe(tool) for tool in rules.tools.values())


def _describe(tool: Tool) -> str:
    entry: dict[str, Any] = {"name": tool.name}
    if tool.description:
        entry["description"] = tool.description
    if tool.parameters:
        entry["parameters"] = tool.parameters
    try:
        return to_json(entry)
    except ValueError as error:
        raise ValueError(f"tools: the schema of {tool.name!r} cannot be written as JSON: {error}") from None


def json_instructions(wanted: JsonResponseFormat | None) -> str:
    """The text about the form of the answer for the system part of the prompt; empty when any text will do.

    Raises:
        ValueError: the schema holds what JSON has no form for.
    """
    if wanted is None:
        return ""
    rules = "Your answer is one JSON object and nothing else: no text before or after it, no code fence."
    if wanted.schema == {"type": "object"}:
        return rules
    meaning = f"\nWhat it is: {to_json(wanted.description)}" if wanted.description else ""
    try:
        schema = to_json(wanted.schema)
    except ValueError as error:
        raise ValueError(f"response_format: the schema cannot be written as JSON: {error}") from None
    return f"{rules.replace('object', 'value')} It satisfies this JSON Schema:{meaning}\n{schema}"
