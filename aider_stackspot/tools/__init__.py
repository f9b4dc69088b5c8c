"""Tool calls and JSON answers over a service that only knows text. Pure: no network, no files, no litellm."""

from aider_stackspot.tools.demand import AnswerFormat, AnswerReader, read_answer_format
from aider_stackspot.tools.events import Event, TextDelta, ToolCall, Warning
from aider_stackspot.tools.history import render_call, render_message
from aider_stackspot.tools.instructions import instructions
from aider_stackspot.tools.parser import ToolCallParser
from aider_stackspot.tools.protocol import escape_text, new_call_id
from aider_stackspot.tools.response_format import ResponseFormatFilter, response_format_instructions

__all__ = [
    "AnswerFormat",
    "AnswerReader",
    "Event",
    "ResponseFormatFilter",
    "TextDelta",
    "ToolCall",
    "ToolCallParser",
    "Warning",
    "escape_text",
    "instructions",
    "new_call_id",
    "read_answer_format",
    "render_call",
    "render_message",
    "response_format_instructions",
]
