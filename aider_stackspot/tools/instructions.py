"""What the prompt tells the model about its tools, and about the JSON that is wanted."""

from __future__ import annotations

from typing import Any

from aider_stackspot.tools.request import JsonResponseFormat, Tool, ToolCallRules
from aider_stackspot.tools.tool_call_syntax import CALL_CLOSE, CALL_OPEN, RESULT_CLOSE, RESULT_OPEN, to_json

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
