"""An answer in the form of OpenAI's Responses."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from aider_stackspot.gateway import thoughts
from aider_stackspot.gateway.answer import Answer, AnswerEvent, end_of
from aider_stackspot.gateway.errors import GatewayError, Protocol
from aider_stackspot.gateway.reply import PING, End, event
from aider_stackspot.gateway.responses_request import Read, ResponsesRequest
from aider_stackspot.tools import TextDelta, ToolCall

Item = dict[str, Any]


class ResponsesReply:
    """The answer to one request, as events or as one document.

    Args:
        asked: the request.
        answer: the answer.
        keep: called with the complete response.
    """

    protocol = Protocol.OPENAI
    ping = PING

    def __init__(self, asked: Read, answer: Answer, keep: Callable[[Item], None]) -> None:
        self._answer = answer
        self._keep = keep
        self._head = _head(asked.request)
        self._tools = asked.tools
        self._output: list[Item] = []
        self._texts: list[str] = []  # of the item that goes on
        self._field = ""  # in which thoughts go back
        self._number = -1

    def opening(self) -> bytes:
        """Return the events that begin the response."""
        begun = self._response("in_progress")
        return self._event("response.created", response=begun) + self._event("response.in_progress", response=begun)

    def piece(self, piece: Sequence[AnswerEvent]) -> bytes:
        """Return the events of a piece."""
        said = b""
        for one in piece:
            if isinstance(one, TextDelta):
                said += self._piece("message", one.text)
            elif isinstance(one, ToolCall):
                said += self._end_item() + self._call(one)
            else:
                self._field = one.field
                said += self._piece("reasoning", one.text)
        return said

    def closing(self) -> bytes:
        """Return the end of the last item and of the response."""
        said = self._end_item()
        if not self._output:
            said = self._piece("message", "") + self._end_item()
        response = self._complete()
        return said + self._event(f"response.{response['status']}", response=response)

    def failure(self, error: GatewayError) -> bytes:
        """Return the events that tell an error; nothing says that the response is complete."""
        told = {"code": error.code or "server_error", "message": error.message}
        whole = {**error.body(Protocol.OPENAI)["error"], **told}
        said = self._event("error", **told, param=error.param, error=whole)
        return said + self._event("response.failed", response={**self._response("failed"), "error": told})

    def document(self, pieces: list[Sequence[AnswerEvent]]) -> Item:
        """Return the whole response."""
        for piece in pieces:
            self.piece(piece)
        self.closing()
        return self._last

    def _complete(self) -> Item:
        end = end_of(self._answer)
        reason = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(end.reason)
        response = self._response("completed" if reason is None else "incomplete")
        response |= {"usage": _usage(end), **end.extra}
        if reason is None:
            response["completed_at"] = int(time.time())
        else:
            response["incomplete_details"] = {"reason": reason}
        self._last = response
        self._keep(response)
        return response

    def _piece(self, kind: str, text: str) -> bytes:
        """Return the events of a piece of a message, or of what the model thought."""
        said = b""
        if self._open() != kind:
            said = self._end_item() + self._begin(kind)
        self._texts.append(text)
        if not text:
            return said
        return said + self._content(f"response.{_TEXTS[kind]}.delta", delta=text, **_more(kind))

    def _open(self) -> str:
        """Return the type of the item that goes on."""
        return self._output[-1]["type"] if self._output and self._output[-1]["status"] == "in_progress" else ""

    def _begin(self, kind: str) -> bytes:
        if kind == "message":
            item: Item = {"id": f"msg_{uuid.uuid4().hex}", "type": kind, "role": "assistant", "content": []}
        else:
            item = {"id": f"rs_{uuid.uuid4().hex}", "type": kind, "summary": [], "content": []}
        self._output.append({**item, "status": "in_progress"})
        return self._item("added") + self._content("response.content_part.added", part=_part(kind, ""))

    def _end_item(self) -> bytes:
        kind = self._open()
        if not kind:
            return b""
        text, self._texts = "".join(self._texts), []
        said = self._content(f"response.{_TEXTS[kind]}.done", text=text, **_more(kind))
        said += self._content("response.content_part.done", part=_part(kind, text))
        more = {"encrypted_content": thoughts.sealed(self._field, text)} if kind == "reasoning" else {}
        self._output[-1] = {**self._output[-1], "content": [_part(kind, text)], **more, "status": "completed"}
        return said + self._item("done")

    def _call(self, call: ToolCall) -> bytes:
        item = self._tools.call_item(call)
        if item["type"] == "tool_search_call":
            self._output.append({**item, "status": "completed"})
            return self._item("added") + self._item("done")
        is_text = item["type"] == "custom_tool_call"
        field, kind = ("input", "custom_tool_call_input") if is_text else ("arguments", "function_call_arguments")
        self._output.append({**item, field: "", "status": "in_progress"})
        said = self._item("added")
        place = {"item_id": item["id"], "output_index": len(self._output) - 1}
        said += self._event(f"response.{kind}.delta", **place, delta=item[field])
        named = {} if is_text else {"name": item["name"]}
        said += self._event(f"response.{kind}.done", **place, **named, **{field: item[field]})
        self._output[-1] = {**item, "status": "completed"}
        return said + self._item("done")

    def _item(self, what: str) -> bytes:
        return self._event(f"response.output_item.{what}", output_index=len(self._output) - 1, item=self._output[-1])

    def _content(self, kind: str, **fields: Any) -> bytes:
        place = {"item_id": self._output[-1]["id"], "output_index": len(self._output) - 1, "content_index": 0}
        return self._event(kind, **place, **fields)

    def _event(self, kind: str, **fields: Any) -> bytes:
        self._number += 1
        return event({"type": kind, "sequence_number": self._number, **fields}, kind)

    def _response(self, status: str) -> Item:
        return {**self._head, "status": status, "output": list(self._output)}


def _head(request: ResponsesRequest) -> Item:
    """Return what a response says of its request."""
    text = request.text.model_dump(exclude_none=True) if request.text is not None else {}
    return {
        "id": f"resp_{uuid.uuid4().hex}",
        "object": "response",
        "created_at": int(time.time()),
        "model": request.model,
        "error": None,
        "incomplete_details": None,
        "instructions": request.instructions,
        "max_output_tokens": request.max_output_tokens,
        "metadata": request.metadata or {},
        "parallel_tool_calls": request.parallel_tool_calls is not False,
        "previous_response_id": request.previous_response_id,
        "reasoning": request.reasoning or {"effort": None, "summary": None},
        "store": request.store is not False,
        "temperature": request.temperature,
        "text": {"format": {"type": "text"}, **text},
        "tool_choice": request.tool_choice or "auto",
        "tools": request.tools or [],
        "top_p": request.top_p,
        "truncation": request.truncation or "disabled",
        "usage": None,
    }


_TEXTS = {"message": "output_text", "reasoning": "reasoning_text"}
"""How the text of an item is called in its events and parts."""


def _more(kind: str) -> Item:
    return {"logprobs": []} if kind == "message" else {}


def _part(kind: str, text: str) -> Item:
    more: Item = {"annotations": []} if kind == "message" else {}
    return {"type": _TEXTS[kind], "text": text, **more, **_more(kind)}


def _usage(end: End) -> Item:
    usage = end.usage
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
