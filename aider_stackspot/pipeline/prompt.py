"""Chat messages to the one text that StackSpot takes (docs/wire.md, "Agents API: request": no messages, no roles).

A single user message goes out as it is. Anything else becomes a transcript: every message stands between an opening
and a closing tag, in order, nothing left out. The text is unambiguous: two different conversations never give the
same prompt, because a tag that occurs inside a message gets one more backslash in front than it had. The tag's name
is one that code and prose do not contain, so in practice nothing is ever changed and code stays quotable.

A request that demands tool calls or JSON has instructions of this package in the system part, in a message that no
client can write; with tools, earlier calls and their results stand in the syntax that `tools` asks the model to use.
A lone half of a UTF-16 surrogate pair, which UTF-8 cannot hold, becomes U+FFFD wherever it stands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aider_stackspot.api.answer import clean
from aider_stackspot.errors import InvalidRequest
from aider_stackspot.pipeline.attachments import Attachments
from aider_stackspot.tools import CALL_CLOSE, CALL_OPEN, as_mapping, calls_as_json, escape_text, is_result, result_tags

Message = Mapping[str, Any]

PREAMBLE = (
    "This is a transcript of a conversation with an AI assistant. Each message stands between "
    '<stackspot-message role="..."> and </stackspot-message>. Messages with the role system are instructions to the '
    "assistant. Write the assistant's next message: its content only, without any of these tags.\n\n"
)

_TAGS = re.compile(r"\\*</?stackspot-(?:message|part|tool-call)\b")
_ATTRIBUTES = ("name", "tool_call_id")
_SYSTEM = ("system", "developer")
_TEXT_FIELDS = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal"}
"""The types of content parts that are text, each with the field that holds it."""


def render(
    messages: Sequence[Message],
    instructions: str = "",
    *,
    tool_syntax: bool = False,
    attachments: Attachments | None = None,
) -> str:
    """Return the prompt for a conversation.

    Args:
        messages: OpenAI chat messages; `content` is a string, a list of text parts, or absent.
        instructions: what this package itself has to say to the model; it stands behind the system messages that
            open the conversation.
        tool_syntax: the instructions explain `tools.tool_call_syntax`, so calls and results are written in it.
        attachments: takes pictures and files, for which some words stand in the prompt; `None` where the model has no
            use for them.

    Raises:
        InvalidRequest: a message cannot be sent as text; the error names it, and its part or call, by position.
    """
    if not messages:
        raise InvalidRequest("There are no messages to send.")
    try:
        read = [_read(message, f"messages[{index}]", attachments) for index, message in enumerate(messages)]
    except ValueError as error:
        raise InvalidRequest(str(error)) from None
    lone = _lone_text(read) if not instructions else None
    return clean(_transcript(read, instructions, tool_syntax) if lone is None else lone)


def new_messages(messages: Sequence[Message]) -> list[Message]:
    """Return what is new in a conversation whose history the service keeps: what follows the last answer.

    Messages that open the conversation with instructions were part of its first call.

    Raises:
        InvalidRequest: nothing is new.
    """
    roles = [message.get("role") if isinstance(message, Mapping) else None for message in messages]
    last = max((index for index, role in enumerate(roles) if role == "assistant"), default=-1)
    behind = list(messages[last + 1 :])
    opening = next((index for index, role in enumerate(roles) if role not in _SYSTEM), len(roles))
    new = behind[max(0, opening - last - 1) :]
    if not new:
        raise InvalidRequest("There is no new message for the conversation: the last one is the assistant's, or none.")
    return new


def content_texts(content: Any, place: str, attachments: Attachments | None = None) -> list[str] | None:
    """Return the texts of a message's content: of a string, of a list of parts, or `None` where there is none.

    Args:
        content: as OpenAI's Chat Completions and Responses APIs have it.
        place: where it stands in the request, for the error.
        attachments: takes the parts that are pictures or files.

    Raises:
        ValueError: a part is not text, and cannot be attached; the error names it by position.
    """
    if content is None:
        return None
    if isinstance(content, str):
        return [content]
    if not isinstance(content, list | tuple):
        raise ValueError(f"{place} is a {type(content).__name__}; a text or a list of parts is expected")
    return [_part_text(part, f"{place}[{position}]", attachments) for position, part in enumerate(content)]


def _part_text(part: Any, place: str, attachments: Attachments | None) -> str:
    if isinstance(part, str):
        return part
    given = as_mapping(part, place)
    kind = given.get("type", "text")
    field = _TEXT_FIELDS.get(kind) if isinstance(kind, str) else None
    if field is None:
        words = attachments.take(given, place) if attachments is not None else None
        if words is not None:
            return words
        raise ValueError(_refusal(place, kind, attachments))
    text = given.get(field)
    if not isinstance(text, str):
        raise ValueError(f"{place}.{field} is a {type(text).__name__}; a text is expected")
    return text


def _refusal(place: str, kind: object, attachments: Attachments | None) -> str:
    what = f"{place} has the type `{clean(str(kind))}`."
    if attachments is not None:
        return f"{what} This model takes text, pictures and files: remove it from the conversation."
    return (
        f"{what} This model takes text only: remove images, audio and files from the conversation. A model of "
        "StackSpot's with the key `vision: true` takes pictures and files."
    )


@dataclass(frozen=True)
class _ReadMessage:
    """One message with everything in it that the model is to see.

    Attributes:
        role: not empty.
        texts: of its content; one text part is the same as a string, `None` is no content.
        calls: each as a JSON object.
        attributes: its `name` and `tool_call_id`, where it has them.
        result_tags: what stands around the result of a tool call; `None` for all other messages.
    """

    role: str
    texts: list[str] | None
    calls: list[str]
    attributes: dict[str, str]
    result_tags: tuple[str, str] | None


def _read(given: Any, place: str, attachments: Attachments | None) -> _ReadMessage:
    message = as_mapping(given, place)
    role = message.get("role")
    if not isinstance(role, str) or not role:
        raise ValueError(f"{place} has no role")
    if message.get("audio") is not None:
        raise ValueError(f"{place}.audio cannot be sent: this model takes text only.")
    texts = content_texts(message.get("content"), f"{place}.content", attachments)
    if message.get("refusal"):
        texts = [*(texts or []), *(content_texts(message["refusal"], f"{place}.refusal") or [])]
    return _ReadMessage(
        role=role,
        texts=texts,
        calls=calls_as_json(message, place),
        attributes={key: str(message[key]) for key in _ATTRIBUTES if message.get(key) is not None},
        result_tags=result_tags(message) if is_result(message) else None,
    )


def _lone_text(messages: Sequence[_ReadMessage]) -> str | None:
    """Return the text of a conversation that is one user message and nothing else."""
    message = messages[0]
    if len(messages) != 1 or message.role != "user" or message.attributes or message.calls:
        return None
    if message.texts is None or len(message.texts) != 1:
        return None
    text = message.texts[0]
    return text if text and not text.startswith(PREAMBLE) else None


def _transcript(messages: Sequence[_ReadMessage], instructions: str, tool_syntax: bool) -> str:
    write = _in_tool_syntax if tool_syntax else _plainly
    blocks = [write(message) for message in messages]
    if instructions:
        opening = next((index for index, message in enumerate(messages) if message.role not in _SYSTEM), len(messages))
        blocks.insert(opening, _tagged("system", " instructions", [_escaped(instructions)]))
    return PREAMBLE + "\n".join(blocks) + "\n"


def _plainly(message: _ReadMessage) -> str:
    kind, inner = _content(message.texts)
    inner += [f"<stackspot-tool-call>\n{_escaped(call)}\n</stackspot-tool-call>" for call in message.calls]
    return _tagged(message.role, _attributes(message.attributes) + kind, inner)


def _in_tool_syntax(message: _ReadMessage) -> str:
    texts = None if message.texts is None else [escape_text(text) for text in message.texts]
    kind, inner = _content(texts)
    attributes = _attributes(message.attributes)
    if message.result_tags is not None:
        opening, closing = message.result_tags
        inner, attributes = [_escaped(opening), *inner, closing], ""  # the opening tag has id and name
    inner += [f"{CALL_OPEN}\n{_escaped(call)}\n{CALL_CLOSE}" for call in message.calls]
    return _tagged(message.role, attributes + kind, inner)


def _content(texts: list[str] | None) -> tuple[str, list[str]]:
    """Return the attribute that tells what kind of content a message has, and the content."""
    if texts is None:
        return " empty", []
    if len(texts) == 1:
        return "", [_escaped(texts[0])]
    parts = [f"<stackspot-part>\n{_escaped(text)}\n</stackspot-part>" for text in texts]
    return f' parts="{len(texts)}"', parts


def _tagged(role: str, attributes: str, inner: list[str]) -> str:
    return "\n".join([f"<stackspot-message role={_quoted(role)}{attributes}>", *inner, "</stackspot-message>"])


def _attributes(attributes: Mapping[str, str]) -> str:
    return "".join(f" {key}={_quoted(value)}" for key, value in attributes.items())


def _escaped(text: str) -> str:
    return _TAGS.sub(lambda match: "\\" + match.group(), text)


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e")
