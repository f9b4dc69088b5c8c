"""The Agents API: `POST {agent_api_base}/v1/agent/{agent_id}/chat` (docs/wire.md, "Agents API")."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from httpx_sse import ServerSentEvent

from aider_stackspot.api.answer import (
    AnswerText,
    ApiRequest,
    Finish,
    Usage,
    as_text,
    finish_reason,
    holds_no_answer,
    objects,
    whole_object,
)
from aider_stackspot.api.error_response import from_frame
from aider_stackspot.api.stackspot_service import STACKSPOT


def request(prompt: str, agent_id: str, *, stackspot_knowledge: bool = False) -> ApiRequest:
    """Build the request.

    Args:
        prompt: the whole conversation as one text; the API knows neither roles nor messages (docs/wire.md, "Agents API: request").
        agent_id: the agent's ULID, from its page in the portal.
        stackspot_knowledge: let StackSpot add its own global knowledge; off, because it changes answers unasked.
    """
    return ApiRequest(
        path=f"/v1/agent/{quote(agent_id, safe='')}/chat",
        body={
            "streaming": True,
            "user_prompt": prompt,
            "stackspot_knowledge": stackspot_knowledge,
            "return_ks_in_response": False,
        },
    )


class AgentAnswer:
    """Reads one answer: deltas in `message`, the end in `stop_reason` or `tokens` (docs/wire.md, "Agents API: stream")."""

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
        return "".join(self._read(frame, event.event) for frame in objects(event.data))

    def end_of_body(self) -> str:
        """Return nothing: the end of the body is not the answer's."""
        return ""

    def whole(self, body: str) -> str:
        """Return the text of a JSON answer, which StackSpot sends where it does not stream (docs/wire.md, "Agents API: whole answer").

        Raises:
            StatusError: it reports an error.
            MalformedAnswer: it is no JSON object, or holds no answer.
        """
        frame = whole_object(body)
        text = self._read(frame, "")
        if self.finish is None:
            if not isinstance(frame.get("message"), str):
                raise holds_no_answer(body)
            self.finish = Finish(reason="stop")
            text += self._text.end()
        return text

    def _read(self, frame: dict[str, Any], event: str) -> str:
        if self.finish is not None:
            return ""
        error = from_frame(frame, service=STACKSPOT, event=event)
        if error is not None:
            raise error
        text, stop_reason = _text_and_stop(frame)
        if (isinstance(stop_reason, str) and stop_reason) or isinstance(frame.get("tokens"), dict):
            message_id = frame.get("message_id")
            self.finish = Finish(
                reason=finish_reason(stop_reason),
                usage=usage(frame.get("tokens")),
                message_id=message_id if isinstance(message_id, str) else None,
            )
            # Deltas are never cumulative; only a final event may repeat the whole text (docs/wire.md, "Agents API: stream").
            return self._text.end(text)
        return self._text.add(text)


def _text_and_stop(frame: dict[str, Any]) -> tuple[str, object]:
    """Return the text and the end marker of the flat form, or of an OpenAI-style chunk."""
    choices = frame.get("choices")
    if "message" in frame or not isinstance(choices, list):
        return as_text(frame.get("message")), frame.get("stop_reason")
    choice = choices[0] if choices and isinstance(choices[0], dict) else {}
    for key in ("delta", "message"):
        part = choice.get(key)
        if isinstance(part, dict):
            return as_text(part.get("content")), choice.get("finish_reason")
    return "", choice.get("finish_reason")


def usage(tokens: object) -> Usage | None:
    """Read the `tokens` object, in the current and the older shape (docs/wire.md, "Agents API: tokens").

    Returns `None` where there is nothing in it to count, which the live service does when both are zero.
    """
    if not isinstance(tokens, dict):
        return None
    prompt = tokens.get("input")
    prompt_tokens = (
        _count(prompt) if prompt is not None else _count(tokens.get("user")) + _count(tokens.get("enrichment"))
    )
    completion_tokens = _count(tokens.get("output"))
    if not prompt_tokens and not completion_tokens:
        return None
    return Usage(prompt_tokens=prompt_tokens, completion_tokens=completion_tokens)


def _count(value: object) -> int:
    """Return a count of tokens that may be a number, a numeric string or null."""
    if not isinstance(value, int | float | str):
        return 0
    try:
        return max(0, int(float(value)))
    except (ValueError, OverflowError):
        return 0
