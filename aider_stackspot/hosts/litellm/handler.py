"""The translation between this package and LiteLLM: its handler interface and its exception classes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import litellm
from litellm import CustomLLM, ModelResponse
from litellm.types.utils import GenericStreamingChunk

from aider_stackspot import errors
from aider_stackspot.config import Model, current
from aider_stackspot.hosts.litellm import model_cost
from aider_stackspot.hosts.litellm.exceptions import litellm_error, own_retries, total_timeout
from aider_stackspot.hosts.litellm.reply import Messages, Reply
from aider_stackspot.pipeline.arguments import AGENT_ARGUMENTS, known_arguments
from aider_stackspot.pipeline.audience import GATEWAY_ARGUMENT, for_gateway_user
from aider_stackspot.pipeline.stackspot import Options, start
from aider_stackspot.tools import AnswerRequirements, read_answer_requirements

TOOL_PARAMETERS = ("tools", "tool_choice", "parallel_tool_calls", "functions", "function_call")


class StackSpotLLM(CustomLLM):  # type: ignore[misc]  # LiteLLM's types are not followed
    """LiteLLM's handler for every StackSpot account of the configuration.

    Args:
        provider: the account's name in LiteLLM, the part of a model's name before the slash.
        public_name: from the model id that LiteLLM hands over to the configured name.
    """

    def __init__(self, provider: str = "stackspot", public_name: Callable[[str], str] = str) -> None:
        super().__init__()
        self._provider = provider
        self._public_name = public_name

    def completion(self, model: str, messages: Messages, **given: Any) -> ModelResponse:
        """Return a whole answer; see LiteLLM's `CustomLLM`."""
        with self._reply(model, messages, given, whole=True) as reply:
            text = "".join(reply.stream)
        return reply.response(given["model_response"], text)

    async def acompletion(self, model: str, messages: Messages, **given: Any) -> ModelResponse:
        """Do the same without blocking the event loop."""
        with self._reply(model, messages, given, whole=True) as reply:
            text = "".join([piece async for piece in reply.stream])
        return reply.response(given["model_response"], text)

    def streaming(self, model: str, messages: Messages, **given: Any) -> Iterator[GenericStreamingChunk]:
        """Yield the answer's text and tool calls as they come, and exactly one terminal chunk.

        Returns when the first of them is there: a call that fails before fails here, where LiteLLM's Router and its
        retries take the next model, as for its own providers.
        """
        chunks = self._streaming(model, messages, given)
        return _resumed(next(chunks), chunks)

    def _streaming(self, model: str, messages: Messages, given: Mapping[str, Any]) -> Iterator[GenericStreamingChunk]:
        with self._reply(model, messages, given) as reply:
            for text in reply.stream:
                for chunk in reply.chunks(text):
                    yield chunk
        for chunk in reply.last_chunks():
            yield chunk

    async def astreaming(self, model: str, messages: Messages, **given: Any) -> AsyncIterator[GenericStreamingChunk]:
        """Do the same without blocking the event loop."""
        with self._reply(model, messages, given) as reply:
            async for text in reply.stream:
                for chunk in reply.chunks(text):
                    yield chunk
        for chunk in reply.last_chunks():
            yield chunk

    def embedding(self, model: str, *_given: Any, **_named: Any) -> NoReturn:
        """Refuse: LiteLLM's own answer would be a server's error, which clients try again."""
        error = errors.InvalidRequest("StackSpot has no embeddings: take another provider's model for them.")
        raise litellm_error(error, self._public_name(model), self._provider)

    async def aembedding(self, model: str, *_given: Any, **_named: Any) -> NoReturn:
        """Refuse likewise."""
        self.embedding(model)

    def image_generation(self, model: str, *_given: Any, **_named: Any) -> NoReturn:
        """Refuse, for the same reason."""
        error = errors.InvalidRequest("StackSpot makes no images: take another provider's model for them.")
        raise litellm_error(error, self._public_name(model), self._provider)

    async def aimage_generation(self, model: str, *_given: Any, **_named: Any) -> NoReturn:
        """Refuse likewise."""
        self.image_generation(model)

    @contextmanager
    def _reply(
        self, model: str, messages: Messages, given: Mapping[str, Any], *, whole: bool = False
    ) -> Iterator[Reply]:
        """Start a call, and give what fails in it the class that LiteLLM's own providers would raise."""
        name = self._public_name(model)
        try:
            configured = current().model(f"{self._provider}/{name}")
            parameters = known_arguments(given.get("optional_params") or {}, drop=_may_drop(given))
            demand = _demand(configured, parameters)
            stream = start(configured, messages, _options(given, parameters, demand))
            yield Reply(name, messages, stream, demand, demand.parser(whole=whole) if demand.instructions else None)
        except errors.StackSpotError as error:
            if isinstance(error, errors.ContextTooLong) and error.limit is not None:
                learned = current(again=True).find(f"{self._provider}/{name}")
                model_cost.tell([learned] if learned is not None else [])
            if (given.get("optional_params") or {}).get(GATEWAY_ARGUMENT):
                error = for_gateway_user(error)
            raise litellm_error(error, name, self._provider) from None


def _resumed(first: GenericStreamingChunk, rest: Iterator[GenericStreamingChunk]) -> Iterator[GenericStreamingChunk]:
    yield first
    yield from rest


def _demand(model: Model, parameters: Mapping[str, Any]) -> AnswerRequirements:
    """Read what the call demands of the answer's form; a model with `tools: false` is never told of tools."""
    if not model.tools:
        parameters = {key: value for key, value in parameters.items() if key not in TOOL_PARAMETERS}
    try:
        return read_answer_requirements(parameters)
    except ValueError as error:
        raise errors.InvalidRequest(f"{model.name}: {error}") from None


def _may_drop(given: Mapping[str, Any]) -> bool:
    """Tell whether the caller, or with `litellm.drop_params` the program, wants to have left out what is not there."""
    asked = (given.get("litellm_params") or {}).get("drop_params")
    return bool(litellm.drop_params if asked is None else asked)


def _options(given: Mapping[str, Any], parameters: Mapping[str, Any], demand: AnswerRequirements) -> Options:
    """Read a call's arguments."""
    return Options(
        temperature=parameters.get("temperature"),
        timeout=total_timeout(given.get("timeout")),
        max_retries=own_retries(parameters.get("max_retries"), given.get("litellm_params")),
        api_key=given.get("api_key"),
        api_base=given.get("api_base"),
        extra_headers=given.get("headers") or {},
        stop=parameters.get("stop"),
        instructions=demand.instructions,
        tool_syntax=bool(demand.tool_instructions),
        arguments={name: value for name, value in parameters.items() if name in AGENT_ARGUMENTS},
    )
