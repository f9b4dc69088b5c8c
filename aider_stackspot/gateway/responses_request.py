"""What a request of OpenAI's Responses may have, and its items as messages of Chat Completions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from aider_stackspot.gateway import thoughts
from aider_stackspot.gateway.errors import invalid
from aider_stackspot.gateway.request import Fields, Message, Question, agent_arguments, read, refuse
from aider_stackspot.gateway.response_store import ResponseStore
from aider_stackspot.gateway.responses_tools import (
    SEARCH,
    FoundTools,
    ItemFields,
    OfferedTools,
    choice_of_function,
    found_names,
    function_name,
)


class MessageItem(ItemFields):
    """A message."""

    role: Literal["user", "assistant", "system", "developer"]
    content: str | list[dict[str, Any]]
    type: Literal["message"] | None = None
    phase: str | None = None


class CallItem(ItemFields):
    """A call that the model made."""

    type: Literal["function_call"]
    call_id: str
    name: str
    arguments: str
    namespace: str | None = None
    parsed_arguments: Any = None  # OpenAI's SDK leaves it in what a program sends back
    caller: Any = None


class CustomCallItem(ItemFields):
    """A call that the model made of a tool whose input is a text."""

    type: Literal["custom_tool_call"]
    call_id: str
    name: str
    input: str
    namespace: str | None = None
    caller: Any = None


class SearchCallItem(ItemFields):
    """A search for further tools that the model has asked the program for."""

    type: Literal["tool_search_call"]
    execution: Literal["client"]
    call_id: str
    arguments: Any = None


class CallOutputItem(ItemFields):
    """What a call has brought."""

    type: Literal["function_call_output", "custom_tool_call_output"]
    call_id: str
    output: str | list[dict[str, Any]]
    name: str | None = None
    caller: Any = None


def messages_of(items: list[Item], offset: int = 0) -> list[Message]:
    """Return the messages of a conversation.

    Args:
        items: all of it.
        offset: how many of them come from earlier responses; places in errors are counted behind them.

    Raises:
        GatewayError: an item cannot be sent.
    """
    messages: list[Message] = []
    thought: dict[str, str] = {}
    for index, item in enumerate(items):
        place = f"input[{index - offset}]"
        kind = item.get("type", "message")
        if kind == "message":
            messages.append(_message(read(MessageItem, item, place), place))
        elif kind == "function_call":
            call = read(CallItem, item, place)
            _add_call(messages, call, call.arguments)
        elif kind == "custom_tool_call":
            custom = read(CustomCallItem, item, place)
            _add_call(messages, custom, json.dumps({"input": custom.input}, ensure_ascii=False))
        elif kind == "tool_search_call":
            search = read(SearchCallItem, item, place)
            _add_made_call(messages, search.call_id, SEARCH, json.dumps(search.arguments, ensure_ascii=False))
        elif kind == "tool_search_output":
            messages.append(_found(read(FoundTools, item, place)))
        elif kind in ("function_call_output", "custom_tool_call_output"):
            output = read(CallOutputItem, item, place)
            content = output.output if isinstance(output.output, str) else _parts(output.output, f"{place}.output")
            messages.append({"role": "tool", "tool_call_id": output.call_id, "content": content})
        elif kind == "reasoning":
            thoughts.add(thought, thoughts.of_item(item))
            continue
        elif kind == "additional_tools":  # `OfferedTools` reads them
            continue
        else:
            raise invalid(f"`{place}` has the type `{str(kind)[:60]}`, which cannot be sent to this model.", place)
        if messages[-1]["role"] == "assistant":
            thoughts.add(messages[-1], thought)
        thought = {}
    return messages


def _message(item: MessageItem, place: str) -> Message:
    content = item.content if isinstance(item.content, str) else _parts(item.content, f"{place}.content")
    return {"role": item.role, "content": content}


def _add_call(messages: list[Message], call: CallItem | CustomCallItem, arguments: str) -> None:
    _add_made_call(messages, call.call_id, function_name(call.name, call.namespace), arguments)


def _add_made_call(messages: list[Message], call_id: str, name: str, arguments: str) -> None:
    """Add a call to the message that it belongs to: the model's last one, if nothing has come between."""
    made = {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
    if not messages or messages[-1]["role"] != "assistant":
        messages.append({"role": "assistant", "content": None})
    messages[-1].setdefault("tool_calls", []).append(made)


def _found(found: FoundTools) -> Message:
    names = ", ".join(json.dumps(name, ensure_ascii=False) for name in found_names(found))
    content = f"These tools were found and can be called: {names}." if names else "No tools were found."
    return {"role": "tool", "tool_call_id": found.call_id, "content": content}


def _parts(parts: list[dict[str, Any]], place: str) -> list[dict[str, Any]]:
    return [_part(part, f"{place}[{index}]") for index, part in enumerate(parts)]


def _part(part: dict[str, Any], place: str) -> dict[str, Any]:
    kind = part.get("type")
    field = {"input_text": "text", "output_text": "text", "text": "text", "refusal": "refusal"}.get(str(kind))
    if field is not None and isinstance(part.get(field), str):
        return {"type": "text", "text": part[field]}
    if kind == "input_image" and isinstance(part.get("image_url"), str):
        return {"type": "image_url", "image_url": {"url": part["image_url"], "detail": part.get("detail") or "auto"}}
    if kind == "input_file" and isinstance(part.get("file_data"), str):
        file = {name: part[name] for name in ("filename", "file_data") if name in part}
        return {"type": "file", "file": file}
    raise invalid(f"`{place}` ({str(kind)[:60]}) cannot be sent to this model.", place)


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
