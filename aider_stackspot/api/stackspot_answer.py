"""What the answers of StackSpot's chat APIs have in common (docs/wire.md, "Agents API: stream" and "Chat API: stream").

Little of the wire is documented, and its spelling has changed. So everything that was seen or is likely is read in both
APIs alike; they differ in what ends an answer.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Mapping
from typing import Any

from aider_stackspot.api.answer import (
    DONE,
    AnswerText,
    Finish,
    KnowledgeSource,
    Usage,
    clean,
    counted,
    is_a_failure,
    json_document,
    json_object,
    stated_reason,
    text_of,
    usage_of,
    without_answer,
)
from aider_stackspot.api.error_response import from_document, from_frame, from_text, report
from aider_stackspot.api.failure_signs import names_an_error
from aider_stackspot.api.sse import ServerSentEvent
from aider_stackspot.api.stackspot_service import STACKSPOT
from aider_stackspot.errors import MalformedAnswer

_FIELDS = ("source", "cross_account_source", "knowledge_source_id")
"""Those that say most come first."""
_SCORES = ("document_score", "score")
MAX_SOURCES = 200
"""Of one answer; more are nothing that anybody reads."""
MAX_CHARACTERS = 500
"""Of an id or a name."""


class KnowledgeSources:
    """Collects the sources of one answer, each once and with its best score."""

    def __init__(self) -> None:
        self._by_key: dict[str, KnowledgeSource] = {}

    @property
    def found(self) -> tuple[KnowledgeSource, ...]:
        """The sources so far, in the order in which they came."""
        return tuple(self._by_key.values())

    def add(self, frame: Mapping[str, Any]) -> None:
        """Take what an event, or a whole answer, names."""
        for field in _FIELDS:
            entries = frame.get(field)
            for entry in entries if isinstance(entries, list) else ():
                source = _from_object(entry) if isinstance(entry, dict) else _from_text(entry, field)
                if source is not None:
                    self._take(source)

    def _take(self, source: KnowledgeSource) -> None:
        key = source.id or source.name or ""
        known = self._by_key.get(key)
        if known is None:
            if len(self._by_key) < MAX_SOURCES:
                self._by_key[key] = source
            return
        scores = [one.score for one in (known, source) if one.score is not None]
        self._by_key[key] = KnowledgeSource(known.id or source.id, known.name or source.name, max(scores, default=None))


def _from_text(entry: object, field: str) -> KnowledgeSource | None:
    text = _text(entry)
    if text is None:
        return None
    return KnowledgeSource(id=text) if field == "knowledge_source_id" else KnowledgeSource(name=text)


def _from_object(entry: Mapping[str, Any]) -> KnowledgeSource | None:
    own_id = _text(entry.get("id")) or _text(entry.get("knowledge_source_id")) or _text(entry.get("document_id"))
    name = _text(entry.get("name")) or _text(entry.get("slug"))
    if own_id is None and name is None:
        return None
    return KnowledgeSource(
        own_id, name, next((score for key in _SCORES if (score := _number(entry.get(key))) is not None), None)
    )


def _text(value: object) -> str | None:
    return clean(value.strip())[:MAX_CHARACTERS] if isinstance(value, str) and value.strip() else None


def _number(value: object) -> float | None:
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    return number if math.isfinite(number) else None


log = logging.getLogger(__name__)


class StackSpotAnswer:
    """Reads one answer; implements `answer.AnswerParser`.

    A subclass says where its API has the text, and what ends an answer.
    """

    TEXT_FIELDS: tuple[str, ...] = ("message", "content", "text", "answer", "response")
    """Where the text is, the usual field first."""
    END_NAME = "done"
    """The name or type of an event that ends the answer."""
    ENDS_BY_NAME_ONLY = False
    """Whether such an event is the only end: a `stop_reason`, a `finish_reason` or a last `tokens` object is none."""

    def __init__(self) -> None:
        self.finish: Finish | None = None
        self.may_end = False
        self._text = AnswerText()
        self._reason = ""
        self._usage: Usage | None = None
        self._message_id: str | None = None
        self._conversation_id: str | None = None
        self._sources = KnowledgeSources()
        self._has_seen_tokens = False
        self._is_over_if_closed = False

    def feed(self, event: ServerSentEvent) -> str:
        """Return the new text of one event.

        Raises:
            StatusError: the event reports an error.
            StreamInterrupted: the event is damaged.
            MalformedAnswer: the answer has ended without any text, although tokens were counted for it.
        """
        if self.finish is not None:
            return ""
        if names_an_error(event.event):
            raise from_text(event.data, service=STACKSPOT)
        frame = json_object(event.data)
        if frame is not None:
            return self._read(frame, event.event)
        self._is_over_if_closed &= event.data in ("", DONE)
        is_end = event.event == self.END_NAME or (self.may_end and event.data == DONE)
        return self._end("") if is_end else ""

    def end_of_body(self) -> str:
        """Take note that the body ended, and return the text that is left to go out.

        A `tokens` object is the end where nothing comes behind it. It proves nothing if it came with a piece of text
        and others had come before: then there is one on every piece.

        Raises:
            MalformedAnswer: there was no text, although tokens were counted for it.
        """
        if self.finish is None and (self.may_end or self._is_over_if_closed):
            return self._end("")
        self._refuse_silence()
        return ""

    def whole(self, body: str) -> str:
        """Return the text of a JSON answer, which StackSpot sends where it does not stream.

        Its form is that of an event (docs/wire.md, "Agents API: whole answer").

        Raises:
            StatusError: it reports an error.
            MalformedAnswer: it is no JSON object, or holds no answer.
        """
        frame = json_document(body)
        error = from_document(frame, service=STACKSPOT)
        if error is not None:
            raise error
        text, reason = self._text_and_reason(frame)
        self._take_facts(frame, reason)
        is_empty = any(frame.get(field) == "" for field in self.TEXT_FIELDS) or (frame.get("choices") and self._reason)
        if not text and not is_empty:
            raise without_answer(body)
        return self._end(text)

    def _read(self, frame: dict[str, Any], event: str) -> str:
        error = from_frame(frame, service=STACKSPOT)
        if error is not None:
            raise error
        text, reason = self._text_and_reason(frame)
        self._take_facts(frame, reason)
        if self.may_end:  # nothing but counts may come behind OpenAI's reason to finish
            return self._end("") if self._usage is not None else ""
        is_end = self.END_NAME in (event, frame.get("type"), frame.get("event"))
        if is_end or (self._reason and not self.ENDS_BY_NAME_ONLY):
            self.may_end = not is_end and "choices" in frame and self._usage is None
            return self._text.add(text) if self.may_end else self._end(text)
        if isinstance(frame.get("tokens"), dict) and not self.ENDS_BY_NAME_ONLY:
            is_on_every_piece = bool(text) and self._has_seen_tokens
            self._is_over_if_closed = not self._text.is_empty and not is_on_every_piece
            self._has_seen_tokens = True
        else:
            self._is_over_if_closed = False
        # Deltas are never cumulative; only a final event may repeat the whole text.
        return self._text.add(text)

    def _text_and_reason(self, frame: dict[str, Any]) -> tuple[str, object]:
        """Return the text and the reason of the flat form, or of an OpenAI-style chunk."""
        choices = frame.get("choices")
        if self.TEXT_FIELDS[0] in frame or not isinstance(choices, list):
            texts = (text_of(frame[field]) for field in self.TEXT_FIELDS if field in frame)
            return next(filter(None, texts), ""), frame.get("stop_reason") or frame.get("finish_reason")
        choice = choices[0] if choices and isinstance(choices[0], dict) else {}
        part: dict[str, Any] = next(
            (choice[key] for key in ("delta", "message") if isinstance(choice.get(key), dict)), {}
        )
        return text_of(part.get("content")), choice.get("finish_reason")

    def _take_facts(self, frame: dict[str, Any], reason: object) -> None:
        """Take note of counts, id and reason.

        Raises:
            StatusError: the reason is a failure.
        """
        self._usage = _newer(_usage_in(frame), self._usage)
        self._message_id = _id_in(frame, "message_id") or self._message_id
        self._conversation_id = _id_in(frame, "conversation_id") or self._conversation_id
        self._sources.add(frame)
        stated = stated_reason(reason)
        if stated is None:
            return
        self._reason = stated.strip()
        if is_a_failure(self._reason):
            raise report(frame, f"StackSpot ended the answer with the reason {self._reason[:50]!r}")

    def _end(self, text: str) -> str:
        text = self._text.end(text)
        self.finish = Finish(
            finish_reason(self._reason), self._usage, self._message_id, self._conversation_id, self._sources.found
        )
        self._refuse_silence()
        return text

    def _refuse_silence(self) -> None:
        if self._usage is not None and self._usage.completion_tokens and self._text.is_empty:
            self.finish = None
            raise MalformedAnswer(
                f"StackSpot counted {self._usage.completion_tokens:,} tokens of an answer and sent no text that could "
                "be read."
            )


def _id_in(frame: Mapping[str, Any], field: str) -> str | None:
    value = frame.get(field)
    return value if isinstance(value, str) and value else None


_LENGTH = re.compile(r"length|max|tokens?[ _-]?limit", re.IGNORECASE)
_FILTER = re.compile(r"filter|safety|refusal", re.IGNORECASE)


def finish_reason(stop_reason: str) -> str:
    """Map StackSpot's `stop_reason` to OpenAI's words; only "stop" was ever observed."""
    if _LENGTH.search(stop_reason):
        return "length"
    if _FILTER.search(stop_reason):
        return "content_filter"
    if stop_reason.casefold() not in ("", "stop"):
        log.debug("an unknown stop_reason of %d characters is taken as a stop", len(stop_reason))
    return "stop"


def _usage_in(frame: Mapping[str, Any]) -> Usage | None:
    """Return the counts of a frame: StackSpot's `tokens` in the current and the older shape, or OpenAI's `usage`.

    Where nothing is counted there is none, which is what the live service means by two zeros (docs/wire.md, "Agents
    API: tokens").
    """
    tokens = frame.get("tokens")
    if not isinstance(tokens, dict):
        return usage_of(frame.get("usage"))
    prompt = tokens.get("input")
    if prompt is None:
        older = (counted(tokens.get(key), None) for key in ("user", "enrichment"))
        prompt = sum(count.prompt_tokens for count in older if count is not None)
    return counted(prompt, tokens.get("output"))


def _newer(usage: Usage | None, before: Usage | None) -> Usage | None:
    """Return counts that run along with the text, completed by what was counted before."""
    if usage is None or before is None:
        return usage or before
    return Usage(usage.prompt_tokens or before.prompt_tokens, usage.completion_tokens or before.completion_tokens)
