"""Answers of OpenAI-compatible servers: whatever dialect such a server speaks, to canonical chunks and one end.

A canonical chunk is one of OpenAI's chat (or text) completion chunks: content is a text, tool calls have an index each,
arguments are texts, nothing in it is empty, and the reasons to finish and the token counts come last, once. Fields that
are not known here pass through untouched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from aider_stackspot.api.answer import (
    DONE,
    Finish,
    clean,
    is_a_failure,
    json_document,
    json_object,
    stated_reason,
    usage_of,
    without_answer,
)
from aider_stackspot.api.chunks import Chunk, ToolCallPieces
from aider_stackspot.api.error_response import (
    Service,
    from_document,
    from_frame,
    from_no_answer,
    from_text,
)
from aider_stackspot.api.failure_signs import names_an_error, speaks_of_an_error
from aider_stackspot.api.sse import ServerSentEvent
from aider_stackspot.errors import MalformedAnswer, StackSpotError, StreamInterrupted

EndMarker = Literal["finish_reason", "done"]
"""What a complete stream surely has. `done` is for servers that are known to send nothing but `[DONE]`."""


class OpenAIAnswer:
    """Reads one answer.

    Args:
        service: who answers, for messages.
        streamed: whether a stream was asked for; a document is then given as chunks, else as it is.
        end_marker: what tells that a stream is complete.
        is_chat: whether a chat was asked for, and not the completion of a text.
    """

    def __init__(
        self,
        service: Service,
        *,
        streamed: bool = True,
        end_marker: EndMarker = "finish_reason",
        is_chat: bool = True,
    ) -> None:
        self.finish: Finish | None = None
        self._service = service
        self._streamed = streamed
        self._end_marker = end_marker
        self._is_chat = is_chat
        self._envelope: Chunk = {}
        self._last_choices: dict[int, Chunk] = {}
        self._unfinished: set[int] = set()
        self._roles: dict[int, str] = {}
        self._calls: dict[int, ToolCallPieces] = {}
        self._usage: Mapping[str, Any] | None = None
        self._usage_stands_alone = False
        self._has_told = False

    @property
    def may_end(self) -> bool:
        """Whether every choice has its reason to finish: what follows can only be token counts and `[DONE]`."""
        return bool(self._last_choices) and not self._unfinished

    def feed(self, event: ServerSentEvent) -> list[Chunk]:
        """Return what is new in one event.

        Raises:
            StackSpotError: the event reports an error, in the class of its meaning.
            StreamInterrupted: the event is damaged, or `[DONE]` comes before the answer's end.
            MalformedAnswer: the answer has ended, and there was nothing in it.
        """
        if self.finish is not None:
            return []
        if names_an_error(event.event):
            raise from_text(event.data, service=self._service)
        if event.data.strip() == DONE:
            return self._done()
        frame = json_object(event.data)
        if frame is None and speaks_of_an_error(event.data):
            raise from_text(event.data, service=self._service)
        return [] if frame is None else self._read(frame, event.event)

    def end_of_body(self) -> list[Chunk]:
        """Take the end of the body: the answer's, if every choice has its reason to finish.

        Raises:
            MalformedAnswer: there was nothing in the answer.
        """
        return self._finished() if self.may_end and self.finish is None else []

    def whole(self, body: str) -> list[Chunk]:
        """Return an answer that is one JSON document; as chunks, where a stream was asked for.

        Raises:
            StackSpotError: it reports an error.
            MalformedAnswer: it is no JSON object, or holds no answer.
        """
        document = _document(body, self._service)
        choices = document.get("choices")
        if not isinstance(choices, list) or not choices or not all(isinstance(choice, dict) for choice in choices):
            where = "in an answer with a good status"
            raise from_no_answer(document, service=self._service, where=where) or without_answer(body)
        for choice in choices:
            self._whole_choice(choice, body)
        usage = document.get("usage")
        self._usage = usage if isinstance(usage, dict) else None
        self.finish = self._finish(document, str(choices[0]["finish_reason"]))
        return list(_as_chunks(document)) if self._streamed else [document]

    def _whole_choice(self, choice: Chunk, body: str) -> None:
        """Bring a choice of a document into the canonical form, in place."""
        self._refuse_reported(choice)
        reason = stated_reason(choice.get("finish_reason"))
        self._put_text_in_place(choice)
        if "text" not in choice:
            message = choice.pop("delta", None) if "message" not in choice else choice["message"]
            if not isinstance(message, dict):
                raise without_answer(body)
            choice["message"] = message = _canonical_delta(message, ToolCallPieces())
            for call in message.get("tool_calls") or ():
                call.pop("index", None)
            if not _says_something(message) and (reason or "stop") == "stop":
                raise without_answer(body)
            message.setdefault("role", "assistant")
            reason = reason or ("tool_calls" if message.get("tool_calls") else None)
        elif not isinstance(choice["text"], str):
            raise without_answer(body)
        choice["finish_reason"] = reason or "stop"

    def _read(self, frame: Chunk, event: str) -> list[Chunk]:
        self._refuse_errors(frame, event)
        usage, choices = frame.get("usage"), frame.get("choices")
        if not isinstance(choices, list):
            choices = []
        if isinstance(usage, dict):
            self._usage, self._usage_stands_alone = usage, not choices
        if not choices and not isinstance(usage, dict):
            self._refuse(from_no_answer(frame, service=self._service))
        envelope = {key: value for key, value in frame.items() if key not in ("choices", "usage", "obfuscation")}
        self._envelope = envelope if choices or not self._envelope else self._envelope
        told = [told for choice in choices if isinstance(choice, dict) and (told := self._choice(choice))]
        if told:
            self._has_told = True
            return [{**envelope, "choices": told}]
        return [{**envelope, "choices": []}] if not choices and _is_more_than_an_envelope(envelope, frame) else []

    def _choice(self, given: Chunk) -> Chunk | None:
        """Return what a choice of a chunk says, in the canonical form; its reason to finish is kept for the end."""
        given = dict(given)
        self._refuse_reported(given)
        self._put_text_in_place(given)
        index = given["index"] if isinstance(given.get("index"), int) else 0
        choice = {"index": index, **{key: value for key, value in given.items() if key not in _CHOICE and value}}
        reason = stated_reason(given.get("finish_reason"))
        delta = given.get("delta") if isinstance(given.get("delta"), dict) else given.get("message")
        if isinstance(delta, dict):
            choice["delta"] = self._delta(index, delta)
        elif isinstance(given.get("text"), str) and given["text"]:
            choice["text"] = given["text"]
        if reason is not None:
            self._unfinished.discard(index)
            self._last_choices[index] = {"index": index, "finish_reason": reason}
            if "delta" in choice or isinstance(delta, dict):
                self._last_choices[index]["delta"] = {}
        elif index not in self._last_choices:
            self._unfinished.add(index)
        if choice.get("delta") == {}:
            del choice["delta"]
        if len(choice) == 1:
            return None
        if "text" not in choice:
            choice.setdefault("delta", {})
        return choice

    def _delta(self, index: int, given: Mapping[str, Any]) -> Chunk:
        """Return a delta in the canonical form; the role goes with the first thing that is said."""
        calls = self._calls.setdefault(index, ToolCallPieces())
        delta = _canonical_delta(given, calls)
        role = delta.pop("role", None)
        if isinstance(role, str) and index not in self._roles:
            self._roles[index] = role
        if delta and self._roles.get(index):
            delta = {"role": self._roles[index], **delta}
            self._roles[index] = ""
        return delta

    def _done(self) -> list[Chunk]:
        if self.may_end:
            return self._finished()
        if self._end_marker == "done" and self._has_told:
            for index in self._unfinished:
                self._last_choices.setdefault(index, {"index": index, "delta": {}, "finish_reason": "stop"})
            return self._finished()
        raise StreamInterrupted(
            f"{self._service.subject} ended its stream with `[DONE]` and gave no `finish_reason`: the answer is not "
            "complete. If this server never gives one, set `end_marker: done` for it."
        )

    def _finished(self) -> list[Chunk]:
        """Return the last chunks: the reasons to finish, and the token counts where the server had put them."""
        choices = [self._last_choices[index] for index in sorted(self._last_choices)]
        if self._is_chat and not self._has_told and choices[0]["finish_reason"] == "stop":
            raise MalformedAnswer(f"{self._service.subject} ended its answer, and there was nothing in it.")
        chunks: list[Chunk] = [{**self._envelope, "choices": choices}]
        if self._usage is not None and self._usage_stands_alone:
            chunks.append({**self._envelope, "choices": [], "usage": self._usage})
        elif self._usage is not None:
            chunks[0]["usage"] = self._usage
        self.finish = self._finish(self._envelope, str(choices[0]["finish_reason"]))
        return chunks

    def _finish(self, envelope: Mapping[str, Any], reason: str) -> Finish:
        identifier = envelope.get("id")
        return Finish(reason, usage_of(self._usage), identifier if isinstance(identifier, str) else None)

    def _refuse_errors(self, frame: Mapping[str, Any], event: str) -> None:
        self._refuse(from_frame(frame, service=self._service, event=event))

    @staticmethod
    def _refuse(error: StackSpotError | None) -> None:
        if error is not None:
            raise error

    def _refuse_reported(self, choice: Mapping[str, Any]) -> None:
        """Raise for a choice that says that it failed."""
        reason = stated_reason(choice.get("finish_reason"))
        parts = (choice, choice.get("delta"), choice.get("message"))
        said = [part.get("error") for part in parts if isinstance(part, Mapping)]
        if reason is not None and is_a_failure(reason):
            said.append(f"it ended with the reason `{reason[:50]}`")
        if any(said):
            self._refuse_errors({"error": next(filter(None, said))}, "error")

    def _put_text_in_place(self, choice: Chunk) -> None:
        """Let the text of a text completion be the content, where a server answers a chat with one."""
        text = choice.get("text")
        if self._is_chat and isinstance(text, str) and not choice.get("delta") and not choice.get("message"):
            choice["delta"] = {"content": choice.pop("text")}


class JsonAnswer:
    """Reads an answer of another endpoint (embeddings, rerank): any JSON object that reports no error.

    Args:
        service: who answers, for messages.
    """

    may_end = False

    def __init__(self, service: Service) -> None:
        self.finish: Finish | None = None
        self._service = service

    def feed(self, event: ServerSentEvent) -> list[Chunk]:
        """Return nothing: a stream is no answer here."""
        return []

    def end_of_body(self) -> list[Chunk]:
        """Return nothing."""
        return []

    def whole(self, body: str) -> list[Chunk]:
        """Return the document.

        Raises:
            StackSpotError: it reports an error.
            MalformedAnswer: it is no JSON object.
        """
        document = _document(body, self._service)
        found = document.get("usage")
        self.finish = Finish("stop", usage_of(found))
        return [document]


def _document(body: str, service: Service) -> Chunk:
    """Return a whole answer's JSON object.

    Raises:
        StackSpotError: it reports an error.
        MalformedAnswer: it is no JSON object.
    """
    document = json_document(body)
    error = from_document(document, service=service)
    if error is not None:
        raise error
    return document


_CHOICE = ("index", "delta", "message", "text", "finish_reason")


def _is_more_than_an_envelope(envelope: Mapping[str, Any], frame: Mapping[str, Any]) -> bool:
    known = ("id", "object", "created", "model", "system_fingerprint", "service_tier", "provider")
    return "choices" in frame and any(value for key, value in envelope.items() if key not in known)


def _says_something(message: Mapping[str, Any]) -> bool:
    return any(value for key, value in message.items() if key != "role")


def _canonical_delta(given: Mapping[str, Any], calls: ToolCallPieces) -> Chunk:
    """Return a delta or a message without what is empty, its content as text and its tool calls in order."""
    delta = {key: clean(value) if isinstance(value, str) else value for key, value in given.items()}
    if isinstance(delta.get("content"), (list, dict)):
        content = delta.pop("content")
        _take_parts(delta, content if isinstance(content, list) else [content])
    if isinstance(delta.get("tool_calls"), (list, dict)):
        given_calls = delta["tool_calls"]
        delta["tool_calls"] = calls.canonical(given_calls if isinstance(given_calls, list) else [given_calls])
    return {key: value for key, value in delta.items() if value not in (None, "", [], {})}


def _take_parts(delta: Chunk, parts: Sequence[Any]) -> None:
    """Put the texts of content parts where they belong: into the content, or into the reasoning."""
    text: list[str] = []
    thought: list[str] = []
    for part in parts:
        if isinstance(part, str):
            text.append(part)
        elif isinstance(part, dict):
            kind = str(part.get("type", "text"))
            said = _part_text(part)
            (thought if kind in ("thinking", "reasoning") else text).append(said)
    delta["content"] = "".join(text)
    if any(thought):
        delta["reasoning_content"] = (delta.get("reasoning_content") or "") + "".join(thought)


def _part_text(part: Mapping[str, Any]) -> str:
    """Return the text of a content part; Mistral's thinking is a list of parts again."""
    for key in ("text", "thinking", "reasoning", "content", "refusal"):
        value = part.get(key)
        if isinstance(value, str):
            return value
        if isinstance(value, list):
            return "".join(_part_text(inner) for inner in value if isinstance(inner, dict))
    return ""


def _as_chunks(document: Chunk) -> Iterator[Chunk]:
    """Yield the chunks that a stream of a whole completion would have had."""
    is_text = "text" in document["choices"][0]
    envelope = {key: value for key, value in document.items() if key not in ("choices", "usage")}
    envelope["object"] = "text_completion" if is_text else "chat.completion.chunk"
    said, ends = [], []
    for position, choice in enumerate(document["choices"]):
        rest = {key: value for key, value in choice.items() if key not in ("message", "finish_reason")}
        rest["index"] = choice["index"] if isinstance(choice.get("index"), int) else position
        if not is_text:
            calls = choice["message"].get("tool_calls") or []
            numbered = [{**call, "index": number} for number, call in enumerate(calls)]
            rest["delta"] = {**choice["message"], **({"tool_calls": numbered} if numbered else {})}
        said.append(rest)
        end: Chunk = {"index": rest["index"], "finish_reason": choice["finish_reason"]}
        ends.append(end if is_text else {**end, "delta": {}})
    yield {**envelope, "choices": said}
    counted = document.get("usage")
    yield {**envelope, "choices": ends, **({"usage": counted} if isinstance(counted, dict) else {})}
