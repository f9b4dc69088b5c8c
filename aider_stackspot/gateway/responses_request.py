"""What a request of OpenAI's Responses may have, and the same in the words of Chat Completions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from aider_stackspot.gateway.errors import invalid
from aider_stackspot.gateway.fields import Fields, agent_arguments, read, refuse
from aider_stackspot.gateway.question import Message, Question
from aider_stackspot.gateway.response_store import ResponseStore
from aider_stackspot.gateway.responses_items import messages_of
from aider_stackspot.gateway.responses_tools import OfferedTools, choice_of_function

Item = dict[str, Any]


class TextOptions(Fields):
    """The form of the answer's text."""

    format: dict[str, Any] | None = None
    verbosity: str | None = None


class StreamOptions(Fields):
    """What a stream has besides the answer."""

    include_obfuscation: bool | None = None
    include_usage: bool | None = None


HARMLESS = (
    "client_metadata",
    "context_management",
    "include",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "temperature",
    "top_p",
    "truncation",
    "user",
)
"""Fields without effect at StackSpot (docs/gateway.md)."""

REFUSED = {
    "background": "an answer is made while its client waits",
    "conversation": "this gateway keeps none; use `previous_response_id`",
    "prompt": "this gateway keeps no prompts",
    "top_logprobs": "the service tells none",
}


class ResponsesRequest(Fields):
    """A request."""

    model: str
    input: str | Annotated[list[dict[str, Any]], Field(min_length=1)]
    instructions: str | None = None
    previous_response_id: str | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    text: TextOptions | None = None
    background: bool | None = None
    conversation: Any = None
    prompt: Any = None
    top_logprobs: int | None = None
    client_metadata: Any = None
    context_management: Any = None
    include: list[str] | None = None
    max_output_tokens: Annotated[int, Field(ge=1)] | None = None
    max_tool_calls: int | None = None
    metadata: Any = None
    prompt_cache_key: str | None = None
    prompt_cache_options: Any = None
    prompt_cache_retention: str | None = None
    reasoning: Any = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: float | None = None
    truncation: str | None = None
    user: str | None = None


@dataclass(frozen=True)
class Read:
    """A request that was read.

    Attributes:
        request: its fields.
        question: what is asked.
        items: all of the conversation, those of earlier responses first.
        tools: what the client can call.
    """

    request: ResponsesRequest
    question: Question
    items: list[Item]
    tools: OfferedTools


def read_responses(body: dict[str, Any], store: ResponseStore) -> Read:
    """Read a request.

    Args:
        body: what the client sent.
        store: where an earlier response may be.

    Raises:
        GatewayError: something in it cannot be honoured.
    """
    body, asked = agent_arguments(body)
    request = read(ResponsesRequest, body)
    refuse(body, REFUSED)
    if "message.output_text.logprobs" in (request.include or ()):
        raise invalid("`include` cannot be honoured: the service tells no log probabilities.", "include")
    before: list[Item] = []
    if request.previous_response_id is not None:
        code = "previous_response_not_found"
        before = store.get(request.previous_response_id, param="previous_response_id", code=code).items
    items = [*before, *_resolved(input_items(request), store)]
    tools = OfferedTools(request.tools or (), items, offset=len(before))
    question = Question(
        model=request.model,
        messages=[*_instructions(request), *messages_of(items, offset=len(before))],
        demands={
            "tools": tools.functions,
            "tool_choice": choice_of_function(request.tool_choice),
            "parallel_tool_calls": request.parallel_tool_calls,
            "response_format": request.text.format if request.text is not None else None,
        },
        streams=request.stream is True,
        parameters=_parameters(request),
        arguments=asked,
    )
    return Read(request, question, items, tools)


def input_items(request: ResponsesRequest) -> list[Item]:
    """Return the input as items."""
    if isinstance(request.input, str):
        return [{"type": "message", "role": "user", "content": request.input}]
    return request.input


def _instructions(request: ResponsesRequest) -> list[Message]:
    return [{"role": "system", "content": request.instructions}] if request.instructions else []


def _resolved(items: list[Item], store: ResponseStore) -> list[Item]:
    """Return the items with those in the place of references that are meant by them."""
    return [_referred(item, f"input[{index}]", store) for index, item in enumerate(items)]


def _referred(item: Item, place: str, store: ResponseStore) -> Item:
    if item.get("type") != "item_reference" and set(item) != {"id"}:
        return item
    meant = store.item(str(item.get("id")))
    if meant is None:
        raise invalid(f"`{place}` refers to an item that is not kept here.", f"{place}.id")
    return meant


def _parameters(request: ResponsesRequest) -> dict[str, Any]:
    """Return what a server of OpenAI's API is told besides."""
    effort = request.reasoning.get("effort") if isinstance(request.reasoning, dict) else None
    given = {
        "max_tokens": request.max_output_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "reasoning_effort": effort,
    }
    return {name: value for name, value in given.items() if value is not None}
