"""One answer of a model as events, whichever service gives it: the one exchange that all protocols share."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from aider_stackspot.api.answer import Finish, Usage
from aider_stackspot.api.chunks import Chunk
from aider_stackspot.compatible.server_call import chat_body
from aider_stackspot.compatible.tools_by_prompt import needs_prompt
from aider_stackspot.errors import StackSpotError
from aider_stackspot.gateway import function_names, thoughts
from aider_stackspot.gateway.configuration import ServerTarget, StackSpotTarget, Target
from aider_stackspot.gateway.errors import GatewayError, invalid, told_to_client
from aider_stackspot.gateway.reply import End, estimated_tokens
from aider_stackspot.gateway.request import Message, Question
from aider_stackspot.gateway.server_stream import CHAT, ServerStream
from aider_stackspot.gateway.text_answer import ServerTexts, StackSpotTexts, TextAnswer
from aider_stackspot.tools import TextDelta, ToolCall, finish_reason, read_answer_requirements
from aider_stackspot.tools.request import ToolCallRules
from aider_stackspot.tools.tool_call_parser import new_call_id

Part = dict[str, Any]


def messages_for_server(messages: Sequence[Message]) -> list[Message]:
    """Return the messages."""
    sent: list[Message] = []
    brought: list[Part] = []
    for message in messages:
        content = message.get("content")
        if message["role"] == "tool":
            parts = _parts(content)
            brought += _brought(message, [part for part in parts if part["type"] != "text"])
            content = [part for part in parts if part["type"] == "text"]
        elif brought:
            if message["role"] == "user":
                content = [*brought, *_parts(content)]
            else:
                sent.append({"role": "user", "content": brought})
            brought = []
        sent.append({**message, "content": _text_if_only_text(message["role"], content)})
    return [*sent, {"role": "user", "content": brought}] if brought else sent


def _brought(message: Message, parts: list[Part]) -> list[Part]:
    """Return what a tool has brought besides text, with words that say so."""
    if not parts:
        return []
    return [{"type": "text", "text": f"The tool call {message['tool_call_id']} brought this as well:"}, *parts]


def _parts(content: Any) -> list[Part]:
    if isinstance(content, list):
        return content
    return [{"type": "text", "text": content}] if content else []


def _text_if_only_text(role: str, content: Any) -> Any:
    if not isinstance(content, list) or any(part["type"] != "text" for part in content):
        return content
    return ("" if role == "assistant" else "\n\n").join(part["text"] for part in content)


@dataclass(frozen=True)
class ReasoningDelta:
    """What a model thought before it answered, where its server tells; `field` is the one in which it does."""

    text: str
    field: str


AnswerEvent: TypeAlias = TextDelta | ToolCall | ReasoningDelta


class Answer(Protocol):
    """An answer on its way.

    Attributes:
        prompt_tokens: how long the prompt is, as an estimate.
        end: how it ended; there after the last event of a complete answer.
    """

    prompt_tokens: int
    end: End | None

    def events(self) -> AsyncGenerator[Sequence[AnswerEvent], None]:
        """Yield what comes, as much at a time as has arrived.

        Raises:
            GatewayError: the answer is not complete.
        """
        ...


def answer_to(target: Target, question: Question) -> Answer:
    """Begin a call. Nothing was sent yet where this raises.

    Args:
        target: whom to ask.
        question: what to ask.

    Raises:
        GatewayError: the question cannot be asked as it is.
    """
    if isinstance(target, ServerTarget) and question.arguments:
        name = next(iter(question.arguments))
        raise invalid(f"`{name}` cannot be honoured: it is for StackSpot's agents.", name, "unsupported_parameter")
    demands = question.demands
    if isinstance(target, StackSpotTarget) and not target.model.tools:
        demands = {name: value for name, value in demands.items() if name == "response_format"}
    try:
        requirements = read_answer_requirements(demands)
    except ValueError as error:
        raise invalid(str(error), str(error).partition(":")[0].partition(" ")[0].partition("[")[0]) from None
    try:
        if isinstance(target, StackSpotTarget):
            return TextAnswer(StackSpotTexts(target, question, requirements), question, requirements)
        if target.takes_tools_by_prompt and needs_prompt(question.messages, question.demands):
            return TextAnswer(ServerTexts(target, question, requirements), question, requirements)
        return ServerAnswer(target, question, requirements.tool_calls)
    except StackSpotError as error:
        raise told_to_client(error, target.service) from None


def end_of(answer: Answer) -> End:
    """Return how a complete answer ended; one that is not complete has raised."""
    assert answer.end is not None
    return answer.end


class ServerAnswer:
    """The answer of an OpenAI-compatible server that knows tools itself.

    Args:
        target: the server's model.
        question: what to ask.
        rules: the calls that are possible.

    Raises:
        InvalidRequest: the server would refuse it.
        GatewayError: the gateway has no credentials for the server.
    """

    def __init__(self, target: ServerTarget, question: Question, rules: ToolCallRules) -> None:
        told = [question.messages, question.demands.get("tools")]
        self.prompt_tokens = estimated_tokens(json.dumps(told, ensure_ascii=False))
        self.end: End | None = None
        self._stop = question.stop
        self._names = function_names.FunctionNames(rules.tools)
        messages = [function_names.with_names_as_taken(each) for each in messages_for_server(question.messages)]
        body = chat_body(target.provider, target.model, messages, _parameters(question, rules))
        self._stream = ServerStream(target, CHAT, body, self.prompt_tokens)
        self._calls: dict[int, dict[str, str]] = {}
        self._stopped_at: str | None = None
        self._characters = 0

    async def events(self) -> AsyncGenerator[Sequence[AnswerEvent], None]:
        """Yield what comes; calls of tools when they are complete.

        Raises:
            GatewayError: the answer is not complete.
        """
        async with aclosing(self._stream.chunks()) as stream:
            async for chunks in stream:
                events = [event for chunk in chunks for event in self._read(chunk)]
                if events:
                    yield events
        calls = self._tool_calls()
        if calls:
            yield calls
        finish = self._stream.finish or Finish(reason="stop")
        counted = finish.usage or Usage(self.prompt_tokens, estimated_tokens(self._characters))
        self.end = End(finish_reason(finish.reason, has_calls=bool(calls)), counted, self._stopped_at)

    def _read(self, chunk: Chunk) -> list[AnswerEvent]:
        events: list[AnswerEvent] = []
        for choice in chunk["choices"][:1]:
            delta = choice.get("delta") or {}
            thought = thoughts.told_in(delta)
            if thought is not None:
                events.append(ReasoningDelta(thought[1], thought[0]))
            if isinstance(delta.get("content"), str) and delta["content"]:
                self._characters += len(delta["content"])
                events.append(TextDelta(delta["content"]))
            for piece in delta.get("tool_calls") or ():
                self._add(piece)
            if choice.get("stop_reason") in self._stop:  # vLLM says which of them it was
                self._stopped_at = choice["stop_reason"]
        return events

    def _add(self, piece: Chunk) -> None:
        call = self._calls.setdefault(piece["index"], {"id": "", "name": "", "arguments": ""})
        function = piece.get("function") or {}
        call["id"] = call["id"] or str(piece.get("id") or "")
        call["name"] = call["name"] or str(function.get("name") or "")
        call["arguments"] += function.get("arguments") or ""

    def _tool_calls(self) -> list[ToolCall]:
        return [
            ToolCall(call["id"] or new_call_id(), self._names.given(call["name"]), _object(call["arguments"]), position)
            for position, call in enumerate(self._calls.values())
        ]


def _object(arguments: str) -> str:
    """Return a call's arguments.

    Raises:
        GatewayError: they are no JSON object, and nobody could make the call.
    """
    if not arguments.strip():
        return "{}"
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise GatewayError(502, "The arguments of a tool call are no JSON object: the model's answer is damaged.")
    return arguments


def _parameters(question: Question, rules: ToolCallRules) -> dict[str, Any]:
    """Return the fields of a chat's body besides the model and the messages."""
    given: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}, **question.parameters}
    if question.temperature is not None:
        given["temperature"] = question.temperature
    if question.stop:
        given["stop"] = list(question.stop)
    if question.demands.get("response_format") is not None:
        given["response_format"] = question.demands["response_format"]
    if rules.tools:
        given["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": function_names.as_taken(tool.name),
                    "description": tool.description,
                    "parameters": dict(tool.parameters) or {"type": "object", "properties": {}},
                },
            }
            for tool in rules.tools.values()
        ]
        given["tool_choice"] = "required" if rules.required else "auto"
        if not rules.parallel:
            given["parallel_tool_calls"] = False
    return given
