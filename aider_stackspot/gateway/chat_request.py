"""What a request of OpenAI's Chat Completions may have, for a model of StackSpot's."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from aider_stackspot.gateway.errors import invalid
from aider_stackspot.gateway.fields import Fields, agent_arguments, read, refuse, texts
from aider_stackspot.gateway.question import Question


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
