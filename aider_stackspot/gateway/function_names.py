"""Names of functions as OpenAI's API takes them, for the tools of protocols that allow more.

Anthropic's names may have 128 characters, those of Codex's namespaces even more; OpenAI's API, and servers like it,
refuse what is longer than 64, or has other signs than letters, digits, `_` and `-`. Such a name goes out in another
form, which is made of the name alone: it is the same in each turn of a conversation, whatever tools stand beside it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

_LONGEST = 64
_TAKEN = re.compile(rf"[A-Za-z0-9_-]{{1,{_LONGEST}}}")
_OF_DIGEST = 10
"""Characters that tell two names apart which begin alike."""


def as_taken(name: str) -> str:
    """Return a name as OpenAI's API takes it: itself where that is possible."""
    if _TAKEN.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_OF_DIGEST]
    begin = re.sub(r"[^A-Za-z0-9_-]", "_", name[: _LONGEST - _OF_DIGEST - 1])
    return f"{begin}_{digest}"


class FunctionNames:
    """The names of one request's functions, and how they go out.

    Args:
        names: the functions that the model may call.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._given = {as_taken(name): name for name in names}

    def given(self, name: str) -> str:
        """Return the name that the client gave, of the one that the model wrote."""
        return self._given.get(name, name)


def with_names_as_taken(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message whose calls name their functions as OpenAI's API takes them."""
    if not message.get("tool_calls"):
        return dict(message)
    calls = [
        {**call, "function": {**call["function"], "name": as_taken(call["function"]["name"])}}
        for call in message["tool_calls"]
    ]
    return {**message, "tool_calls": calls}
