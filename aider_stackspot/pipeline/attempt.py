"""One attempt at a call: the request goes out, the answer comes in, up to its terminal marker."""

from __future__ import annotations

import functools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx

from aider_stackspot.api.answer import ApiRequest
from aider_stackspot.api.error_response import from_response
from aider_stackspot.errors import ConfigurationError, MalformedAnswer, StackSpotError, StatusError, StreamInterrupted
from aider_stackspot.network.body import read_limited
from aider_stackspot.network.client import HEADERS, IDLE_TIMEOUT, retry_after, timeouts
from aider_stackspot.network.errors import network_error
from aider_stackspot.network.tokens import BearerAuth
from aider_stackspot.pipeline.channel import AnswerWriter
from aider_stackspot.pipeline.request import Call
from aider_stackspot.pipeline.response_body import read
from aider_stackspot.pipeline.shared import SharedResources

T = TypeVar("T")


async def attempt(call: Call[T], resources: SharedResources, writer: AnswerWriter[T], deadline: float) -> None:
    """Send the request and pass the answer on to the writer.

    Args:
        call: what to ask.
        resources: the process's clients, tokens and rate limits.
        writer: where the answer and its end go.
        deadline: the monotonic second at which the caller's time is spent.

    Raises:
        StackSpotError: there is no complete answer.
    """
    try:
        async with exchange(call, call.request, resources, deadline) as response:
            await read(response, call.new_parser(), writer, call.join)
    except httpx.HTTPError as error:
        if writer.finish is None:
            raise network_error(error, call.destination.base_url, "the answer") from error
    if writer.finish is None:
        raise StreamInterrupted(f"The answer of {call.name} ended before its end marker; what arrived is incomplete.")


MAX_ERROR_BODY_BYTES = 256 * 1024


@asynccontextmanager
async def exchange(
    call: Call[Any], request: ApiRequest, resources: SharedResources, deadline: float
) -> AsyncIterator[httpx.Response]:
    """Send a request, and yield the response as soon as its headers are there; its body is still to come.

    Args:
        call: the call that the request is a part of.
        request: what to send.
        resources: the process's clients, tokens and rate limits.
        deadline: the monotonic second at which the caller's time is spent.

    Raises:
        StackSpotError: the request could not be made, or was refused.
        httpx.HTTPError: the body broke off while the block read it; `network_error` says it in this package's words.
    """
    destination = call.destination
    auth = httpx.Auth()
    if destination.credentials is not None:
        auth = BearerAuth(resources.tokens(destination.credentials, destination.network), deadline)
    limiter = resources.limiter(destination.rate_key)
    turn = await limiter.turn(destination.rpm, deadline)
    url = destination.base_url + request.path
    try:
        response = await resources.send(destination.network, _http_request(call, url, request, deadline), auth)
    except httpx.HTTPError as error:
        raise network_error(error, url, "the answer") from error
    except (httpx.InvalidURL, UnicodeEncodeError) as error:
        raise ConfigurationError(f"The URL or a header of {call.name} cannot be used: {error}") from error
    try:
        if not response.is_success:
            refusal = await _refusal(call, response)
            limiter.saw(refusal, turn)
            raise refusal
        yield response
    finally:
        await response.aclose()


def _http_request(call: Call[Any], url: str, request: ApiRequest, deadline: float) -> httpx.Request:
    headers = httpx.Headers(HEADERS)  # names count whatever their case
    headers.update({name: value.get_secret_value() for name, value in call.destination.headers.items()})
    headers["Accept"] = "text/event-stream" if request.streams else "application/json"
    if request.body:
        headers["Content-Type"] = "application/json"
    left = max(0.001, deadline - time.monotonic())
    return httpx.Request(
        request.method,
        _parsed(url),
        headers=headers,
        content=request.content,
        extensions={"timeout": timeouts(call.destination.network, call.idle_timeout or IDLE_TIMEOUT, left).as_dict()},
    )


_parsed = functools.lru_cache(httpx.URL)  # reading a URL takes httpx as long as the rest of a request


async def _refusal(call: Call[Any], response: httpx.Response) -> StackSpotError:
    try:
        body = await read_limited(response, MAX_ERROR_BODY_BYTES)
    except (httpx.HTTPError, MalformedAnswer):
        body = ""
    error = from_response(
        response.status_code,
        body,
        service=call.destination.service,
        retry_after=retry_after(response.headers),
        where=call.where,
    )
    if isinstance(error, StatusError):
        error.body = body
    return error
