"""The items of a conversation in OpenAI's Responses, as messages of Chat Completions."""

from __future__ import annotations

import json
from typing import Any, Literal

from aider_stackspot.gateway import thoughts
from aider_stackspot.gateway.errors import invalid
from aider_stackspot.gateway.fields import Fields, read
from aider_stackspot.gateway.question import Message
from aider_stackspot.gateway.responses_tools import function_name

Item = dict[str, Any]


class MessageItem(Fields):
    """A message."""

    role: Literal["user", "assistant", "system", "developer"]
    content: str | list[dict[str, Any]]
    type: Literal["message"] | None = None
    id: str | None = None
    status: str | None = None
    phase: str | None = None
    internal_chat_message_metadata_passthrough: Any = None


class CallItem(Fields):
    """A call that the model made."""

    type: Literal["function_call"]
    call_id: str
    name: str
    arguments: str
    id: str | None = None
    status: str | None = None
    namespace: str | None = None
    parsed_arguments: Any = None  # OpenAI's SDK leaves it in what a program sends back
    caller: Any = None
    internal_chat_message_metadata_passthrough: Any = None


class CustomCallItem(Fields):
    """A call that the model made of a tool whose input is a text."""

    type: Literal["custom_tool_call"]
    call_id: str
    name: str
    input: str
    id: str | None = None
    status: str | None = None
    namespace: str | None = None
    caller: Any = None
    internal_chat_message_metadata_passthrough: Any = None


class CallOutputItem(Fields):
    """What a call has brought."""

    type: Literal["function_call_output", "custom_tool_call_output"]
    call_id: str
    output: str | list[dict[str, Any]]
    id: str | None = None
    name: str | None = None
    status: str | None = None
    caller: Any = None
    internal_chat_message_metadata_passthrough: Any = None


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
    """Add a call to the message that it belongs to: the model's last one, if nothing has come between."""
    function = {"name": function_name(call.name, call.namespace), "arguments": arguments}
    made = {"id": call.call_id, "type": "function", "function": function}
    if not messages or messages[-1]["role"] != "assistant":
        messages.append({"role": "assistant", "content": None})
    messages[-1].setdefault("tool_calls", []).append(made)


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
