"""An answer in the form of Anthropic's Messages."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

from aider_stackspot.gateway.answer import Answer, AnswerEvent, end_of
from aider_stackspot.gateway.end import End
from aider_stackspot.gateway.errors import GatewayError, Protocol
from aider_stackspot.gateway.reply import event
from aider_stackspot.tools import TextDelta, ToolCall

_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}


class MessagesReply:
    """The answer to one request, as events or as one document.

    Args:
        model: the name that the client gave.
        answer: the answer.
        wants_thoughts: whether what the model thought is shown.
    """

    protocol = Protocol.ANTHROPIC
    ping = event({"type": "ping"}, "ping")

    def __init__(self, model: str, answer: Answer, *, wants_thoughts: bool) -> None:
        self._answer = answer
        self._wants_thoughts = wants_thoughts
        self._head = {"id": f"msg_{uuid.uuid4().hex[:24]}", "type": "message", "role": "assistant", "model": model}
        self._index = -1
        self._open = ""  # the type of the block that goes on
        self._signature = ""  # of thoughts: the field in which they go back

    def opening(self) -> bytes:
        """Return the event that begins the message."""
        usage = {"input_tokens": self._answer.prompt_tokens, "output_tokens": 0}
        rest: dict[str, Any] = {"content": [], "stop_reason": None, "stop_sequence": None, "usage": {**usage, **_CACHE}}
        return event({"type": "message_start", "message": {**self._head, **rest}}, "message_start")

    def piece(self, piece: Sequence[AnswerEvent]) -> bytes:
        """Return the events of a piece."""
        said = b""
        for one in piece:
            if isinstance(one, TextDelta):
                said += self._begin({"type": "text", "text": ""})
                said += self._delta({"type": "text_delta", "text": one.text})
            elif isinstance(one, ToolCall):
                said += self._end_block()
                said += self._begin({"type": "tool_use", "id": _tool_use_id(one), "name": one.name, "input": {}})
                said += self._delta({"type": "input_json_delta", "partial_json": one.arguments})
                said += self._end_block()
            elif self._wants_thoughts:
                said += self._begin({"type": "thinking", "thinking": "", "signature": ""})
                self._signature = one.field
                said += self._delta({"type": "thinking_delta", "thinking": one.text})
        return said

    def closing(self) -> bytes:
        """Return the end of the last block and of the message."""
        end = end_of(self._answer)
        said = self._end_block()
        if self._index < 0:  # programs take a message without content for a damaged one
            said = self._begin({"type": "text", "text": ""}) + self._end_block()
        delta = {"stop_reason": _stop_reason(end), "stop_sequence": end.stop_sequence}
        last = {"type": "message_delta", "delta": delta, "usage": _usage(end), **end.extra}
        said += event(last, "message_delta")
        return said + event({"type": "message_stop"}, "message_stop")

    def failure(self, error: GatewayError) -> bytes:
        """Return the event that tells an error; no `message_stop` follows it."""
        return event(error.body(Protocol.ANTHROPIC), "error")

    def document(self, pieces: list[Sequence[AnswerEvent]]) -> dict[str, Any]:
        """Return the whole message."""
        content: list[dict[str, Any]] = []
        for one in (one for piece in pieces for one in piece):
            if isinstance(one, ToolCall):
                arguments = json.loads(one.arguments)
                content.append({"type": "tool_use", "id": _tool_use_id(one), "name": one.name, "input": arguments})
            elif isinstance(one, TextDelta):
                _append(content, "text", one.text)
            elif self._wants_thoughts:
                _append(content, "thinking", one.text, signature=one.field)
        end = end_of(self._answer)
        return {
            **self._head,
            "content": content or [{"type": "text", "text": ""}],
            "stop_reason": _stop_reason(end),
            "stop_sequence": end.stop_sequence,
            "usage": _usage(end),
            **end.extra,
        }

    def _begin(self, block: dict[str, Any]) -> bytes:
        if self._open == block["type"]:
            return b""
        said = self._end_block()
        self._open = block["type"]
        self._index += 1
        started = {"type": "content_block_start", "index": self._index, "content_block": block}
        return said + event(started, "content_block_start")

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return event({"type": "content_block_delta", "index": self._index, "delta": delta}, "content_block_delta")

    def _end_block(self) -> bytes:
        if not self._open:
            return b""
        said = b""
        if self._open == "thinking":
            said = self._delta({"type": "signature_delta", "signature": self._signature})
        self._open = ""
        return said + event({"type": "content_block_stop", "index": self._index}, "content_block_stop")


def _append(content: list[dict[str, Any]], kind: str, text: str, **more: str) -> None:
    if not content or content[-1]["type"] != kind:
        content.append({"type": kind, kind: "", **more})
    content[-1][kind] += text


def _stop_reason(end: End) -> str:
    return "stop_sequence" if end.stop_sequence is not None else _STOP_REASONS.get(end.reason, "end_turn")


_CACHE = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}


def _usage(end: End) -> dict[str, int]:
    return {"input_tokens": end.usage.prompt_tokens, "output_tokens": end.usage.completion_tokens, **_CACHE}


def _tool_use_id(call: ToolCall) -> str:
    """Return a call's id as Anthropic's are; clients check the letters that it is made of."""
    made = "".join(char for char in call.id.removeprefix("call_") if char.isalnum() or char in "_-")
    return f"toolu_{made or uuid.uuid4().hex[:24]}"
