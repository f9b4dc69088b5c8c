"""Where a text comes from that is read for tool calls and JSON: StackSpot, or a server that knows no tools."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Protocol

from aider_stackspot.api.answer import Finish
from aider_stackspot.api.chunks import Chunk
from aider_stackspot.compatible.server_call import chat_body
from aider_stackspot.compatible.tools_by_prompt import prompt_message
from aider_stackspot.errors import StackSpotError
from aider_stackspot.gateway.configuration import ServerTarget, StackSpotTarget
from aider_stackspot.gateway.end import estimated_tokens
from aider_stackspot.gateway.errors import told_to_client
from aider_stackspot.gateway.question import Message, Question
from aider_stackspot.gateway.server_stream import CHAT, ServerStream
from aider_stackspot.pipeline.stackspot import Options, stackspot_call
from aider_stackspot.pipeline.stream import start_text
from aider_stackspot.tools import AnswerRequirements


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
                text = "".join(_text(chunk) for chunk in chunks)
                if text:
                    yield text
        self.finish = stream.finish


def _text(chunk: Chunk) -> str:
    content = (chunk["choices"][0].get("delta") or {}).get("content") if chunk["choices"] else None
    return content if isinstance(content, str) else ""
