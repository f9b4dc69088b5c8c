"""An answer in the form of OpenAI's Chat Completions."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from aider_stackspot.api.chunks import Chunk
from aider_stackspot.gateway.answer import Answer, AnswerEvent, end_of
from aider_stackspot.gateway.end import End
from aider_stackspot.gateway.errors import GatewayError, Protocol
from aider_stackspot.gateway.reply import PING, event
from aider_stackspot.tools import TextDelta, ToolCall

DONE = b"data: [DONE]\n\n"


class ChatReply:
    """The answer to one request, of chunks or as one document.

    Args:
        model: the name that the client gave.
        answer: the answer.
        wants_usage: whether a stream ends with the counts of tokens.
    """

    protocol = Protocol.OPENAI
    ping = PING

    def __init__(self, model: str, answer: Answer, *, wants_usage: bool) -> None:
        self._answer = answer
        self._wants_usage = wants_usage
        self._head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": model}

    def opening(self) -> bytes:
        """Return the chunk that says who speaks."""
        return self._chunk({"role": "assistant", "content": ""})

    def piece(self, piece: Sequence[AnswerEvent]) -> bytes:
        """Return the chunks of events."""
        chunks = []
        for said in piece:
            if isinstance(said, TextDelta):
                chunks.append(self._chunk({"content": said.text}))
            elif isinstance(said, ToolCall):
                chunks.append(self._chunk({"tool_calls": [{"index": said.index, **said.in_message}]}))
        return b"".join(chunks)

    def closing(self) -> bytes:
        """Return the chunk with the reason to finish, the one with the counts, and `[DONE]`."""
        end = end_of(self._answer)
        last = self._chunk({}, end.reason, end.extra)
        if self._wants_usage:
            last += event({**self._envelope("chat.completion.chunk"), "choices": [], "usage": _usage(end)})
        return last + DONE

    def failure(self, error: GatewayError) -> bytes:
        """Return the event that tells an error; no `[DONE]` follows it."""
        return event(error.body(Protocol.OPENAI))

    def document(self, pieces: list[Sequence[AnswerEvent]]) -> dict[str, Any]:
        """Return the whole answer."""
        events = [said for piece in pieces for said in piece]
        text = "".join(said.text for said in events if isinstance(said, TextDelta))
        calls = [said.in_message for said in events if isinstance(said, ToolCall)]
        message: dict[str, Any] = {"role": "assistant", "content": text or (None if calls else ""), "refusal": None}
        if calls:
            message["tool_calls"] = calls
        end = end_of(self._answer)
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": end.reason}
        return {**self._envelope("chat.completion"), "choices": [choice], "usage": _usage(end), **end.extra}

    def _chunk(
        self, delta: dict[str, Any], reason: str | None = None, extra: Mapping[str, Any] = MappingProxyType({})
    ) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        more = {"usage": None} if self._wants_usage else {}
        return event({**self._envelope("chat.completion.chunk"), "choices": [choice], **more, **extra})

    def _envelope(self, kind: str) -> dict[str, Any]:
        return {"id": self._head["id"], "object": kind, **self._head}


class ServersChat:
    """A server's own answer, passed on with everything in it: canonical chunks, or its document."""

    protocol = Protocol.OPENAI
    ping = PING

    def opening(self) -> bytes:
        """Return nothing: the server's first chunk says who speaks."""
        return b""

    def piece(self, piece: Sequence[Chunk]) -> bytes:
        """Return the chunks."""
        return b"".join(event(chunk) for chunk in piece)

    def closing(self) -> bytes:
        """Return the end of a complete stream."""
        return DONE

    def failure(self, error: GatewayError) -> bytes:
        """Return the event that tells an error; no `[DONE]` follows it."""
        return event(error.body(Protocol.OPENAI))

    def document(self, pieces: list[Sequence[Chunk]]) -> Chunk:
        """Return the server's document."""
        return next(chunk for piece in pieces for chunk in piece)


def _usage(end: End) -> dict[str, int]:
    usage = end.usage
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
