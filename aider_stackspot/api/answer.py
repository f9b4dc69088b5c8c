"""What every API answers with, whatever its frames look like: text, and at the end a `Finish`."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeVar

from aider_stackspot.api.sse import ServerSentEvent
from aider_stackspot.errors import MalformedAnswer, StreamInterrupted

log = logging.getLogger(__name__)

T_co = TypeVar("T_co", covariant=True)

DONE = "[DONE]"
"""Data of the event that ends a stream of OpenAI's API. By itself it proves no end."""


@dataclass(frozen=True)
class Usage:
    """Tokens of one call as the service counted them."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True)
class KnowledgeSource:
    """One source of knowledge that an answer was made with; what the service did not tell is `None`.

    `score` is how well it fitted, on the service's own scale.
    """

    id: str | None = None
    name: str | None = None
    score: float | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """What is known of it, by name."""
        known = {"id": self.id, "name": self.name, "score": self.score}
        return {name: value for name, value in known.items() if value is not None}


@dataclass(frozen=True)
class Finish:
    """The terminal marker: without one, an answer is not an answer.

    `reason` is one of OpenAI's finish reasons; `usage` is `None` where the service reported none. `conversation_id` is
    there where the service keeps the history, `sources` where it named the knowledge that it used. `stop_sequence` is
    the caller's own text at which the answer was ended on this side.
    """

    reason: str
    usage: Usage | None = None
    message_id: str | None = None
    conversation_id: str | None = None
    sources: tuple[KnowledgeSource, ...] = ()
    stop_sequence: str | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """What the service told besides the answer, as JSON for programs; empty where that is nothing."""
        told: dict[str, Any] = {"message_id": self.message_id, "conversation_id": self.conversation_id}
        told["knowledge_sources"] = [source.facts for source in self.sources]
        return {name: value for name, value in told.items() if value}


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
        """The body as it is sent, made once for every attempt."""
        return json_bytes(self.body) if self.body else b""


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


def json_object(data: str) -> dict[str, Any] | None:
    """Return the JSON object in an event's data; `None` for `[DONE]`, an array or plain words, which hold no text.

    Raises:
        StreamInterrupted: what may have been an object is damaged. Its text would be missing from the answer.
    """
    if not data or data == DONE:
        return None
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        if "{" in data or "}" in data:
            raise StreamInterrupted(
                f"An event of the stream is damaged ({len(data):,} characters that are not valid JSON)."
            ) from None
        value = None
    if isinstance(value, dict):
        return value
    log.warning("an event of %d characters that is no JSON object was passed over", len(data))
    return None


def json_document(body: str) -> dict[str, Any]:
    """Return an answer that is one JSON object.

    Raises:
        MalformedAnswer: it is none.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise MalformedAnswer(
            f"The service answered with a good status and {len(body):,} characters that are neither an event stream "
            f"nor a JSON object; a proxy in between may have answered instead. They begin: {one_line(body[:200])}"
        )
    return value


def without_answer(body: str) -> MalformedAnswer:
    """Return the error for a JSON object without any text field."""
    return MalformedAnswer(
        f"The service answered with a good status and a JSON object of {len(body):,} characters that holds no answer. "
        f"It begins: {one_line(body[:200])}"
    )


def json_bytes(value: object) -> bytes:
    """Return the bytes of a request body: JSON in UTF-8, in which lone surrogates have become U+FFFD."""
    return clean(json.dumps(value, ensure_ascii=False)).encode()


def stated_reason(given: object) -> str | None:
    """Return the reason why an answer ended; `None` for an empty one, and for "null" and "None" as texts."""
    return given if isinstance(given, str) and given.strip().casefold() not in ("", "null", "none") else None


def is_a_failure(reason: str) -> bool:
    """Tell whether the reason why an answer ended says that it was broken off, by a failure or by somebody."""
    return _FAILURE.search(reason) is not None


_FAILURE = re.compile(
    r"error|fail|abort|cancel|exception|interrupt|time[ _-]?d?[ _-]?out|overload|unavailable|insufficient",
    re.IGNORECASE,
)


def usage_of(counts: object) -> Usage | None:
    """Read OpenAI's `usage` object; `None` where there is nothing in it to count."""
    if not isinstance(counts, dict):
        return None
    return counted(counts.get("prompt_tokens"), counts.get("completion_tokens"))


def counted(prompt: object, completion: object) -> Usage | None:
    """Return two counts as a server wrote them; `None` where both are missing, zero or nonsense."""
    prompt_tokens, completion_tokens = token_count(prompt) or 0, token_count(completion) or 0
    return Usage(prompt_tokens, completion_tokens) if prompt_tokens or completion_tokens else None


def clean(text: str) -> str:
    """Replace lone UTF-16 surrogates, which JSON can carry and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def one_line(text: str) -> str:
    """Return the beginning of a text in one line, without what could steer a terminal or cannot be printed."""
    beginning = clean(text[: 4 * MAX_WORDS])
    text = " ".join("".join(character if character.isprintable() else " " for character in beginning).split())
    return text if len(text) <= MAX_WORDS else text[:MAX_WORDS] + "…"


MAX_WORDS = 500
"""Characters of a service's own words that an error repeats."""


def text_of(value: object) -> str:
    """Return the text in a text field: a string, or the text parts of a list; empty for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(_text_of_part(part) for part in value)
    if value is not None:
        log.warning("a text field holds a %s and was passed over", type(value).__name__)
    return ""


def _text_of_part(part: object) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, dict) and part.get("type", "text") in ("text", "text_delta", "output_text"):
        text = part.get("text", part.get("content"))
        if isinstance(text, str):
            return text
    log.warning("a part of a text that is no text was passed over")
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

    @property
    def is_empty(self) -> bool:
        """Whether there was no text so far."""
        return not self._length and not self._half

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


_DIGITS = re.compile(r"[0-9]{1,12}")

MAX_TOKENS = 100_000_000
"""Tokens. Above it a "limit" is a sentinel: tokenizers write 10^30 for "no limit was set"."""


def token_count(value: object) -> int | None:
    """Return a number of tokens as a server wrote it, or `None` for anything that is no positive whole number.

    Floats appear in LiteLLM's `/model_group/info` (131072.0), digits in quotes elsewhere; `true`, 0 and -1 mean
    "not set" (docs/servers.md, "Model lists" and "LiteLLM Proxy").
    """
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if not 0 < value <= MAX_TOKENS:
        return None
    return int(value) if value == int(value) else None
