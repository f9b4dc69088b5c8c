"""Tool calls and JSON answers over a service that only knows text. Pure: no network, no files, no litellm."""

from .demand import AnswerReader, Demand, read_demand
from .events import Event, TextDelta, ToolCall, Warning
from .history import render_call, render_message
from .instructions import instructions
from .parser import ToolCallParser
from .protocol import escape_text, new_call_id
from .response_format import ResponseFormatFilter, response_format_instructions

__all__ = [
    "AnswerReader",
    "Demand",
    "Event",
    "ResponseFormatFilter",
    "TextDelta",
    "ToolCall",
    "ToolCallParser",
    "Warning",
    "escape_text",
    "instructions",
    "new_call_id",
    "read_demand",
    "render_call",
    "render_message",
    "response_format_instructions",
]
