"""Requests that a server of OpenAI's API gets as they are: chats with all their fields, and what only it has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from aider_stackspot.api.chunks import Chunk
from aider_stackspot.compatible import server
from aider_stackspot.compatible.catalogue import catalogue
from aider_stackspot.compatible.server_call import chat_body
from aider_stackspot.errors import StackSpotError
from aider_stackspot.gateway.configuration import ServerTarget
from aider_stackspot.gateway.errors import invalid, told_to_client
from aider_stackspot.gateway.fields import refuse_leading_elsewhere
from aider_stackspot.gateway.server_stream import CHAT, ServerStream


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
