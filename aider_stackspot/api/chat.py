"""The chat API of the portal: `POST {api_base}/v3/chat` (docs/wire.md, "Chat API")."""

from __future__ import annotations

from typing import Any

from httpx_sse import ServerSentEvent
from ulid import ULID

from aider_stackspot.api.answer import AnswerText, ApiRequest, Finish, as_text, holds_no_answer, objects, whole_object
from aider_stackspot.api.error_response import from_frame
from aider_stackspot.api.stackspot_service import STACKSPOT

END_EVENT = "end_event"


def request(prompt: str, *, agent_id: str | None = None) -> ApiRequest:
    """Build the request, each with a conversation of its own: the history is in the prompt already.

    Every known client sends a 26-character `conversation_id` and none needs it to exist before (docs/wire.md, "Chat API: request").
    """
    context: dict[str, Any] = {"conversation_id": str(ULID()), "upload_ids": [], "knowledge_sources": []}
    if agent_id:
        context |= {"agent_id": agent_id, "agent_built_in": False}
    return ApiRequest(path="/v3/chat", body={"user_prompt": prompt, "context": context})


class ChatAnswer:
    """Reads one answer: deltas in `answer`, the end in `event: end_event` (docs/wire.md, "Chat API: stream")."""

    may_end = False

    def __init__(self) -> None:
        self.finish: Finish | None = None
        self._text = AnswerText()

    def feed(self, event: ServerSentEvent) -> str:
        """Return the new text of one event.

        Raises:
            StatusError: the event reports an error.
            StreamInterrupted: the event is damaged.
        """
        if self.finish is not None:
            return ""
        text = "".join(_text(frame, event.event) for frame in objects(event.data))
        if event.event == END_EVENT:
            self.finish = Finish(reason="stop")
            return self._text.end(text)
        return self._text.add(text)

    def end_of_body(self) -> str:
        """Return nothing: the end of the body is not the answer's."""
        return ""

    def whole(self, body: str) -> str:
        """Return the text of a JSON answer.

        Raises:
            StatusError: it reports an error.
            MalformedAnswer: it is no JSON object, or holds no answer.
        """
        frame = whole_object(body)
        text = _text(frame, "")
        if not isinstance(frame.get("answer", frame.get("message")), str):
            raise holds_no_answer(body)
        self.finish = Finish(reason="stop")
        return self._text.end(text)


def _text(frame: dict[str, Any], event: str) -> str:
    error = from_frame(frame, service=STACKSPOT, event=event)
    if error is not None:
        raise error
    return as_text(frame.get("answer", frame.get("message")))
