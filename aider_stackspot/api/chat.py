"""The chat API of the portal: `POST {api_base}/v3/chat` (docs/wire.md, "Chat API")."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

from ulid import ULID

from aider_stackspot.api.answer import ApiRequest
from aider_stackspot.api.stackspot_answer import StackSpotAnswer


def request(prompt: str, *, agent_id: str | None = None, knowledge_sources: Sequence[str] = ()) -> ApiRequest:
    """Build the request, each with a conversation of its own: the history is in the prompt already.

    Every known client sends a 26-character `conversation_id`, and none needs it to exist before (docs/wire.md, "Chat
    API: request").
    """
    context: dict[str, Any] = {"conversation_id": _new_id(), "upload_ids": []}
    context["knowledge_sources"] = list(knowledge_sources)
    if agent_id:
        context |= {"agent_id": agent_id, "agent_built_in": False}
    return ApiRequest(path="/v3/chat", body={"user_prompt": prompt, "context": context})


def _new_id() -> str:
    """Return a new ULID. The library's own generator has a lock, which a forked child may find closed for ever."""
    return str(ULID.from_bytes(int.to_bytes(time.time_ns() // 1_000_000, 6, "big") + os.urandom(10)))


class ChatAnswer(StackSpotAnswer):
    """Reads one answer: deltas in `answer`, the end in `event: end_event` (docs/wire.md, "Chat API: stream")."""

    TEXT_FIELDS = ("answer", "message", "content", "text", "response")
    END_NAME = "end_event"
    ENDS_BY_NAME_ONLY = True
