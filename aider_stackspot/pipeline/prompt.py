"""Chat messages to the one text that StackSpot takes (docs/wire.md, "Agents API: request": no messages, no roles).

A single user message goes out as it is. Anything else becomes a transcript: every message stands between an opening
and a closing tag, in order, nothing left out. The text is unambiguous: two different conversations never give the
same prompt, because a tag that occurs inside a message gets one more backslash in front than it had. The tag's name
is one that code and prose do not contain, so in practice nothing is ever changed and code stays quotable.

A request that demands tool calls or JSON has instructions of this package in the system part, in a message that no
client can write; with tools, earlier calls and their results stand in the syntax that `tools` asks the model to use.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aider_stackspot.errors import InvalidRequest
from aider_stackspot.tools.history import is_result, render_calls, result_tags
from aider_stackspot.tools.protocol import escape_text

Message = Mapping[str, Any]

PREAMBLE = (
    "This is a transcript of a conversation with an AI assistant. Each message stands between "
    '<stackspot-message role="..."> and </stackspot-message>. Messages with the role system are instructions to the '
    "assistant. Write the assistant's next message: its content only, without any of these tags.\n\n"
)

_TAGS = re.compile(r"\\*</?stackspot-(?:message|part|tool-call)\b")
_ATTRIBUTES = ("name", "tool_call_id")
_SYSTEM = ("system", "developer")


def render(messages: Sequence[Message], instructions: str = "", *, tool_syntax: bool = False) -> str:
    """Return the prompt for a conversation.

    Args:
        messages: OpenAI chat messages; `content` is a string, a list of text parts, or absent.
        instructions: what this package itself has to say to the model; it stands behind the system messages that
            open the conversation.
        tool_syntax: the instructions explain `tools.protocol`, so calls and results are written in it.

    Raises:
        InvalidRequest: there is no message, one is no object or has no role, or a part is not text.
    """
    if not messages:
        raise InvalidRequest("There are no messages to send.")
    _check_kinds(messages)
    lone = _lone_text(messages) if not instructions else None
    if lone is not None:
        return lone
    block = _block_in_tool_syntax if tool_syntax else _block
    blocks = [block(index, message) for index, message in enumerate(messages)]
    if instructions:
        opening = next((i for i, message in enumerate(messages) if message.get("role") not in _SYSTEM), len(messages))
        blocks.insert(opening, _tagged("system", " instructions", [_escaped(instructions)]))
    return PREAMBLE + "\n".join(blocks) + "\n"


def _check_kinds(messages: Sequence[Message]) -> None:
    for index, message in enumerate(messages):
        if not hasattr(message, "get"):  # a dictionary, or LiteLLM's own message, which behaves like one
            raise InvalidRequest(
                f"Message {index} is a {type(message).__name__}; an object with `role` and `content` is expected."
            )


def _lone_text(messages: Sequence[Message]) -> str | None:
    """Return the text of a conversation that is one user message and nothing else."""
    if len(messages) != 1:
        return None
    message = messages[0]
    if message.get("role") != "user" or _has_more_than_content(message):
        return None
    content = _content(0, message)
    return content if isinstance(content, str) and content and not content.startswith(PREAMBLE) else None


def _has_more_than_content(message: Message) -> bool:
    return any(message.get(key) is not None for key in _ATTRIBUTES) or bool(_calls(message))


def _block(index: int, message: Message) -> str:
    role = _role(index, message)
    attributes = "".join(f" {key}={_quoted(message[key])}" for key in _ATTRIBUTES if message.get(key) is not None)
    more, inner = _inner(index, message)
    inner += [f"<stackspot-tool-call>\n{_json(call)}\n</stackspot-tool-call>" for call in _calls(message)]
    return _tagged(role, attributes + more, inner)


def _block_in_tool_syntax(index: int, message: Message) -> str:
    role = _role(index, message)
    more, inner = _inner(index, message, escape_text)
    try:
        if is_result(message):  # its tag has id and name
            opening, closing = result_tags(message)
            inner = [_escaped(opening), *inner, closing]
        elif message.get("name") is not None:
            more = f" name={_quoted(message['name'])}{more}"
        inner += [_escaped(call) for call in render_calls(message)]
    except (ValueError, AttributeError) as error:
        raise InvalidRequest(f"A tool call of message {index} cannot be read: {error}") from None
    return _tagged(role, more, inner)


def _tagged(role: str, attributes: str, inner: list[str]) -> str:
    return "\n".join([f"<stackspot-message role={_quoted(role)}{attributes}>", *inner, "</stackspot-message>"])


def _role(index: int, message: Message) -> str:
    role = message.get("role")
    if not isinstance(role, str) or not role:
        raise InvalidRequest(f"Message {index} has no role.")
    return role


def _inner(index: int, message: Message, escape: Callable[[str], str] = str) -> tuple[str, list[str]]:
    """Return a message's content, and the attributes that tell what kind of content it is."""
    content = _content(index, message)
    if content is None:
        return " empty", []
    if isinstance(content, str):
        return "", [_escaped(escape(content))]
    parts = [f"<stackspot-part>\n{_escaped(escape(part))}\n</stackspot-part>" for part in content]
    return f' parts="{len(content)}"', parts


def _content(index: int, message: Message) -> str | list[str] | None:
    """Return a message's text, its several texts, or `None`; one text part is the same as a string."""
    content = message.get("content")
    if content is None or isinstance(content, str):
        return content
    if not isinstance(content, list | tuple):
        raise InvalidRequest(f"The content of message {index} is a {type(content).__name__}; text is expected.")
    texts = [_part_text(index, number, part) for number, part in enumerate(content)]
    return texts[0] if len(texts) == 1 else texts


def _part_text(index: int, number: int, part: object) -> str:
    if isinstance(part, str):
        return part
    kind = part.get("type") if isinstance(part, Mapping) else type(part).__name__
    if isinstance(part, Mapping) and kind in ("text", "input_text") and isinstance(part.get("text"), str):
        return str(part["text"])
    raise InvalidRequest(
        f"Part {number} of message {index} has the type `{kind}`. StackSpot's models take text only: remove images, "
        "audio and files from the conversation."
    )


def _calls(message: Message) -> list[Any]:
    calls = list(message.get("tool_calls") or [])
    return [*calls, {"function_call": message["function_call"]}] if message.get("function_call") else calls


def _escaped(text: str) -> str:
    return _TAGS.sub(lambda match: "\\" + match.group(), text)


def _quoted(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e")


def _json(value: Any) -> str:
    plain = value if isinstance(value, Mapping) else getattr(value, "model_dump", lambda: value)()
    return _escaped(json.dumps(plain, ensure_ascii=False, default=str))
