"""The parameters of OpenAI's API that a service of text does not have, followed by way of the prompt.

Of an answer that should be JSON the wrapping is taken off while it streams, and it is checked at its end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aider_stackspot.tools.events import AnswerWarning, Event, TextDelta
from aider_stackspot.tools.json_schema import SchemaChecker
from aider_stackspot.tools.lenient_json import AFTER_JSON, JsonExtent, decode, mend
from aider_stackspot.tools.request import (
    JsonResponseFormat,
    Tool,
    ToolCallRules,
    read_response_format,
    read_tool_call_rules,
)
from aider_stackspot.tools.tool_call_parser import ToolCallParser
from aider_stackspot.tools.tool_call_syntax import CALL_CLOSE, CALL_OPEN, RESULT_CLOSE, RESULT_OPEN, to_json

# What may stand before the JSON: spaces and a code fence, with its language.
_BEFORE = re.compile(r"\s*(?:`{0,8}|`{3,8}[A-Za-z0-9]*\s*)")
_FENCE_END = re.compile(r"\s*`{1,8}")
_BRACKET = re.compile(r"[{}\[\]]")
MAX_BEFORE = 64


class ResponseFormatFilter:
    """Takes the wrapping off one answer that should be JSON, and checks it at the end.

    An answer that begins with JSON, or with a code fence and JSON, streams from its first bracket to its last. Any
    other answer (a sentence, then JSON) is held back to the end. What stands around the only JSON value of an answer is
    left out if the value is as demanded; otherwise the answer is given out as it came (without a fence that was already
    taken off), with a warning.

    Args:
        wanted: what the request demands; None where any text will do.
        hold: give nothing out before `finish`, so that the JSON can also be mended (see `lenient_json`). For callers
            that want one answer.
    """

    def __init__(self, wanted: JsonResponseFormat | None, *, hold: bool = False) -> None:
        self._wanted = wanted
        self._checker = SchemaChecker(wanted.schema if wanted else {})
        self._extent = JsonExtent()
        self._before = ""
        self._value: list[str] = []
        self._fenced = False
        self._rest: list[str] = []  # held back: what follows the value, or an answer that does not begin with one
        self._read: Callable[[str], str] = self._read_before
        if hold:
            self._read = self._read_rest
        if wanted is None:
            self._read = str

    def feed(self, text: str) -> list[Event]:
        """Read the next piece of the answer and return what can be given out by now."""
        return _text(self._read(text))

    def finish(self, *, checked: bool = True) -> list[Event]:
        """The answer is over: return what was held back, and a warning if the answer is not as demanded.

        A second call returns nothing.

        Args:
            checked: False for an answer that is no final one (it calls tools): its text is given out as it came.
        """
        if self._wanted is None:
            return []
        rest = self._before + "".join(self._rest)
        self._before, self._rest, self._read, self._wanted = "", [], str, None
        if not checked:
            return _text(rest)
        if not self._value:
            return self._finish_held(rest)
        problem = self._problem("".join(self._value)) if self._extent.complete else "it is not one JSON value"
        if AFTER_JSON.fullmatch(rest):
            return _warning(problem)
        if problem or _BRACKET.search(rest):
            rest = _FENCE_END.sub("", rest, count=1) if self._fenced else rest
            return [*_text(rest), *_warning(problem or "it is more than one JSON value")]
        return [AnswerWarning("the answer had text behind its JSON, which was left out")]

    def _read_before(self, text: str) -> str:
        for pos, char in enumerate(text):
            if char in "{[":
                self._fenced = "`" in self._before
                self._before = ""
                self._read = self._read_value
                return self._read_value(text[pos:])
            self._before += char
            if len(self._before) > MAX_BEFORE or not _BEFORE.fullmatch(self._before):
                self._read = self._read_rest
                return self._read_rest(text[pos + 1 :])
        return ""

    def _read_value(self, text: str) -> str:
        end = self._extent.feed(text, 0)
        self._value.append(text[:end])
        if self._extent.ended:
            self._read = self._read_rest
            self._rest.append(text[end:])
        return text[:end]

    def _read_rest(self, text: str) -> str:
        self._rest.append(text)
        return ""

    def _finish_held(self, text: str) -> list[Event]:
        value, around = _find_value(text)
        value = mend(value) or value
        problem = self._problem(value) if value else "it is not one JSON value"
        if problem:
            return [*_text(text), *_warning(problem)]
        if around:
            return [TextDelta(value), AnswerWarning("the answer had text around its JSON, which was left out")]
        return [TextDelta(value)]

    def _problem(self, text: str) -> str | None:
        try:
            value = decode(text)
        except ValueError:
            return "it is not valid JSON"
        problem = self._checker.problem(value)
        return None if problem is None else f"it does not satisfy the schema: {problem}"


def _find_value(text: str) -> tuple[str, bool]:
    """The only JSON object or array of a text (empty if there are more), and whether it leaves more than a fence."""
    start = _BRACKET.search(text)
    if start is None:
        return text.strip(), False  # maybe a number or a string, which some schemas allow
    extent = JsonExtent()
    end = extent.feed(text, start.start())
    before, behind = text[: start.start()], text[end:]
    wrapped = bool(AFTER_JSON.fullmatch(behind))
    if not extent.complete or (_BRACKET.search(behind) and not wrapped):
        return "", True
    return text[start.start() : end], not (wrapped and _BEFORE.fullmatch(before))


def _text(text: str) -> list[Event]:
    return [TextDelta(text)] if text else []


def _warning(problem: str | None) -> list[Event]:
    return [AnswerWarning(f"the answer is not as response_format demands: {problem}")] if problem else []


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
