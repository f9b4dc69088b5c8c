"""One answer in LiteLLM's shapes: stream chunks, or a whole response; with tool calls and usage."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import litellm
from litellm import ModelResponse
from litellm.types.utils import Choices, GenericStreamingChunk, Message, Usage

from aider_stackspot.api.answer import Finish, KnowledgeSource
from aider_stackspot.pipeline import notices
from aider_stackspot.pipeline.stream import AnswerStream
from aider_stackspot.tools import AnswerParser, AnswerRequirements, AnswerWarning, Event, TextDelta, ToolCall

log = logging.getLogger("aider_stackspot")

Messages = Sequence[Mapping[str, Any]]


class Reply:
    """Turns one answer's text into what LiteLLM wants to have.

    Args:
        model: the name to report.
        messages: the conversation, for an estimate of its tokens.
        stream: the answer's text.
        demand: what the request demands of the answer's form.
        reader: reads the answer accordingly; `None` where any text will do.
    """

    def __init__(
        self,
        model: str,
        messages: Messages,
        stream: AnswerStream[str],
        demand: AnswerRequirements,
        reader: AnswerParser | None,
    ) -> None:
        self.stream = stream
        self._model = model
        self._messages = messages
        self._demand = demand
        self._reader = reader
        self._said = _Said()

    def chunks(self, text: str) -> Iterator[GenericStreamingChunk]:
        """Yield what a piece of the answer brings."""
        self._said.add(text)
        if self._reader is None:
            yield _chunk(text)
        else:
            yield from self._chunks_of(self._reader.feed(text))

    def last_chunks(self) -> Iterator[GenericStreamingChunk]:
        """Yield what was held back, exactly one terminal chunk, and behind it what the service told besides."""
        if self._reader is not None:
            yield from self._chunks_of(self._reader.finish())
        self._tell_sources()
        usage = self._usage()
        yield GenericStreamingChunk(
            text="",
            is_finished=True,
            finish_reason=self._finish_reason(),
            usage={
                "prompt_tokens": usage.prompt,
                "completion_tokens": usage.completion,
                "total_tokens": usage.total,
            },
            index=0,
            tool_use=None,
        )
        fields = self._service_fields()
        if fields is not None:  # LiteLLM passes nothing else on behind the terminal chunk
            yield _chunk("", fields=fields)

    def response(self, response: ModelResponse, text: str) -> ModelResponse:
        """Fill in LiteLLM's response.

        Args:
            response: an empty one.
            text: the whole answer.
        """
        self._said.add(text)
        events: list[Event] = [TextDelta(text)]
        if self._reader is not None:
            events = self._reader.feed(text) + self._reader.finish()
        usage = self._usage()
        self._tell_sources()
        message = self._message(events)
        message.provider_specific_fields = self._service_fields()
        response.choices = [Choices(index=0, finish_reason=self._finish_reason(), message=message)]
        response.model = self._model
        response.created = int(time.time())
        response.usage = Usage(prompt_tokens=usage.prompt, completion_tokens=usage.completion, total_tokens=usage.total)
        return response

    def _chunks_of(self, events: list[Event]) -> Iterator[GenericStreamingChunk]:
        for event in events:
            if isinstance(event, TextDelta):
                yield _chunk(event.text)
            elif isinstance(event, ToolCall):
                yield _chunk("", {**event.in_message, "index": event.index})
            elif isinstance(event, AnswerWarning):
                self._warn(event.message)

    def _message(self, events: list[Event]) -> Message:
        text, calls = [], []
        for event in events:
            if isinstance(event, TextDelta):
                text.append(event.text)
            elif isinstance(event, ToolCall):
                calls.append(event.in_message)
            elif isinstance(event, AnswerWarning):
                self._warn(event.message)
        content = "".join(text)
        if not calls:
            return Message(role="assistant", content=content)
        return Message(role="assistant", content=content or None, tool_calls=calls)

    def _warn(self, message: str) -> None:
        log.warning("%s: %s", self._model, message)

    def _finish_reason(self) -> str:
        upstream = self.stream.finish.reason if self.stream.finish is not None else "stop"
        return upstream if self._reader is None else self._reader.finish_reason(upstream)

    def _service_fields(self) -> dict[str, Any] | None:
        """Return the service's ids and its knowledge sources, as LiteLLM has a vendor's own fields."""
        facts = self.stream.finish.facts if self.stream.finish is not None else {}
        return {"stackspot": facts} if facts else None

    def _tell_sources(self) -> None:
        sources = self.stream.finish.sources if self.stream.finish is not None else ()
        notices.below_answer([_source_line(source) for source in sources])

    def _usage(self) -> _Tokens:
        """Return the service's own count, or an estimate where it sent none."""
        finish = self.stream.finish or Finish(reason="stop")
        if finish.usage is not None:
            return _Tokens(finish.usage.prompt_tokens, finish.usage.completion_tokens)
        prompt = _count(self._model, messages=self._messages)
        if self._demand.instructions:
            prompt += _count(self._model, text=self._demand.instructions)
        return _Tokens(prompt, self._said.tokens(self._model))


@dataclass(frozen=True)
class _Tokens:
    prompt: int
    completion: int

    @property
    def total(self) -> int:
        return self.prompt + self.completion


class _Said:
    """Counts what was answered, for an estimate of its tokens; keeps the text only as long as that is cheap."""

    KEPT = 64 * 1024

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._kept = 0
        self._length = 0

    def add(self, text: str) -> None:
        self._length += len(text)
        if self._kept < self.KEPT:
            self._pieces.append(text)
            self._kept += len(text)

    def tokens(self, model: str) -> int:
        """Return an estimate; for a very long answer the beginning stands for the rest."""
        if not self._length:
            return 0
        beginning = "".join(self._pieces)
        return round(_count(model, text=beginning) * self._length / len(beginning))


def load_tokenizer(model: str) -> None:
    """Let LiteLLM load its tokenizer, which it else does in the first call, for a third of a second."""
    _count(model, text="warm")


def _count(model: str, **of: Any) -> int:
    try:
        return int(litellm.token_counter(model=model, **of))
    except Exception:  # the counter meets every message there is; an estimate must never cost the answer
        return 0


def _chunk(text: str, tool_use: Any = None, fields: dict[str, Any] | None = None) -> GenericStreamingChunk:
    chunk = GenericStreamingChunk(
        text=text, is_finished=False, finish_reason="", usage=None, index=0, tool_use=tool_use
    )
    if fields is not None:
        chunk["provider_specific_fields"] = fields
    return chunk


def _source_line(source: KnowledgeSource) -> str:
    """Return a knowledge source in words: its name, and what else is known of it."""
    more = [source.id] if source.name and source.id else []
    more += [] if source.score is None else [f"score {source.score:g}"]
    told = ", ".join(more)
    return f"{source.name or source.id} ({told})" if told else f"{source.name or source.id}"
