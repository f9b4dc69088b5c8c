"""Ties the rooms together: arguments and configuration to a call, a call to text.

`start` is what everything uses; `StackSpotProvider` is the face of it for programs that do not go through LiteLLM.
"""

from __future__ import annotations

import concurrent.futures
import time
import uuid
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from pydantic import SecretStr

from aider_stackspot.api.answer import Finish
from aider_stackspot.config import Account, Model, current
from aider_stackspot.config.settings import TOTAL_TIMEOUT
from aider_stackspot.config.trust.call_arguments import base_of_call, checked_headers
from aider_stackspot.errors import InvalidRequest
from aider_stackspot.pipeline import prompt
from aider_stackspot.pipeline.attempt import Call
from aider_stackspot.pipeline.background_loop import background_loop
from aider_stackspot.pipeline.call import run
from aider_stackspot.pipeline.channel import Channel
from aider_stackspot.pipeline.shared import Access, shared_resources
from aider_stackspot.pipeline.writer import AnswerWriter

DEFAULT_MODEL = "stackspot-ai-code"
TEMPERATURES = (0.0, 1.0)


@dataclass(frozen=True)
class Options:
    """What one call may change. `None` and empty mean: as configured.

    `timeout` is the total in seconds, retries included. `api_key` is a client key, `api_base` the base URL of the API
    that serves the model. `temperature` is checked, not sent: StackSpot has it in the agent's settings (docs/wire.md, "Limits").
    `instructions` and `tool_syntax` are `prompt.render`'s.
    """

    temperature: float | None = None
    timeout: float | None = None
    max_retries: int | None = None
    api_key: str | None = field(default=None, repr=False)
    api_base: str | None = None
    extra_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    stop: str | Sequence[str] | None = None
    instructions: str = field(default="", repr=False)
    tool_syntax: bool = False


class TextStream:
    """The text of one answer as it comes, for `for` and for `async for`.

    Each item is all the text that has arrived since the last one. After the last, `finish` tells how the answer ended.
    Closing it, or dropping the last reference, closes the connection at once.
    """

    def __init__(self, channel: Channel, writer: AnswerWriter, work: concurrent.futures.Future[None]) -> None:
        self._channel = channel
        self._writer = writer
        self._work = work

    @property
    def finish(self) -> Finish | None:
        """How the answer ended; `None` before the end."""
        return self._writer.finish

    def __iter__(self) -> TextStream:
        return self

    def __next__(self) -> str:
        try:
            text = self._channel.get()
        except BaseException:  # Ctrl-C too: whoever keeps the exception would keep the connection
            self.close()
            raise
        if text is None:
            raise StopIteration
        return text

    def __aiter__(self) -> TextStream:
        return self

    async def __anext__(self) -> str:
        try:
            text = await self._channel.aget()
        except BaseException:  # cancellation too
            self.close()
            raise
        if text is None:
            raise StopAsyncIteration
        return text

    def close(self) -> None:
        """Give up the rest of the answer."""
        # A complete answer's connection is still being made ready for the next call: that goes on.
        if self._writer.finish is None:
            self._channel.abandon()
            self._work.cancel()

    async def aclose(self) -> None:
        """Do the same; it never blocks."""
        self.close()

    def __del__(self) -> None:
        self.close()


def start(model: Model, messages: Sequence[prompt.Message], options: Options) -> TextStream:
    """Begin a call.

    Raises:
        InvalidRequest: a message or an option cannot be used.
        ConfigurationError: credentials or settings are missing or unusable.
    """
    call = _call(model, messages, options)
    shared = background_loop()
    channel = Channel(shared.loop)
    writer = AnswerWriter(channel, call.stop)
    return TextStream(channel, writer, shared.submit(run(call, shared_resources(), writer)))


def _call(model: Model, messages: Sequence[prompt.Message], options: Options) -> Call:
    _check_temperature(options.temperature)
    account = model.account
    client_id, client_key = account.credentials() if not options.api_key else (account.client_id or "", None)
    if options.api_key and not client_id:
        account.credentials()
    key = client_key if client_key is not None else SecretStr(options.api_key or "")
    return Call(
        model=model,
        access=Access(account.auth_url, account.realm, client_id, key, account.network),
        api_base=_api_base(model, account, options),
        prompt=prompt.render(messages, options.instructions, tool_syntax=options.tool_syntax),
        timeout=options.timeout or account.timeout or TOTAL_TIMEOUT,
        max_retries=account.max_retries if options.max_retries is None else options.max_retries,
        rpm=account.rpm,
        headers={**account.extra_headers, **_secret(checked_headers(options.extra_headers))},
        stop=_stop(options.stop),
    )


def _secret(headers: Mapping[str, str]) -> dict[str, SecretStr]:
    return {name: SecretStr(str(value)) for name, value in headers.items()}


def _api_base(model: Model, account: Account, options: Options) -> str:
    if options.api_base:
        return base_of_call(
            options.api_base,
            configured=(account.api_base, account.agent_api_base),
            allow_insecure_http=account.network.allow_insecure_http,
        )
    return account.agent_api_base if model.api == "agent" else account.api_base


def _check_temperature(temperature: float | None) -> None:
    if temperature is None:
        return
    low, high = TEMPERATURES
    if isinstance(temperature, bool) or not isinstance(temperature, int | float) or not low <= temperature <= high:
        raise InvalidRequest(
            f"The temperature {temperature!r} is out of range: StackSpot's models take {low} to {high}."
        )


def _stop(stop: str | Sequence[str] | None) -> tuple[str, ...]:
    if stop is None:
        return ()
    return (stop,) if isinstance(stop, str) else tuple(stop)


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
        self._streams: weakref.WeakSet[TextStream] = weakref.WeakSet()

    async def completion(
        self,
        messages: Sequence[prompt.Message],
        model: str = DEFAULT_MODEL,
        temperature: float | None = None,
        stop: str | Sequence[str] | None = None,
    ) -> dict[str, Any]:
        """Return a whole answer in the shape of OpenAI's chat completion.

        Args:
            messages: OpenAI chat messages, text only.
            model: one of the configured names, such as "stackspot-ai-code".
            temperature: 0.0 to 1.0.
            stop: one or several texts at which the answer ends.

        Raises:
            StackSpotError: there is no complete answer; see `aider_stackspot.errors`.
        """
        stream = self.stream(messages, model, temperature, stop)
        return _completion(model, [text async for text in stream], stream.finish)

    def completion_sync(
        self,
        messages: Sequence[prompt.Message],
        model: str = DEFAULT_MODEL,
        temperature: float | None = None,
        stop: str | Sequence[str] | None = None,
    ) -> dict[str, Any]:
        """Do what `completion` does, and block."""
        stream = self.stream(messages, model, temperature, stop)
        return _completion(model, list(stream), stream.finish)

    def stream(
        self,
        messages: Sequence[prompt.Message],
        model: str = DEFAULT_MODEL,
        temperature: float | None = None,
        stop: str | Sequence[str] | None = None,
    ) -> TextStream:
        """Return the answer's text as it comes, for `for` and for `async for`.

        Raises:
            StackSpotError: at once for an unusable request, while iterating for a failed call.
        """
        options = Options(temperature=temperature, timeout=self._timeout, max_retries=self._max_retries, stop=stop)
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
    return {
        "id": (finish.message_id if finish is not None else None) or f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "".join(pieces)},
                "finish_reason": finish.reason if finish is not None else "stop",
            }
        ],
        "usage": counted,
    }
