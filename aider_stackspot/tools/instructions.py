"""What the model is told about its tools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aider_stackspot.tools.history import to_json
from aider_stackspot.tools.offer import OfferedTools, Tool, read_offered_tools
from aider_stackspot.tools.protocol import CLOSE, OPEN, RESULT_CLOSE, RESULT_OPEN

_SYNTAX = f"""\
# Tools

You can call the tools listed below. A call is written exactly like this, as plain text outside of any code fence:

{OPEN}
{{"name": "tool-name", "arguments": {{"parameter": "value"}}}}
{CLOSE}

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
_CHOICE = {
    "auto": "When no tool is needed, or none is left to call, answer without one.",
    "required": "This answer must contain a tool call.",
}


def instructions(tools: Sequence[Any] | None, tool_choice: Any = None, parallel: bool = True) -> str:
    """The text about tools for the system part of the prompt.

    Args:
        tools: the request's `tools`.
        tool_choice: the request's `tool_choice`.
        parallel: the request's `parallel_tool_calls`.

    Returns:
        empty when there are no tools or the choice is `none`.

    Raises:
        ValueError: tools or a choice that cannot be used; see `read_offered_tools`.
    """
    offer = read_offered_tools(tools, tool_choice, parallel)
    if not offer.active:
        return ""
    rules = _SYNTAX.replace("{parallel}", _PARALLEL[offer.parallel]).replace("{choice}", _choice(offer))
    return rules + "\n".join(_describe(tool) for tool in offer.tools.values())


def _choice(offer: OfferedTools) -> str:
    if offer.mode == "named":
        return f"This answer must contain a call of the tool {to_json(offer.name)}, and of no other."
    return _CHOICE[offer.mode]


def _describe(tool: Tool) -> str:
    entry: dict[str, Any] = {"name": tool.name}
    if tool.description:
        entry["description"] = tool.description
    if tool.parameters:
        entry["parameters"] = tool.parameters
    return to_json(entry)
