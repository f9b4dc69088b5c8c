"""Calls to an OpenAI-compatible server for a client: translated ones, and those that pass as they are."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

from aider_stackspot.api.answer import Finish
from aider_stackspot.api.chunks import Chunk
from aider_stackspot.compatible import server
from aider_stackspot.compatible.catalogue import catalogue
from aider_stackspot.compatible.server_call import CallOptions, chat_body, learn_from, server_call
from aider_stackspot.errors import StackSpotError
from aider_stackspot.gateway.configuration import ServerTarget
from aider_stackspot.gateway.errors import invalid, told_to_client
from aider_stackspot.gateway.request import refuse_leading_elsewhere
from aider_stackspot.pipeline.stream import AnswerStream, start

CHAT = "/chat/completions"


class ServerStream:
    """A call that is made once its chunks are asked for.

    Args:
        target: the server's model.
        path: the endpoint below the server's base URL.
        body: what is sent.
        prompt_tokens: how long the prompt may be, for an error about that which names no figure.

    Raises:
        GatewayError: the gateway has no credentials for the server.
    """

    def __init__(self, target: ServerTarget, path: str, body: Mapping[str, Any], prompt_tokens: int = 0) -> None:
        self.finish: Finish | None = None
        self._target = target
        self._prompt_tokens = prompt_tokens
        try:
            self._call = server_call(target.provider, target.model, path, body, CallOptions())
        except StackSpotError as error:
            raise told_to_client(error, target.service) from None

    async def chunks(self) -> AsyncGenerator[list[Chunk], None]:
        """Yield what comes; `finish` tells afterwards how a complete answer ended.

        Raises:
            GatewayError: the answer is not complete.
        """
        target = self._target
        stream: AnswerStream[list[Chunk]] = start(self._call)
        try:
            async for chunks in stream:
                yield chunks
        except StackSpotError as error:
            learn_from(error, target.provider, target.model)
            raise told_to_client(error, target.service, sizes=(self._prompt_tokens, target.context)) from None
        finally:
            stream.close()
        self.finish = stream.finish


def passed_on(target: ServerTarget, path: str, body: dict[str, Any]) -> AsyncIterator[list[Chunk]]:
    """Return a server's answer to a body: canonical chunks of a stream, or one document.

    Args:
        target: the server's model.
        path: the endpoint below the server's base URL.
        body: what the client sent.

    Raises:
        GatewayError: the body would lead elsewhere, the server would refuse it, or credentials are missing.
    """
    refuse_leading_elsewhere(body)
    if not isinstance(body.get("stream"), bool | None):
        raise invalid("`stream` should be true or false.", "stream", "invalid_value")
    if path == CHAT:
        body = _chat(target, body)
    else:
        known = catalogue.known(target.provider)
        body = {**body, "model": server.id_of(target.provider, known, target.model)}
    return ServerStream(target, path, body).chunks()


def _chat(target: ServerTarget, body: dict[str, Any]) -> dict[str, Any]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(message, dict) for message in messages):
        raise invalid("`messages` should be a list of messages.", "messages", "invalid_value")
    given = {name: value for name, value in body.items() if name not in ("model", "messages")}
    try:
        return chat_body(target.provider, target.model, messages, given)
    except StackSpotError as error:
        raise told_to_client(error, target.service) from None
