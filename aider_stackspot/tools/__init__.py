"""Tool calls and JSON answers over a service that takes one text and gives one text. Pure: no network, no files.

How a tool call travels, and which file to change:

1. `request` reads `tools`, `tool_choice`, `parallel_tool_calls` and `response_format`, or refuses them by name.
2. `answer_requirements` writes what the prompt says: the tools, the syntax of a call (`tool_call_syntax`), the JSON.
3. `pipeline/prompt.py` puts that behind the system messages, and earlier calls and results into the same syntax.
4. The answer streams in. `tool_call_parser` finds the calls, mends their JSON (`lenient_json`), checks it
   (`json_schema`) and gives out `events`; `answer_requirements` does so for a JSON answer.
5. The caller turns the events into its own protocol; the tool's result comes back with the next request's messages.

For the caller `answer_requirements` ties these together: one object for a request, one parser for its answer.
"""

from aider_stackspot.tools.answer_requirements import (
    AnswerParser,
    AnswerRequirements,
    finish_reason,
    read_answer_requirements,
)
from aider_stackspot.tools.events import AnswerWarning, Event, RejectedCall, TextDelta, ToolCall
from aider_stackspot.tools.request import as_mapping
from aider_stackspot.tools.tool_call_syntax import (
    CALL_CLOSE,
    CALL_OPEN,
    calls_as_json,
    escape_text,
    is_result,
    result_tags,
)

__all__ = [
    "CALL_CLOSE",
    "CALL_OPEN",
    "AnswerParser",
    "AnswerRequirements",
    "AnswerWarning",
    "Event",
    "RejectedCall",
    "TextDelta",
    "ToolCall",
    "as_mapping",
    "calls_as_json",
    "escape_text",
    "finish_reason",
    "is_result",
    "read_answer_requirements",
    "result_tags",
]
