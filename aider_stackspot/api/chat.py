"""The chat API of the portal: `POST {api_base}/v3/chat` (docs/wire.md, "Chat API")."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

from ulid import ULID

from aider_stackspot.api.answer import ApiRequest
from aider_stackspot.api.stackspot_answer import StackSpotAnswer


def new_conversation() -> str:
    """Return the id of a conversation that nobody has begun; it need not exist before it is used.

    It is a ULID of our own bytes: the library's generator has a lock, which a forked child may find closed for ever.
    """
    return str(ULID.from_bytes(int.to_bytes(time.time_ns() // 1_000_000, 6, "big") + os.urandom(10)))


def request(
    prompt: str,
    conversation_id: str,
    *,
    agent_id: str | None = None,
    knowledge_sources: Sequence[str] = (),
    upload_ids: Sequence[str] = (),
) -> ApiRequest:
    """Build the request.

    Args:
        prompt: the whole conversation as one text, or what is new in one that the service keeps.
        conversation_id: the service's own history, which every known client names with 26 characters (docs/wire.md,
            "Chat API: request").
        agent_id: an agent that answers; `None` for the portal's own assistant.
        knowledge_sources: ids of knowledge sources to use besides.
        upload_ids: files that were uploaded before.
    """
    context: dict[str, Any] = {
        "conversation_id": conversation_id,
        "upload_ids": list(upload_ids),
        "knowledge_sources": list(knowledge_sources),
    }
    if agent_id:
        context |= {"agent_id": agent_id, "agent_built_in": False}
    return ApiRequest(path="/v3/chat", body={"user_prompt": prompt, "context": context})


class ChatAnswer(StackSpotAnswer):
    """Reads one answer: deltas in `answer`, the end in `event: end_event` (docs/wire.md, "Chat API: stream").

    Args:
        conversation_id: the conversation's, where the service keeps it: the answer does not tell.
    """

    TEXT_FIELDS = ("answer", "message", "content", "text", "response")
    END_NAME = "end_event"
    ENDS_BY_NAME_ONLY = True

    def __init__(self, conversation_id: str | None = None) -> None:
        super().__init__()
        self._conversation_id = conversation_id
