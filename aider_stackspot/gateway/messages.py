"""Anthropic's Messages: what a request may have, and the same in the words of Chat Completions; the answer's events."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from aider_stackspot.gateway.answer import Answer, AnswerEvent, end_of
from aider_stackspot.gateway.errors import GatewayError, Protocol, invalid
from aider_stackspot.gateway.messages_content import assistant_message, texts_of_blocks, user_messages
from aider_stackspot.gateway.reply import End, event
from aider_stackspot.gateway.request import Fields, Message, Question, agent_arguments, read, refuse
from aider_stackspot.tools import TextDelta, ToolCall


class ToolChoice(Fields):
    """Which tools have to be called."""

    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class Tool(Fields):
    """A tool of the client's; those that run at Anthropic have a `type` of their own, and further fields."""

    name: str
    input_schema: dict[str, Any]
    type: Literal["custom"] | None = None
    description: str | None = None
    strict: bool | None = None
    cache_control: Any = None
    eager_input_streaming: bool | None = None
    defer_loading: bool | None = None
    allowed_callers: Any = None
    input_examples: Any = None


class OutputConfig(Fields):
    """How the answer is wanted."""

    effort: str | None = None
    format: dict[str, Any] | None = None
    task_budget: Any = None


class ChatTurn(Fields):
    """One message."""

    role: Literal["user", "assistant", "system"]
    content: str | list[Any]


HARMLESS = (
    "cache_control",
    "context_management",
    "diagnostics",
    "inference_geo",
    "max_tokens",
    "metadata",
    "service_tier",
    "speed",
    "thinking",
    "top_k",
    "top_p",
)
"""Fields without effect at StackSpot (docs/gateway.md)."""

REFUSED = {
    "container": "nothing runs at the service",
    "mcp_servers": "nothing runs at the service; let your program connect to them",
}


class CountRequest(Fields):
    """A request to count tokens."""

    model: str
    messages: Annotated[list[ChatTurn], Field(min_length=1)]
    system: str | list[Any] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: ToolChoice | None = None
    output_config: OutputConfig | None = None
    output_format: dict[str, Any] | None = None
    thinking: Any = None
    cache_control: Any = None
    context_management: Any = None
    diagnostics: Any = None
    inference_geo: str | None = None
    speed: str | None = None
    container: Any = None
    mcp_servers: Any = None


class MessagesRequest(CountRequest):
    """A request."""

    max_tokens: Annotated[int, Field(ge=1)]
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    temperature: Annotated[float, Field(ge=0, le=1)] | None = None
    top_k: int | None = None
    top_p: float | None = None
    metadata: Any = None
    service_tier: str | None = None

    @property
    def wants_thoughts(self) -> bool:
        """Whether the client wants to see what the model thought."""
        return isinstance(self.thinking, dict) and self.thinking.get("type") in ("enabled", "adaptive")


def read_messages(body: dict[str, Any]) -> tuple[MessagesRequest, Question]:
    """Read a request.

    Raises:
        GatewayError: something in it cannot be honoured.
    """
    body, asked = agent_arguments(body)
    request = read(MessagesRequest, body)
    refuse(body, REFUSED)
    if request.messages[-1].role == "assistant":
        raise invalid(_PREFILL, f"messages[{len(request.messages) - 1}]", "unsupported_parameter")
    given = {"max_tokens": request.max_tokens, "top_p": request.top_p}
    question = Question(
        model=request.model,
        messages=_conversation(request),
        demands=_demands(request),
        streams=request.stream is True,
        stop=tuple(request.stop_sequences or ()),
        temperature=request.temperature,
        parameters={name: value for name, value in given.items() if value is not None},
        arguments=asked,
    )
    return request, question


_PREFILL = "This model does not support assistant message prefill. The conversation must end with a user message."
"""Claude's own words since its release 4.6, which programs know; an answer that begins anew would be put behind it."""


def read_count(body: dict[str, Any]) -> Question:
    """Read a request to count tokens.

    Raises:
        GatewayError: something in it cannot be honoured.
    """
    body, asked = agent_arguments(body)
    request = read(CountRequest, body)
    refuse(body, REFUSED)
    return Question(request.model, _conversation(request), demands=_demands(request), arguments=asked)


def _conversation(request: CountRequest) -> list[Message]:
    messages: list[Message] = []
    if request.system:
        messages.append({"role": "system", "content": texts_of_blocks(request.system, "system")})
    for index, turn in enumerate(request.messages):
        place = f"messages[{index}].content"
        if turn.role == "system":
            messages.append({"role": "system", "content": texts_of_blocks(turn.content, place)})
        elif turn.role == "assistant":
            messages.append(assistant_message(turn.content, place))
        else:
            messages += user_messages(turn.content, place)
    return messages


def _demands(request: CountRequest) -> dict[str, Any]:
    choice = request.tool_choice
    wanted = request.output_config.format if request.output_config is not None else None
    return {
        "tools": [_tool(tool, f"tools[{index}]") for index, tool in enumerate(request.tools or ())],
        "tool_choice": _choice(choice),
        "parallel_tool_calls": False if choice is not None and choice.disable_parallel_tool_use else None,
        "response_format": _response_format(wanted or request.output_format),
    }


_RUN_BY_CLIENTS = ("bash_", "computer_", "memory_", "text_editor_")
"""Tools that a program runs, and whose schema Anthropic's models know by heart."""


def _tool(given: dict[str, Any], place: str) -> dict[str, Any]:
    kind = given.get("type")
    if kind not in (None, "custom"):
        if str(kind).startswith(_RUN_BY_CLIENTS):
            raise invalid(
                f"`{place}` has the type `{str(kind)[:60]}`, whose schema only Anthropic's models know: give the tool "
                "an `input_schema`, and no `type`.",
                place,
            )
        return {"type": kind, "name": given.get("name")}  # one that Anthropic runs
    tool = read(Tool, given, place)
    function = {"name": tool.name, "description": tool.description, "parameters": tool.input_schema}
    return {"type": "function", "function": function}


def _choice(choice: ToolChoice | None) -> Any:
    if choice is None:
        return None
    if choice.type != "tool":
        return {"auto": "auto", "any": "required", "none": "none"}[choice.type]
    if not choice.name:
        raise invalid("`tool_choice.name` is missing.", "tool_choice.name")
    return {"type": "function", "function": {"name": choice.name}}


def _response_format(wanted: dict[str, Any] | None) -> dict[str, Any] | None:
    if wanted is None:
        return None
    if wanted.get("type") != "json_schema" or not isinstance(wanted.get("schema"), dict):
        raise invalid("`output_config.format` should be a `json_schema` with its `schema`.", "output_config.format")
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": wanted["schema"]}}


_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}


class MessagesReply:
    """The answer to one request, as events or as one document.

    Args:
        model: the name that the client gave.
        answer: the answer.
        wants_thoughts: whether what the model thought is shown.
    """

    protocol = Protocol.ANTHROPIC
    ping = event({"type": "ping"}, "ping")

    def __init__(self, model: str, answer: Answer, *, wants_thoughts: bool) -> None:
        self._answer = answer
        self._wants_thoughts = wants_thoughts
        self._head = {"id": f"msg_{uuid.uuid4().hex[:24]}", "type": "message", "role": "assistant", "model": model}
        self._index = -1
        self._open = ""  # the type of the block that goes on
        self._signature = ""  # of thoughts: the field in which they go back

    def opening(self) -> bytes:
        """Return the event that begins the message."""
        usage = {"input_tokens": self._answer.prompt_tokens, "output_tokens": 0}
        rest: dict[str, Any] = {"content": [], "stop_reason": None, "stop_sequence": None, "usage": {**usage, **_CACHE}}
        return event({"type": "message_start", "message": {**self._head, **rest}}, "message_start")

    def piece(self, piece: Sequence[AnswerEvent]) -> bytes:
        """Return the events of a piece."""
        said = b""
        for one in piece:
            if isinstance(one, TextDelta):
                said += self._begin({"type": "text", "text": ""})
                said += self._delta({"type": "text_delta", "text": one.text})
            elif isinstance(one, ToolCall):
                said += self._end_block()
                said += self._begin({"type": "tool_use", "id": _tool_use_id(one), "name": one.name, "input": {}})
                said += self._delta({"type": "input_json_delta", "partial_json": one.arguments})
                said += self._end_block()
            elif self._wants_thoughts:
                said += self._begin({"type": "thinking", "thinking": "", "signature": ""})
                self._signature = one.field
                said += self._delta({"type": "thinking_delta", "thinking": one.text})
        return said

    def closing(self) -> bytes:
        """Return the end of the last block and of the message."""
        end = end_of(self._answer)
        said = self._end_block()
        if self._index < 0:  # programs take a message without content for a damaged one
            said = self._begin({"type": "text", "text": ""}) + self._end_block()
        delta = {"stop_reason": _stop_reason(end), "stop_sequence": end.stop_sequence}
        last = {"type": "message_delta", "delta": delta, "usage": _usage(end), **end.extra}
        said += event(last, "message_delta")
        return said + event({"type": "message_stop"}, "message_stop")

    def failure(self, error: GatewayError) -> bytes:
        """Return the event that tells an error; no `message_stop` follows it."""
        return event(error.body(Protocol.ANTHROPIC), "error")

    def document(self, pieces: list[Sequence[AnswerEvent]]) -> dict[str, Any]:
        """Return the whole message."""
        content: list[dict[str, Any]] = []
        for one in (one for piece in pieces for one in piece):
            if isinstance(one, ToolCall):
                arguments = json.loads(one.arguments)
                content.append({"type": "tool_use", "id": _tool_use_id(one), "name": one.name, "input": arguments})
            elif isinstance(one, TextDelta):
                _append(content, "text", one.text)
            elif self._wants_thoughts:
                _append(content, "thinking", one.text, signature=one.field)
        end = end_of(self._answer)
        return {
            **self._head,
            "content": content or [{"type": "text", "text": ""}],
            "stop_reason": _stop_reason(end),
            "stop_sequence": end.stop_sequence,
            "usage": _usage(end),
            **end.extra,
        }

    def _begin(self, block: dict[str, Any]) -> bytes:
        if self._open == block["type"]:
            return b""
        said = self._end_block()
        self._open = block["type"]
        self._index += 1
        started = {"type": "content_block_start", "index": self._index, "content_block": block}
        return said + event(started, "content_block_start")

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return event({"type": "content_block_delta", "index": self._index, "delta": delta}, "content_block_delta")

    def _end_block(self) -> bytes:
        if not self._open:
            return b""
        said = b""
        if self._open == "thinking":
            said = self._delta({"type": "signature_delta", "signature": self._signature})
        self._open = ""
        return said + event({"type": "content_block_stop", "index": self._index}, "content_block_stop")


def _append(content: list[dict[str, Any]], kind: str, text: str, **more: str) -> None:
    if not content or content[-1]["type"] != kind:
        content.append({"type": kind, kind: "", **more})
    content[-1][kind] += text


def _stop_reason(end: End) -> str:
    return "stop_sequence" if end.stop_sequence is not None else _STOP_REASONS.get(end.reason, "end_turn")


_CACHE = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}


def _usage(end: End) -> dict[str, int]:
    return {"input_tokens": end.usage.prompt_tokens, "output_tokens": end.usage.completion_tokens, **_CACHE}


def _tool_use_id(call: ToolCall) -> str:
    """Return a call's id as Anthropic's are; clients check the letters that it is made of."""
    made = "".join(char for char in call.id.removeprefix("call_") if char.isalnum() or char in "_-")
    return f"toolu_{made or uuid.uuid4().hex[:24]}"
