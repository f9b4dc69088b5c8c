"""The gateway as an ASGI application: its paths, and what stands behind each of them."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aider_stackspot.api.answer import json_bytes
from aider_stackspot.compatible.tools_by_prompt import needs_prompt
from aider_stackspot.errors import ConfigurationError
from aider_stackspot.gateway import configuration
from aider_stackspot.gateway.access import KeyCheck, body_of, protocol_of
from aider_stackspot.gateway.answer import answer_to
from aider_stackspot.gateway.chat_completions import ChatReply, ServersChat, read_chat
from aider_stackspot.gateway.configuration import Configuration, ServerTarget, Target
from aider_stackspot.gateway.errors import GatewayError, invalid, told_to_client
from aider_stackspot.gateway.messages import MessagesReply, read_count, read_messages
from aider_stackspot.gateway.reply import OpenReplies, Reply
from aider_stackspot.gateway.response_store import ResponseStore
from aider_stackspot.gateway.responses_reply import ResponsesReply
from aider_stackspot.gateway.responses_request import input_items, read_responses
from aider_stackspot.gateway.server_stream import CHAT, passed_on

log = logging.getLogger("aider_stackspot.gateway")


class Gateway:
    """The endpoints.

    Args:
        configuration: which names mean which models.
    """

    def __init__(self, configuration: Configuration | None = None) -> None:
        self.configuration = configuration or Configuration()
        self.replies = OpenReplies()
        self.responses = ResponseStore()

    def application(self, key: str) -> ASGIApp:
        """Return the application for the holders of a key."""
        app = Starlette(
            routes=self._routes(),
            exception_handlers={GatewayError: _told, HTTPException: _not_served, Exception: _failed},
        )
        app.router.redirect_slashes = False
        return _WithRequestId(KeyCheck(app, key))

    def _routes(self) -> list[Route]:
        post: dict[str, Callable[[Request], Awaitable[ASGIApp]]] = {
            "/v1/chat/completions": self.chat_completions,
            "/v1/messages": self.messages,
            "/v1/messages/count_tokens": self.count_tokens,
            "/v1/responses": self.new_response,
            "/v1/completions": self.for_servers("/completions"),
            "/v1/embeddings": self.for_servers("/embeddings"),
            "/v1/rerank": self.for_servers("/rerank"),
        }
        get: dict[str, Callable[[Request], Awaitable[ASGIApp]]] = {
            "/health/liveliness": self.alive,
            "/health/liveness": self.alive,
            "/health/readiness": self.ready,
            "/v1/models": self.models,
            "/v1/models/{name:path}": self.model,
            "/v1/responses/{id}/input_items": self.input_items,
        }
        return [
            *(Route(path, endpoint, methods=["POST"]) for path, endpoint in post.items()),
            *(Route(path, endpoint, methods=["GET"]) for path, endpoint in get.items()),
            Route("/v1/responses/{id}", self.kept_response, methods=["GET", "DELETE"]),
        ]

    async def alive(self, request: Request) -> ASGIApp:
        """Tell that the process answers."""
        return _Json({"status": "ok"})

    async def ready(self, request: Request) -> ASGIApp:
        """Tell whether there is a configuration to work with."""
        try:
            self.configuration.settings()
        except ConfigurationError:
            return _Json({"status": "the configuration cannot be used; see the gateway's log"}, 503)
        return _Json({"status": "ok", "open_replies": len(self.replies)})

    async def models(self, request: Request) -> ASGIApp:
        """List the models."""
        found = await asyncio.to_thread(configuration.entries, self.configuration)
        return _Json(configuration.listing(found, protocol_of(request.scope)))

    async def model(self, request: Request) -> ASGIApp:
        """Tell about one model."""
        name = request.path_params["name"]
        return _Json(configuration.entry_of(self.target(name), protocol_of(request.scope)))

    async def chat_completions(self, request: Request) -> ASGIApp:
        """Answer in OpenAI's Chat Completions."""
        body = await body_of(request)
        target = self.target(body.get("model"))
        if isinstance(target, ServerTarget) and not (
            target.takes_tools_by_prompt and needs_prompt(body.get("messages"), body)
        ):
            return self._passed_on(target, body)
        asked, question = read_chat(body)
        answer = answer_to(target, question)
        reply = ChatReply(question.model, answer, wants_usage=asked.wants_usage)
        return Reply(answer.events(), reply, streams=question.streams, replies=self.replies)

    async def messages(self, request: Request) -> ASGIApp:
        """Answer in Anthropic's Messages."""
        body = await body_of(request)
        target = self.target(body.get("model"))
        asked, question = read_messages(body)
        answer = answer_to(target, question)
        reply = MessagesReply(question.model, answer, wants_thoughts=asked.wants_thoughts)
        return Reply(answer.events(), reply, streams=question.streams, replies=self.replies)

    async def count_tokens(self, request: Request) -> ASGIApp:
        """Estimate the tokens of a request of Messages, as the model would get it."""
        body = await body_of(request)
        target = self.target(body.get("model"))
        return _Json({"input_tokens": answer_to(target, read_count(body)).prompt_tokens})

    async def new_response(self, request: Request) -> ASGIApp:
        """Answer in OpenAI's Responses."""
        body = await body_of(request)
        target = self.target(body.get("model"))
        asked = read_responses(body, self.responses)

        def keep(response: dict[str, Any]) -> None:
            if asked.request.store is not False:
                self.responses.add(response, asked.items, input_items(asked.request))

        answer = answer_to(target, asked.question)
        reply = ResponsesReply(asked, answer, keep)
        return Reply(answer.events(), reply, streams=asked.question.streams, replies=self.replies)

    async def kept_response(self, request: Request) -> ASGIApp:
        """Show or forget a response."""
        identifier = request.path_params["id"]
        response = self.responses.get(identifier).response
        if request.method == "DELETE":
            self.responses.remove(identifier)
            return _Json({"id": identifier, "object": "response", "deleted": True})
        return _Json(response)

    async def input_items(self, request: Request) -> ASGIApp:
        """Show the input of a response."""
        items = self.responses.get(request.path_params["id"]).input_items
        return _Json({"object": "list", "data": items, "has_more": False})

    def for_servers(self, path: str) -> Callable[[Request], Awaitable[ASGIApp]]:
        """Return the endpoint for what only OpenAI-compatible servers have."""

        async def endpoint(request: Request) -> ASGIApp:
            body = await body_of(request)
            target = self.target(body.get("model"))
            if not isinstance(target, ServerTarget):
                what = path.strip("/")
                raise invalid(f"StackSpot has no {what}: take a model of an OpenAI-compatible server.", "model")
            return self._passed_on(target, body, path)

        return endpoint

    def _passed_on(self, target: ServerTarget, body: dict[str, Any], path: str = CHAT) -> ASGIApp:
        streams = body.get("stream") is True and path in (CHAT, "/completions")
        return Reply(passed_on(target, path, body), ServersChat(), streams=streams, replies=self.replies)

    def target(self, name: Any) -> Target:
        """Return the model that a request names.

        Raises:
            GatewayError: it names none, or one that is not there, or the configuration cannot be used.
        """
        if not isinstance(name, str) or not name:
            raise invalid("`model` should be the name of a model.", "model", "missing_required_parameter")
        try:
            return self.configuration.find(name)
        except ConfigurationError as error:
            raise told_to_client(error, "StackSpot") from None


class _Json(Response):
    """A document."""

    media_type = "application/json"

    def __init__(self, content: object, status: int = 200) -> None:
        super().__init__(content, status)

    def render(self, content: object) -> bytes:
        return json_bytes(content)


async def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, GatewayError)
    response = _Json(error.body(protocol_of(request.scope)), error.status)
    response.headers.update(error.headers)
    return response


async def _not_served(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    told = GatewayError(error.status_code, error.detail, headers=dict(error.headers or {}))
    if error.status_code in (404, 405):
        words = "does not serve" if error.status_code == 404 else f"does not take {request.method} at"
        told.message = f"This gateway {words} {request.url.path[:200]}.{_about_base_url(request)}"
    return await _told(request, told)


def _about_base_url(request: Request) -> str:
    """Say what is wrong with a base URL that has a `/v1` too many, or none; programs add to it what they like."""
    path = request.url.path
    if path.startswith("/v1/v1/"):
        return " Take `/v1` out of the base URL that your program was told."
    served = any(getattr(route, "path", "") == f"/v1{path}" for route in request.app.routes)
    return " The base URL that your program is told should end in `/v1`." if served else ""


async def _failed(request: Request, error: Exception) -> Response:
    return await _told(request, GatewayError(500, "The gateway failed; its log has the details."))


class _WithRequestId:
    """Names each request, as both vendors do, so that a person can say which one it was."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        identifier = f"req_{uuid.uuid4().hex[:24]}".encode()

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", []), (b"request-id", identifier), (b"x-request-id", identifier)]
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, named)
