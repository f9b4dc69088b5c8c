"""A question's messages as every server of OpenAI's API takes them.

Servers differ in where they take a list of parts: many chat templates know texts only, and OpenAI's own API takes no
pictures from a tool. So a content that is nothing but text is one text, and what else a tool has brought stands in a
message of the user's behind the results.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aider_stackspot.gateway.question import Message

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
