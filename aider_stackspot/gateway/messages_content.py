"""The content of Anthropic's messages, block by block: whatever is in it reaches the model, or is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Literal

from aider_stackspot.gateway import thoughts
from aider_stackspot.gateway.errors import GatewayError, invalid
from aider_stackspot.gateway.request import Fields, Message, read

Part = dict[str, Any]


class TextBlock(Fields):
    """Text."""

    type: Literal["text"]
    text: str
    parsed_output: Any = None  # Anthropic's SDK leaves it in what a program sends back
    cache_control: Any = None
    citations: Any = None


class DocumentBlock(Fields):
    """A document."""

    type: Literal["document"]
    source: dict[str, Any]
    title: str | None = None
    context: str | None = None
    cache_control: Any = None
    citations: Any = None


class SearchResultBlock(Fields):
    """What a search has found."""

    type: Literal["search_result"]
    source: str
    title: str
    content: list[Any]
    cache_control: Any = None
    citations: Any = None


class ImageBlock(Fields):
    """A picture."""

    type: Literal["image"]
    source: dict[str, Any]
    cache_control: Any = None


class ToolUseBlock(Fields):
    """A call that the model made."""

    type: Literal["tool_use"]
    id: str
    name: str
    input: dict[str, Any]
    cache_control: Any = None
    caller: Any = None
    toolset_name: Any = None


class ToolResultBlock(Fields):
    """What a call has brought."""

    type: Literal["tool_result"]
    tool_use_id: str
    content: str | list[Any] | None = None
    is_error: bool | None = None
    cache_control: Any = None


class ToolReferenceBlock(Fields):
    """A tool that a search of the client's has found; it is among the request's tools."""

    type: Literal["tool_reference"]
    tool_name: str
    cache_control: Any = None


_THOUGHTS = ("thinking", "redacted_thinking")
"""What the model thought in earlier turns; only the server that told it may need it."""


def user_messages(content: str | list[Any], place: str) -> list[Message]:
    """Return a user's message, with the results of calls before it, each in a message of its own.

    Raises:
        GatewayError: a block cannot be sent.
    """
    if isinstance(content, str):
        return [{"role": "user", "content": content}]
    results: list[Message] = []
    parts: list[Part] = []
    for index, block in enumerate(content):
        at = f"{place}[{index}]"
        if _type(block, at) == "tool_result":
            results.append(_result(read(ToolResultBlock, block, at), at))
        else:
            parts += _parts(block, at)
    return [*results, {"role": "user", "content": parts}] if parts or not results else results


def assistant_message(content: str | list[Any], place: str) -> Message:
    """Return the model's own message: its text and its calls.

    Raises:
        GatewayError: a block cannot be sent.
    """
    if isinstance(content, str):
        return {"role": "assistant", "content": content}
    parts: list[Part] = []
    calls = []
    thought: dict[str, str] = {}
    for index, block in enumerate(content):
        at = f"{place}[{index}]"
        kind = _type(block, at)
        if kind == "tool_use":
            call = read(ToolUseBlock, block, at)
            function = {"name": call.name, "arguments": json.dumps(call.input, ensure_ascii=False)}
            calls.append({"id": call.id, "type": "function", "function": function})
        elif kind in _THOUGHTS:
            thoughts.add(thought, thoughts.of_block(block))
        else:
            parts += _parts(block, at)
    message: Message = {"role": "assistant", "content": "".join(map(_text, parts)) if parts else None, **thought}
    return {**message, "tool_calls": calls} if calls else {**message, "content": message["content"] or ""}


def texts_of_blocks(content: str | list[Any], place: str) -> str | list[Part]:
    """Return a content that may hold nothing but text, as the parts of a message.

    Raises:
        GatewayError: it holds something else.
    """
    if isinstance(content, str):
        return content
    parts = [part for index, block in enumerate(content) for part in _parts(block, f"{place}[{index}]")]
    for part in parts:
        if part["type"] != "text":
            raise invalid(f"`{place}` may hold text only.", place)
    return parts


def _result(result: ToolResultBlock, place: str) -> Message:
    content = result.content if result.content is not None else ""
    if isinstance(content, list):
        content = [part for index, block in enumerate(content) for part in _parts(block, f"{place}.content[{index}]")]
    if result.is_error:
        given = [{"type": "text", "text": content}] if isinstance(content, str) else content
        content = [{"type": "text", "text": "The tool reported an error:"}, *given]
    return {"role": "tool", "tool_call_id": result.tool_use_id, "content": content}


def _parts(block: Any, place: str) -> list[Part]:
    kind = _type(block, place)
    make = _BLOCKS.get(kind)
    if make is None:
        raise invalid(f"`{place}` has the type `{kind[:60]}`, which cannot be sent to this model.", place)
    return make(block, place)


def _text_parts(block: Any, place: str) -> list[Part]:
    return [{"type": "text", "text": read(TextBlock, block, place).text}]


def _document_parts(block: Any, place: str) -> list[Part]:
    document = read(DocumentBlock, block, place)
    source, kind = document.source, document.source.get("type")
    if kind == "text" and isinstance(source.get("data"), str):
        texts = [source["data"]]
    elif kind == "content" and isinstance(source.get("content"), str | list):
        inner = texts_of_blocks(source["content"], f"{place}.source.content")
        texts = [inner] if isinstance(inner, str) else [_text(part) for part in inner]
    elif kind == "base64":
        name = {"filename": document.title} if document.title else {}
        told = _enclosed("document", {"title": document.title, "context": document.context}, [])
        file: Part = {"type": "file", "file": {**name, "file_data": _data_uri(source)}}
        return [*(told if document.context else ()), file]
    else:
        raise _not_text(f"{place}.source", source)
    return _enclosed("document", {"title": document.title, "context": document.context}, texts)


def _search_parts(block: Any, place: str) -> list[Part]:
    found = read(SearchResultBlock, block, place)
    inner = texts_of_blocks(found.content, f"{place}.content")
    texts = [inner] if isinstance(inner, str) else [_text(part) for part in inner]
    return _enclosed("search_result", {"title": found.title, "source": found.source}, texts)


def _image_parts(block: Any, place: str) -> list[Part]:
    source = read(ImageBlock, block, place).source
    if source.get("type") == "url":
        url = source.get("url")
    elif source.get("type") == "base64":
        url = _data_uri(source)
    else:
        raise _not_text(f"{place}.source", source)
    return [{"type": "image_url", "image_url": {"url": url}}]


def _data_uri(source: dict[str, Any]) -> str:
    return f"data:{source.get('media_type')};base64,{source.get('data')}"


def _tool_reference_parts(block: Any, place: str) -> list[Part]:
    name = read(ToolReferenceBlock, block, place).tool_name
    return [{"type": "text", "text": f"The tool {json.dumps(name, ensure_ascii=False)} can be called."}]


_BLOCKS: dict[str, Callable[[Any, str], list[Part]]] = {
    "text": _text_parts,
    "document": _document_parts,
    "search_result": _search_parts,
    "image": _image_parts,
    "tool_reference": _tool_reference_parts,
}


def _enclosed(kind: str, attributes: dict[str, str | None], texts: list[str]) -> list[Part]:
    """Return texts between tags that say what they are."""
    said = "".join(f" {name}={json.dumps(value, ensure_ascii=False)}" for name, value in attributes.items() if value)
    return [{"type": "text", "text": "\n".join([f"<{kind}{said}>", *texts, f"</{kind}>"])}]


def _not_text(place: str, source: dict[str, Any]) -> GatewayError:
    kind = " ".join(str(source[key])[:60] for key in ("type", "media_type") if key in source)
    return invalid(f"`{place}` ({kind}) cannot be sent: only text can.", place)


def _type(block: Any, place: str) -> str:
    if not isinstance(block, dict) or not isinstance(block.get("type"), str):
        raise invalid(f"`{place}` should be an object with a `type`.", place, "invalid_value")
    return str(block["type"])


def _text(part: Part) -> str:
    return str(part.get("text", ""))
