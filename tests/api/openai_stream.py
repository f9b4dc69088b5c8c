"""Streams of OpenAI-compatible servers, written and read."""

from __future__ import annotations

import json
from typing import Any

from aider_stackspot.api.chunks import Chunk
from aider_stackspot.api.error_response import Service
from aider_stackspot.api.openai import EndMarker, OpenAIAnswer
from aider_stackspot.api.sse import EventStream
from aider_stackspot.errors import (
    StackSpotError,
)

SERVICE = Service("the server `lab`")


HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}


DONE = "data: [DONE]\n\n"


def chunk(delta: Any = None, finish: Any = None, **more: Any) -> str:
    choice = {"index": 0, "delta": {} if delta is None else delta, "finish_reason": finish}
    return f"data: {json.dumps({**HEAD, 'choices': [choice], **more})}\n\n"


def text(*pieces: str) -> str:
    return "".join(chunk({"content": piece}) for piece in pieces)


class Read:
    """A stream as it was read: to its end, or to the error."""

    def __init__(
        self, stream: str | bytes, end_marker: EndMarker = "finish_reason", *, size: int = 7, **more: bool
    ) -> None:
        self.answer = OpenAIAnswer(SERVICE, end_marker=end_marker, **more)
        self.chunks: list[Chunk] = []
        self.error: StackSpotError | None = None
        data, events = stream.encode() if isinstance(stream, str) else stream, EventStream()
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        try:
            for piece in pieces:
                for event in events.feed(piece):
                    self.chunks += self.answer.feed(event)
            for event in events.finish():
                self.chunks += self.answer.feed(event)
            self.chunks += self.answer.end_of_body()
        except StackSpotError as error:
            self.error = error

    @property
    def complete(self) -> bool:
        return self.error is None and self.answer.finish is not None

    def of(self, field: str) -> str:
        """Return all of a field's text, choice 0."""
        choices = [one for found in self.chunks for one in found["choices"] if one["index"] == 0]
        return "".join(one.get("delta", one).get(field) or "" for one in choices)

    @property
    def calls(self) -> dict[int, dict[str, Any]]:
        """Return the tool calls, put together by their index."""
        found: dict[int, dict[str, Any]] = {}
        for piece in (
            piece
            for found_chunk in self.chunks
            for choice in found_chunk["choices"]
            for piece in choice.get("delta", {}).get("tool_calls", ())
        ):
            call = found.setdefault(piece["index"], {"id": piece.get("id"), "name": "", "arguments": ""})
            call["name"] += piece["function"].get("name") or ""
            call["arguments"] += piece["function"].get("arguments") or ""
        return found


PLAIN = chunk({"role": "assistant", "content": ""}) + text("Hel", "lo") + chunk(finish="stop") + DONE


COUNTS = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
