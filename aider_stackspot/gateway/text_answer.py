"""An answer read out of a text, for StackSpot and servers without tools: calls of tools and JSON are found in it.

A call that cannot be made is asked for once more.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Protocol

from aider_stackspot.api.answer import Finish, Usage
from aider_stackspot.api.chunks import Chunk
from aider_stackspot.compatible.server_call import chat_body
from aider_stackspot.compatible.tools_by_prompt import prompt_message
from aider_stackspot.errors import MalformedAnswer, StackSpotError
from aider_stackspot.gateway.configuration import ServerTarget, StackSpotTarget
from aider_stackspot.gateway.errors import GatewayError, told_to_client
from aider_stackspot.gateway.reply import End, estimated_tokens, told_by
from aider_stackspot.gateway.request import Message, Question
from aider_stackspot.gateway.server_stream import CHAT, ServerStream
from aider_stackspot.pipeline.stackspot import Options, stackspot_call
from aider_stackspot.pipeline.stream import start_text
from aider_stackspot.tools import (
    AnswerRequirements,
    AnswerWarning,
    Event,
    RejectedCall,
    TextDelta,
    ToolCall,
    finish_reason,
)


class Texts(Protocol):
    """Asks for texts; a second time where the first one was not as demanded.

    Attributes:
        name: the model's, for the log.
        prompt_characters: how long the prompt is.
        finish: how the last text ended.
        may_repeat: whether a second call may be made.
    """

    name: str
    prompt_characters: int
    finish: Finish | None
    may_repeat: bool

    def texts(self, more: Sequence[Message] = ()) -> AsyncGenerator[str, None]:
        """Yield one answer's text as it comes.

        Args:
            more: messages behind those of the question.

        Raises:
            GatewayError: the answer is not complete.
        """
        ...


class StackSpotTexts:
    """Texts of StackSpot's.

    Args:
        target: the model.
        question: what to ask.
        requirements: what the answer must be, which the prompt says.

    Raises:
        ConfigurationError: credentials or settings are missing: the gateway's own matter.
        InvalidRequest: a message cannot be sent.
    """

    def __init__(self, target: StackSpotTarget, question: Question, requirements: AnswerRequirements) -> None:
        self.name = target.model.route
        self.finish: Finish | None = None
        self.may_repeat = target.model.account.max_retries > 0
        self._target = target
        self._messages = question.messages
        self._stop = question.stop
        self._options = Options(
            temperature=question.temperature,
            instructions=requirements.instructions,
            tool_syntax=bool(requirements.tool_instructions),
            arguments=question.arguments,
        )
        self._first = stackspot_call(target.model, question.messages, self._options)
        self._hidden = self._first.destination.account
        self.prompt_characters = self._first.prompt_characters

    async def texts(self, more: Sequence[Message] = ()) -> AsyncGenerator[str, None]:
        """Yield one answer's text as it comes.

        Raises:
            GatewayError: the answer is not complete.
        """
        call = self._first
        if more:
            call = stackspot_call(self._target.model, [*self._messages, *more], self._in_conversation())
        stream = start_text(call, self._stop)
        try:
            async for text in stream:
                yield text
        except StackSpotError as error:
            sizes = (estimated_tokens(self.prompt_characters), self._target.model.max_input_tokens)
            raise told_to_client(error, self._target.service, hidden=self._hidden, sizes=sizes) from None
        finally:
            stream.close()
        self.finish = stream.finish

    def _in_conversation(self) -> Options:
        """Return the options of a further call, which goes on with the conversation that the first one has begun."""
        begun = self.finish.conversation_id if self.finish is not None else None
        more = {"conversation_id": begun} if begun else {}
        return replace(self._options, arguments={**self._options.arguments, **more})


_UNASKED = (
    "{name} answered with a tool call of its server's, though it was asked for text: take `tools: prompt` out of its "
    "settings, and the server is told of tools itself."
)


class ServerTexts:
    """Texts of a server that knows no tools: its prompt is the one that StackSpot would get, in one message.

    Args:
        target: the server's model.
        question: what to ask.
        requirements: what the answer must be, which the prompt says.

    Raises:
        InvalidRequest: a message cannot be sent, or the server would refuse a field.
    """

    def __init__(self, target: ServerTarget, question: Question, requirements: AnswerRequirements) -> None:
        self.name = target.known.public
        self.finish: Finish | None = None
        self.may_repeat = target.provider.max_retries != 0
        self._target = target
        self._question = question
        self._requirements = requirements
        self._body = self._new_body(())
        self.prompt_characters = len(self._body["messages"][0]["content"])

    def _new_body(self, more: Sequence[Message]) -> dict[str, Any]:
        question, requirements = self._question, self._requirements
        message = prompt_message([*question.messages, *more], requirements)
        given: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}, **question.parameters}
        if question.temperature is not None:
            given["temperature"] = question.temperature
        if question.stop:
            given["stop"] = list(question.stop)
        return chat_body(self._target.provider, self._target.model, [message], given)

    async def texts(self, more: Sequence[Message] = ()) -> AsyncGenerator[str, None]:
        """Yield one answer's text as it comes.

        Raises:
            GatewayError: the answer is not complete.
        """
        body = self._new_body(more) if more else self._body
        stream = ServerStream(self._target, CHAT, body, estimated_tokens(self.prompt_characters))
        async with aclosing(stream.chunks()) as pieces:
            async for chunks in pieces:
                if any(_delta(chunk).get("tool_calls") for chunk in chunks):
                    raise told_to_client(MalformedAnswer(_UNASKED.format(name=self.name)), self._target.service)
                text = "".join(_delta(chunk).get("content") or "" for chunk in chunks)
                if text:
                    yield text
        self.finish = stream.finish


def _delta(chunk: Chunk) -> Chunk:
    return (chunk["choices"][0].get("delta") or {}) if chunk["choices"] else {}


log = logging.getLogger("aider_stackspot.gateway")

_ONCE_MORE = (
    "A tool call in your last message was not made: {problem}. Write all calls of that message that are like this "
    "again, corrected, and nothing else."
)


class TextAnswer:
    """The answer of a service of texts.

    A call that breaks its tool's schema is asked for once more, with what was wrong, before its text goes out. What
    the model wrote behind it waits for that.

    Args:
        source: where the text comes from.
        question: what was asked.
        requirements: what the answer must be.
    """

    def __init__(self, source: Texts, question: Question, requirements: AnswerRequirements) -> None:
        self.prompt_tokens = estimated_tokens(source.prompt_characters)
        self.end: End | None = None
        self._source = source
        self._requirements = requirements
        self._whole = not question.streams
        self._said: list[str] = []
        self._held: list[Event] = []
        self._calls = 0
        self._usages: list[Usage] = []

    async def events(self) -> AsyncGenerator[Sequence[TextDelta | ToolCall], None]:
        """Yield what comes.

        Raises:
            GatewayError: the answer is not complete.
        """
        parser = None
        if self._requirements.instructions:
            parser = self._requirements.parser(whole=self._whole, report_rejected=self._source.may_repeat)
        async with aclosing(self._source.texts()) as texts:
            async for text in texts:
                self._said.append(text)
                events = self._ready([TextDelta(text)] if parser is None else parser.feed(text))
                if events:
                    yield events
        finish = self._count()
        if parser is not None:
            events = self._ready(parser.finish())
            events += await self._repaired()
            if events:
                yield events
        reason = finish_reason(finish.reason, has_calls=self._calls > 0)
        self.end = End(reason, _sum(self._usages), finish.stop_sequence, told_by(finish))

    def _count(self) -> Finish:
        """Note the tokens of the text that has ended, and return its end."""
        finish = self._source.finish or Finish(reason="stop")
        said = sum(map(len, self._said))
        self._usages.append(finish.usage or Usage(self.prompt_tokens, estimated_tokens(said)))
        return finish

    def _ready(self, events: Sequence[Event]) -> list[TextDelta | ToolCall]:
        """Return what can go out; all of it waits behind a call that is to be asked for once more."""
        ready: list[TextDelta | ToolCall] = []
        for event in events:
            if isinstance(event, AnswerWarning):
                log.warning("%s: %s", self._source.name, event.message)
            elif self._held or isinstance(event, RejectedCall):
                self._held.append(event)
            else:
                ready.append(self._numbered(event))
        return ready

    def _numbered(self, event: TextDelta | ToolCall) -> TextDelta | ToolCall:
        if isinstance(event, TextDelta):
            return event
        self._calls += 1
        return replace(event, index=self._calls - 1)

    async def _repaired(self) -> list[TextDelta | ToolCall]:
        """Return what was held back, with corrected calls in the place of the first one that could not be made."""
        rejected = [event for event in self._held if isinstance(event, RejectedCall)]
        if not rejected:
            return []
        corrected = await self._asked_once_more(rejected[0].problem)
        outcome = "was corrected by the model" if corrected else "its text was given out as text"
        log.warning("%s: %s; %s", self._source.name, rejected[0].problem, outcome)
        out: list[TextDelta | ToolCall] = []
        for event in self._held:
            if isinstance(event, RejectedCall):
                if corrected is None:
                    out.append(TextDelta(event.text))
                else:
                    out += map(self._numbered, corrected)
                    corrected = []
            elif isinstance(event, TextDelta | ToolCall):
                out.append(self._numbered(event))
        return out

    async def _asked_once_more(self, problem: str) -> list[ToolCall] | None:
        """Return the calls of a second answer; `None` where it has none."""
        said, self._said = "".join(self._said), []
        more: list[Message] = [
            {"role": "assistant", "content": said},
            {"role": "user", "content": _ONCE_MORE.format(problem=problem)},
        ]
        parser = self._requirements.parser(whole=True)
        calls: list[Event] = []
        try:
            async for text in self._source.texts(more):
                self._said.append(text)
                calls += parser.feed(text)
        except GatewayError as error:
            log.warning("%s: the second try failed: %s", self._source.name, error)
            return None
        self._count()
        calls += parser.finish()
        return [event for event in calls if isinstance(event, ToolCall)] or None


def _sum(usages: Sequence[Usage]) -> Usage:
    return Usage(sum(usage.prompt_tokens for usage in usages), sum(usage.completion_tokens for usage in usages))
