"""An answer that is read out of a text: calls of tools and JSON, with a second try for a call that cannot be made."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from aider_stackspot.api.answer import Finish, Usage
from aider_stackspot.gateway.end import End, estimated_tokens, told_by
from aider_stackspot.gateway.errors import GatewayError
from aider_stackspot.gateway.question import Message, Question
from aider_stackspot.gateway.text_source import Texts
from aider_stackspot.tools import (
    AnswerRequirements,
    AnswerWarning,
    Event,
    RejectedCall,
    TextDelta,
    ToolCall,
    finish_reason,
)

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
