"""StackSpot for Python programs that do not go through LiteLLM."""

from __future__ import annotations

import time
import uuid
import weakref
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from aider_stackspot.api.answer import Finish
from aider_stackspot.config import current, one_look
from aider_stackspot.pipeline.arguments import AGENT_ARGUMENTS, known_arguments
from aider_stackspot.pipeline.prompt import Message
from aider_stackspot.pipeline.stackspot import DEFAULT_MODEL, Options, start
from aider_stackspot.pipeline.stream import AnswerStream


class StackSpotProvider:
    """StackSpot for Python programs.

    Configuration comes from the files and variables that aider uses too. Instances are cheap: token and connections
    belong to the process. As a context manager, it closes the streams that are still open at the end of the block.

    Args:
        timeout: total seconds of a call, retries included; as configured if not given.
        max_retries: retries of a call before any text has arrived; as configured if not given.
    """

    def __init__(self, *, timeout: float | None = None, max_retries: int | None = None) -> None:
        self._timeout = timeout
        self._max_retries = max_retries
        self._streams: weakref.WeakSet[AnswerStream[str]] = weakref.WeakSet()

    async def completion(
        self,
        messages: Sequence[Message],
        model: str = DEFAULT_MODEL,
        temperature: float | None = None,
        stop: str | Sequence[str] | None = None,
        **arguments: Any,
    ) -> dict[str, Any]:
        """Return a whole answer in the shape of OpenAI's chat completion.

        Args:
            messages: OpenAI chat messages, text only.
            model: one of the configured names, such as "stackspot-ai-code".
            temperature: 0.0 to 1.0.
            stop: one or several texts at which the answer ends.
            **arguments: what is asked of an agent, such as `knowledge_source_ids` (docs/arguments.md).

        Raises:
            StackSpotError: there is no complete answer; see `aider_stackspot.errors`.
        """
        stream = self.stream(messages, model, temperature, stop, **arguments)
        return _completion(model, [text async for text in stream], stream.finish)

    def completion_sync(
        self,
        messages: Sequence[Message],
        model: str = DEFAULT_MODEL,
        temperature: float | None = None,
        stop: str | Sequence[str] | None = None,
        **arguments: Any,
    ) -> dict[str, Any]:
        """Do what `completion` does, and block."""
        stream = self.stream(messages, model, temperature, stop, **arguments)
        return _completion(model, list(stream), stream.finish)

    def stream(
        self,
        messages: Sequence[Message],
        model: str = DEFAULT_MODEL,
        temperature: float | None = None,
        stop: str | Sequence[str] | None = None,
        **arguments: Any,
    ) -> AnswerStream[str]:
        """Return the answer's text as it comes, for `for` and for `async for`.

        Raises:
            StackSpotError: at once for an unusable request, while iterating for a failed call.
        """
        options = Options(
            temperature=temperature,
            timeout=self._timeout,
            max_retries=self._max_retries,
            stop=stop,
            arguments=known_arguments(arguments, honoured=AGENT_ARGUMENTS),
        )
        with one_look():
            stream = start(current().model(model), messages, options)
        self._streams.add(stream)
        return stream

    def close(self) -> None:
        """Close the streams that are still open."""
        for stream in list(self._streams):
            stream.close()

    def __enter__(self) -> StackSpotProvider:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> StackSpotProvider:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _completion(model: str, pieces: list[str], finish: Finish | None) -> dict[str, Any]:
    usage = finish.usage if finish is not None else None
    counted = None
    if usage is not None:
        counted = {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        }
    message: dict[str, Any] = {"role": "assistant", "content": "".join(pieces)}
    if finish is not None and finish.facts:
        message["provider_specific_fields"] = {"stackspot": finish.facts}
    return {
        "id": (finish.message_id if finish is not None else None) or f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": finish.reason if finish is not None else "stop",
            }
        ],
        "usage": counted,
    }
