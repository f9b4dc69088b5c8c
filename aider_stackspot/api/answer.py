"""What every StackSpot API answers with, whatever its frames look like: text, and at the end a `Finish`."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeVar

from httpx_sse import ServerSentEvent

from aider_stackspot.errors import MalformedAnswer, StreamInterrupted

log = logging.getLogger(__name__)

T_co = TypeVar("T_co", covariant=True)

_FINISH_REASONS = {
    "length": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
    "content-filter": "content_filter",
    "safety": "content_filter",
}


@dataclass(frozen=True)
class Usage:
    """Tokens of one call as the service counted them."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True)
class Finish:
    """The terminal marker: without one, an answer is not an answer.

    `reason` is one of OpenAI's finish reasons; `usage` is `None` where the service reported none.
    """

    reason: str
    usage: Usage | None = None
    message_id: str | None = None


@dataclass(frozen=True)
class ApiRequest:
    """One request of an API: a path below the base URL, and a JSON body; empty for a request without one.

    `streams` tells whether a stream is asked for.
    """

    path: str
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    method: str = "POST"
    streams: bool = True

    @cached_property
    def content(self) -> bytes:
        """The body as it is sent, made once for every attempt; lone surrogates, which UTF-8 cannot carry, replaced."""
        return clean(json.dumps(self.body, ensure_ascii=False)).encode() if self.body else b""


class AnswerParser(Protocol[T_co]):
    """Reads one answer, as pieces of text or as chunks.

    `finish` is set once the answer is known to be complete.
    """

    finish: Finish | None

    @property
    def may_end(self) -> bool:
        """Whether the body's end would be the answer's, however it comes."""
        ...

    def feed(self, event: ServerSentEvent) -> T_co:
        """Return what is new in one event (often nothing, which is false)."""
        ...

    def end_of_body(self) -> T_co:
        """Take the orderly end of the body, which completes some answers; return what was held back."""
        ...

    def whole(self, body: str) -> T_co:
        """Return the answer that came as one JSON document, whether or not a stream was asked for."""
        ...


def finish_reason(stop_reason: object) -> str:
    """Map StackSpot's `stop_reason` (only "stop" was ever observed, docs/wire.md, "Agents API: whole answer") to OpenAI's words."""
    reason = str(stop_reason or "stop").lower()
    if reason not in _FINISH_REASONS and reason != "stop":
        log.debug("an unknown stop_reason of %d characters is taken as a stop", len(reason))
    return _FINISH_REASONS.get(reason, "stop")


def objects(data: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of one event's data: one as a rule, several where a server leaves out blank lines.

    `[DONE]`, arrays and plain words carry no text of the answer and are passed over (docs/wire.md, "Agents API: stream").

    Raises:
        StreamInterrupted: what may have been an object is damaged. Its text would be missing from the answer.
    """
    if not data or data == "[DONE]":
        return
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        lines = data.split("\n")
        if len(lines) > 1:
            for line in lines:
                yield from objects(line.strip())
            return
        if "{" in data or "}" in data:
            raise StreamInterrupted(
                f"An event of the stream is damaged ({len(data):,} characters that are not valid JSON)."
            ) from None
        value = None
    if isinstance(value, dict):
        yield value
    else:
        log.warning("an event of %d characters that is no JSON object was passed over", len(data))


def whole_object(body: str) -> dict[str, Any]:
    """Parse an answer that is one JSON document.

    Raises:
        MalformedAnswer: it is not a JSON object.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise MalformedAnswer(
            f"The service answered with status 200 and {len(body):,} characters that are neither an event stream "
            "nor a JSON object; a proxy in between may have answered instead."
        )
    return value


def holds_no_answer(body: str) -> MalformedAnswer:
    """Return the error for a JSON object without any text field."""
    return MalformedAnswer(
        f"The service answered with status 200 and a JSON object of {len(body):,} characters that holds no answer."
    )


def clean(text: str) -> str:
    """Replace lone UTF-16 surrogates, which JSON can carry and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def as_text(value: object) -> str:
    """Return a text field's value, or the empty string where the service sent something else."""
    if isinstance(value, str):
        return value
    if value is not None:
        log.warning("a text field holds a %s and was passed over", type(value).__name__)
    return ""


class AnswerText:
    """Joins an answer's deltas.

    Half of a UTF-16 surrogate pair is held back until its other half comes with the next delta. What went out is
    remembered by length and digest, so that a repetition can be told without keeping the text.
    """

    def __init__(self) -> None:
        self._half = ""
        self._length = 0
        self._digest = hashlib.sha256()

    def add(self, delta: str) -> str:
        """Take a delta and return the text that can go out."""
        text = self._half + delta
        self._half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return self._out(text[: len(text) - len(self._half)])

    def end(self, last: str = "") -> str:
        """Take the final event's text, which may be all of the text again, and return what is left to go out."""
        whole = clean(last)
        repeated = self._digest.copy()
        repeated.update(clean(self._half).encode())
        same_length = 0 < len(whole) == self._length + len(self._half)
        if same_length and hashlib.sha256(whole.encode()).digest() == repeated.digest():
            last = ""
        half, self._half = self._half, ""
        return self._out(half + last)

    def _out(self, text: str) -> str:
        text = clean(text)
        self._length += len(text)
        self._digest.update(text.encode())
        return text
