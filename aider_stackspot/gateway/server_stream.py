"""One call to an OpenAI-compatible server for a client: its chunks, or the error that the client is told."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any

from aider_stackspot.api.answer import Finish
from aider_stackspot.api.chunks import Chunk
from aider_stackspot.compatible.server_call import CallOptions, learn_from, server_call
from aider_stackspot.errors import StackSpotError
from aider_stackspot.gateway.configuration import ServerTarget
from aider_stackspot.gateway.errors import told_to_client
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
