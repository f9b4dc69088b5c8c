"""OpenAI's Chat Completions: what a request may have, for a model of StackSpot's, and the answer in that form."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field

from aider_stackspot.api.chunks import Chunk
from aider_stackspot.gateway.answer import Answer, AnswerEvent, end_of
from aider_stackspot.gateway.errors import GatewayError, Protocol, invalid
from aider_stackspot.gateway.reply import PING, End, event
from aider_stackspot.gateway.request import Fields, Question, agent_arguments, read, refuse, texts
from aider_stackspot.tools import TextDelta, ToolCall


class StreamOptions(Fields):
    """What a stream has besides the answer."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class ChatMessage(Fields):
    """One message; its content and its calls are read where the prompt is made."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Any = None
    name: str | None = None
    tool_calls: Any = None
    tool_call_id: str | None = None
    function_call: Any = None
    refusal: str | None = None
    audio: Any = None
    annotations: Any = None
    parsed: Any = None  # OpenAI's SDK leaves it in what a program sends back
    reasoning: Any = None
    reasoning_content: Any = None
    reasoning_details: Any = None
    cache_control: Any = None


HARMLESS = (
    "frequency_penalty",
    "max_completion_tokens",
    "max_tokens",
    "metadata",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "safety_identifier",
    "seed",
    "service_tier",
    "store",
    "top_k",
    "top_p",
    "user",
    "verbosity",
)
"""Fields without effect at StackSpot (docs/gateway.md); a server of OpenAI's API gets them."""

REFUSED = {
    "audio": "StackSpot's models give text only",
    "function_call": "it is the old form of `tool_choice`; give `tool_choice`",
    "functions": "it is the old form of `tools`; give `tools`",
    "logit_bias": "StackSpot has nothing like it",
    "logprobs": "StackSpot tells none",
    "top_logprobs": "StackSpot tells none",
    "web_search_options": "StackSpot's models search nothing",
}


class ChatRequest(Fields):
    """A request."""

    model: str
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: float | None = None
    stop: Any = None
    tools: Any = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    response_format: Any = None
    n: int | None = None
    modalities: list[str] | None = None
    audio: Any = None
    function_call: Any = None
    functions: Any = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    web_search_options: Any = None
    frequency_penalty: float | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    metadata: Any = None
    prediction: Any = None
    presence_penalty: float | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: Any = None
    prompt_cache_retention: str | None = None
    reasoning_effort: str | None = None
    safety_identifier: str | None = None
    seed: int | None = None
    service_tier: str | None = None
    store: bool | None = None
    top_k: int | None = None
    top_p: float | None = None
    user: str | None = None
    verbosity: str | None = None

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with a chunk that counts the tokens."""
        return self.stream_options is not None and self.stream_options.include_usage is True


def read_chat(body: dict[str, Any]) -> tuple[ChatRequest, Question]:
    """Read a request.

    Raises:
        GatewayError: something in it cannot be honoured.
    """
    body, asked = agent_arguments(body)
    request = read(ChatRequest, body)
    refuse(body, REFUSED)
    if request.n not in (None, 1):
        raise invalid("`n` cannot be honoured: StackSpot gives one answer.", "n", "unsupported_parameter")
    if request.modalities not in (None, [], ["text"]):
        raise invalid("`modalities` cannot be honoured: StackSpot gives text only.", "modalities")
    question = Question(
        model=request.model,
        messages=body["messages"],
        demands={
            "tools": request.tools,
            "tool_choice": request.tool_choice,
            "parallel_tool_calls": request.parallel_tool_calls,
            "response_format": request.response_format,
        },
        streams=request.stream is True,
        stop=texts(request.stop, "stop"),
        temperature=request.temperature,
        parameters={name: body[name] for name in HARMLESS if body.get(name) is not None},
        arguments=asked,
    )
    return request, question


DONE = b"data: [DONE]\n\n"


class ChatReply:
    """The answer to one request, of chunks or as one document.

    Args:
        model: the name that the client gave.
        answer: the answer.
        wants_usage: whether a stream ends with the counts of tokens.
    """

    protocol = Protocol.OPENAI
    ping = PING

    def __init__(self, model: str, answer: Answer, *, wants_usage: bool) -> None:
        self._answer = answer
        self._wants_usage = wants_usage
        self._head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": model}

    def opening(self) -> bytes:
        """Return the chunk that says who speaks."""
        return self._chunk({"role": "assistant", "content": ""})

    def piece(self, piece: Sequence[AnswerEvent]) -> bytes:
        """Return the chunks of events."""
        chunks = []
        for said in piece:
            if isinstance(said, TextDelta):
                chunks.append(self._chunk({"content": said.text}))
            elif isinstance(said, ToolCall):
                chunks.append(self._chunk({"tool_calls": [{"index": said.index, **said.in_message}]}))
        return b"".join(chunks)

    def closing(self) -> bytes:
        """Return the chunk with the reason to finish, the one with the counts, and `[DONE]`."""
        end = end_of(self._answer)
        last = self._chunk({}, end.reason, end.extra)
        if self._wants_usage:
            last += event({**self._envelope("chat.completion.chunk"), "choices": [], "usage": _usage(end)})
        return last + DONE

    def failure(self, error: GatewayError) -> bytes:
        """Return the event that tells an error; no `[DONE]` follows it."""
        return event(error.body(Protocol.OPENAI))

    def document(self, pieces: list[Sequence[AnswerEvent]]) -> dict[str, Any]:
        """Return the whole answer."""
        events = [said for piece in pieces for said in piece]
        text = "".join(said.text for said in events if isinstance(said, TextDelta))
        calls = [said.in_message for said in events if isinstance(said, ToolCall)]
        message: dict[str, Any] = {"role": "assistant", "content": text or (None if calls else ""), "refusal": None}
        if calls:
            message["tool_calls"] = calls
        end = end_of(self._answer)
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": end.reason}
        return {**self._envelope("chat.completion"), "choices": [choice], "usage": _usage(end), **end.extra}

    def _chunk(
        self, delta: dict[str, Any], reason: str | None = None, extra: Mapping[str, Any] = MappingProxyType({})
    ) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        more = {"usage": None} if self._wants_usage else {}
        return event({**self._envelope("chat.completion.chunk"), "choices": [choice], **more, **extra})

    def _envelope(self, kind: str) -> dict[str, Any]:
        return {"id": self._head["id"], "object": kind, **self._head}


class ServersChat:
    """A server's own answer, passed on with everything in it: canonical chunks, or its document."""

    protocol = Protocol.OPENAI
    ping = PING

    def opening(self) -> bytes:
        """Return nothing: the server's first chunk says who speaks."""
        return b""

    def piece(self, piece: Sequence[Chunk]) -> bytes:
        """Return the chunks."""
        return b"".join(event(chunk) for chunk in piece)

    def closing(self) -> bytes:
        """Return the end of a complete stream."""
        return DONE

    def failure(self, error: GatewayError) -> bytes:
        """Return the event that tells an error; no `[DONE]` follows it."""
        return event(error.body(Protocol.OPENAI))

    def document(self, pieces: list[Sequence[Chunk]]) -> Chunk:
        """Return the server's document."""
        return next(chunk for piece in pieces for chunk in piece)


def _usage(end: End) -> dict[str, int]:
    usage = end.usage
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
