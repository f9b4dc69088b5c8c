"""Tools and JSON for servers that know neither: the prompt asks for them, and the answer's text is read for them.

The prompt is the one that StackSpot would get (`pipeline.prompt`), in one message of the user's; the syntax of calls
and their reader are those of `tools`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aider_stackspot.api.answer import AnswerParser, Finish
from aider_stackspot.api.chunks import Chunk
from aider_stackspot.api.sse import ServerSentEvent
from aider_stackspot.compatible.catalogue import catalogue
from aider_stackspot.compatible.server import takes_tools_by_prompt
from aider_stackspot.config import CompatibleProvider
from aider_stackspot.errors import InvalidRequest
from aider_stackspot.pipeline import prompt
from aider_stackspot.tools import (
    AnswerRequirements,
    AnswerWarning,
    Event,
    TextDelta,
    ToolCall,
    finish_reason,
    read_answer_requirements,
)

log = logging.getLogger(__name__)

Message = Mapping[str, Any]

_DEMANDS = ("tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "response_format")


@dataclass(frozen=True)
class PromptedChat:
    """A chat as a server gets it that reads of tools in its prompt.

    Attributes:
        messages: one message, with the whole conversation.
        parameters: the request's fields without those that the prompt speaks of.
        requirements: what the answer must be.
    """

    messages: list[dict[str, Any]]
    parameters: dict[str, Any]
    requirements: AnswerRequirements


def prompted_chat(
    provider: CompatibleProvider, name: str, messages: Sequence[Message], parameters: Mapping[str, Any]
) -> PromptedChat | None:
    """Return a chat with its tools in the prompt; `None` where it has to do with none, or the server knows tools.

    Args:
        provider: the server.
        name: the model's public name behind the provider.
        messages: the conversation.
        parameters: the other fields of the request.

    Raises:
        InvalidRequest: a message cannot be sent as text, or a demand cannot be honoured; the text names it.
    """
    if not (takes_tools_by_prompt(provider, catalogue.known(provider), name) and needs_prompt(messages, parameters)):
        return None
    try:
        requirements = read_answer_requirements(parameters)
    except ValueError as error:
        raise InvalidRequest(f"{provider.name}/{name}: {error}") from None
    rest = {key: value for key, value in parameters.items() if key not in _DEMANDS}
    return PromptedChat([prompt_message(messages, requirements)], rest, requirements)


def needs_prompt(messages: object, demands: Mapping[str, Any]) -> bool:
    """Tell whether a request demands tools or JSON, or its conversation has used tools; it need not be a valid one."""
    return any(demands.get(name) for name in ("tools", "functions", "response_format")) or any(
        message.get("role") in ("tool", "function") or message.get("tool_calls")
        for message in (messages if isinstance(messages, Sequence) else ())
        if isinstance(message, Mapping)
    )


def prompt_message(messages: Sequence[Message], requirements: AnswerRequirements) -> dict[str, Any]:
    """Return the one message that a server gets for a conversation.

    Raises:
        InvalidRequest: a message cannot be sent as text.
    """
    return {"role": "user", "content": prompt.render(messages, requirements.instructions, tool_syntax=True)}


class ToolsInText:
    """Reads the chunks of an answer for the tool calls, and the JSON, that stand in its text.

    A call that may not be made goes out as the text that it is, as from StackSpot.

    Args:
        chunks: reads the answer's chunks.
        requirements: what the answer must be.
        whole: nothing is wanted before the answer is complete.
        name: the model's, for the log.
    """

    def __init__(
        self, chunks: AnswerParser[list[Chunk]], requirements: AnswerRequirements, *, whole: bool, name: str
    ) -> None:
        self.finish: Finish | None = None
        self._chunks = chunks
        self._choices: dict[int, _Choice] = {}
        self._new_choice: Callable[[], _Choice] = lambda: _Choice(requirements, whole=whole, name=name)

    @property
    def may_end(self) -> bool:
        """Whether the body's end would be the answer's."""
        return self._chunks.may_end

    def feed(self, event: ServerSentEvent) -> list[Chunk]:
        """Return what is certain after one event; raises what the reader of the chunks raises."""
        return self._read(self._chunks.feed(event))

    def end_of_body(self) -> list[Chunk]:
        """Take the end of the body."""
        return self._read(self._chunks.end_of_body())

    def whole(self, body: str) -> list[Chunk]:
        """Return an answer that is one JSON document."""
        return self._read(self._chunks.whole(body))

    def _read(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        read = [one for chunk in chunks for one in self._chunk(chunk)]
        finish, first = self._chunks.finish, self._choices.get(0)
        self.finish = replace(finish, reason=first.reason) if finish is not None and first is not None else finish
        return read

    def _chunk(self, chunk: Chunk) -> list[Chunk]:
        """Return a chunk for each thing that is told; token counts stand in the last one."""
        told = [choice for given in chunk["choices"] for choice in self._choice(given)]
        if not told or all("message" in choice for choice in told):
            return [{**chunk, "choices": told}] if told or not chunk["choices"] else []
        envelope = {key: value for key, value in chunk.items() if key != "usage"}
        return [*({**envelope, "choices": [one]} for one in told[:-1]), {**chunk, "choices": told[-1:]}]

    def _choice(self, given: Chunk) -> list[Chunk]:
        choice = self._choices.setdefault(given.get("index", 0), self._new_choice())
        return [choice.document(given)] if "message" in given else choice.chunks(given)


class _Choice:
    """One choice of an answer: the text that was read so far, and the reason to finish."""

    def __init__(self, requirements: AnswerRequirements, *, whole: bool, name: str) -> None:
        self.reason = ""
        self._reader = requirements.parser(whole=whole)
        self._name = name
        self._role: Chunk = {}
        self._has_calls = False  # those that stand in the text, and a server's own
        self._numbers: dict[tuple[str, object], int] = {}

    def document(self, given: Chunk) -> Chunk:
        """Return a choice of a document."""
        said = given["message"]
        text, calls = self._sorted(self._reader.feed(said.get("content") or "") + self._reader.finish())
        message = {**said, "content": text or (None if calls else "")}
        if calls:
            message["tool_calls"] = [*(said.get("tool_calls") or ()), *(call.in_message for call in calls)]
        self.reason = finish_reason(given["finish_reason"], has_calls=bool(message.get("tool_calls")))
        return {**given, "message": message, "finish_reason": self.reason}

    def chunks(self, given: Chunk) -> list[Chunk]:
        """Return what a choice of a chunk brings: text, calls and the end each in a choice of their own.

        The role waits for the first thing that is said, and a text that may become a call for its end.
        """
        delta = dict(given.get("delta") or {})
        self._role.update({"role": delta.pop("role")} if "role" in delta else {})
        events = self._reader.feed(delta.pop("content", None) or "")
        upstream = given.get("finish_reason")
        if upstream:
            events += self._reader.finish()
        text, calls = self._sorted(events)
        own = delta.get("tool_calls") or []
        self._has_calls = self._has_calls or bool(calls or own)
        if own:
            delta["tool_calls"] = [{**one, "index": self._number("server", one.get("index"))} for one in own]
        deltas: list[Chunk] = [{"content": text}] if text else []
        deltas += (
            [{"tool_calls": [{**one.in_message, "index": self._number("text", one.index)} for one in calls]}]
            if calls
            else []
        )
        deltas += [delta] if delta else []
        rest = {key: value for key, value in given.items() if key not in ("delta", "finish_reason")}
        out = [{**rest, "delta": self._with_role(one)} for one in deltas]
        if upstream:
            self.reason = finish_reason(upstream, has_calls=self._has_calls)
            return [*out, {**rest, "delta": {}, "finish_reason": self.reason}]
        return out or ([{**rest, "delta": {}}] if len(rest) > 1 else [])

    def _number(self, origin: str, index: object) -> int:
        """Return a call's place in the answer: those in the text and the server's own both count from 0."""
        return self._numbers.setdefault((origin, index), len(self._numbers))

    def _with_role(self, delta: Chunk) -> Chunk:
        role, self._role = self._role, {}
        return {**role, **delta}

    def _sorted(self, events: Sequence[Event]) -> tuple[str, list[ToolCall]]:
        for event in events:
            if isinstance(event, AnswerWarning):
                log.warning("%s: %s", self._name, event.message)
        text = "".join(event.text for event in events if isinstance(event, TextDelta))
        return text, [event for event in events if isinstance(event, ToolCall)]
