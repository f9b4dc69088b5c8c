"""What a server's model thought, on its way to a client and back.

Some servers (DeepSeek's) refuse a conversation in which the model has used tools and its thoughts are missing; others
refuse a message that has such a field. So thoughts go back to a server in the field in which it told them. That name
travels with them, in what clients of each protocol send back as it was.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

FIELDS = ("reasoning_content", "reasoning")
"""Of a message or delta of Chat Completions."""


def told_in(delta: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the field and the text of a delta's thoughts."""
    return next(((name, delta[name]) for name in FIELDS if isinstance(delta.get(name), str) and delta[name]), None)


def of_block(block: Mapping[str, Any]) -> dict[str, str]:
    """Return the field for a thinking block of Messages; nothing for what another service's model thought."""
    field, text = block.get("signature"), block.get("thinking")
    return {field: text} if field in FIELDS and isinstance(text, str) and text else {}


def add(to: dict[str, Any], more: Mapping[str, str]) -> None:
    """Add thoughts to a message, or to thoughts, behind those that are there: a model may think between its calls."""
    for name, text in more.items():
        to[name] = to.get(name, "") + text


def sealed(field: str, text: str) -> str:
    """Return thoughts as the `encrypted_content` of a reasoning item of Responses; nothing about them is secret."""
    return base64.b64encode(json.dumps({field: text}).encode()).decode()


def of_item(item: Mapping[str, Any]) -> dict[str, str]:
    """Return the field for a reasoning item of Responses; nothing for what another service's model thought."""
    try:
        found = json.loads(base64.b64decode(str(item.get("encrypted_content") or ""), validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: text for name, text in found.items() if name in FIELDS and isinstance(text, str)}
