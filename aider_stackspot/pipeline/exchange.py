"""One request of a call and its response: rate limit, token, time limits; a refusal becomes an error."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from aider_stackspot.api.answer import ApiRequest
from aider_stackspot.api.error_response import from_response
from aider_stackspot.errors import ConfigurationError, MalformedAnswer, StackSpotError, StatusError
from aider_stackspot.network.body import read_limited
from aider_stackspot.network.client import HEADERS, retry_after, timeouts
from aider_stackspot.network.errors import network_error
from aider_stackspot.network.tokens import BearerAuth
from aider_stackspot.pipeline.request import Call
from aider_stackspot.pipeline.shared import SharedResources

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
        url,
        headers=headers,
        content=request.content,
        extensions={"timeout": timeouts(call.destination.network, call.idle_timeout, left).as_dict()},
    )


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
