"""One attempt at a call: the request goes out, the answer comes in, up to its terminal marker."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
from pydantic import SecretStr

from aider_stackspot import api
from aider_stackspot.api.answer import ApiRequest, clean
from aider_stackspot.api.error_response import from_response
from aider_stackspot.config.settings import MAX_RETRIES, TOTAL_TIMEOUT, Model
from aider_stackspot.errors import ConfigurationError, MalformedAnswer, StackSpotError, StreamInterrupted
from aider_stackspot.network.client import HEADERS, IDLE_TIMEOUT, read_limited, retry_after, timeouts, translated
from aider_stackspot.network.tokens import BearerAuth
from aider_stackspot.pipeline.response_body import read
from aider_stackspot.pipeline.shared import Access, SharedResources
from aider_stackspot.pipeline.writer import AnswerWriter

MAX_ERROR_BODY_BYTES = 256 * 1024


@dataclass(frozen=True)
class Call:
    """Everything about one call. What the caller gave as an argument is in here already, defaults included."""

    model: Model
    access: Access
    api_base: str
    prompt: str = field(repr=False)
    timeout: float = TOTAL_TIMEOUT
    max_retries: int = MAX_RETRIES
    rpm: int | None = None
    headers: Mapping[str, SecretStr] = field(default_factory=dict)
    stop: tuple[str, ...] = ()


async def attempt(call: Call, resources: SharedResources, writer: AnswerWriter, deadline: float) -> None:
    """Send the request and pass the answer on to the writer.

    Args:
        call: what to ask.
        resources: the process's clients and tokens.
        writer: where text and end go.
        deadline: the monotonic second at which the caller's time is spent.

    Raises:
        StackSpotError: there is no complete answer.
    """
    request, parser = api.translate(call.model, call.prompt)
    url = call.api_base + request.path
    auth = BearerAuth(resources.tokens(call.access), deadline)
    limiter = resources.limiter(call.access)
    turn = await limiter.turn(call.rpm, deadline)
    try:
        response = await resources.send(call.access.network, _request(call, url, request, deadline), auth)
        try:
            if response.status_code != 200:
                refusal = await _refusal(call, response)
                limiter.saw(refusal, turn)
                raise refusal
            await read(response, parser, writer)
        finally:
            await response.aclose()
    except httpx.HTTPError as error:
        if writer.finish is None:
            raise translated(error, url, "the answer") from error
    except (httpx.InvalidURL, UnicodeEncodeError) as error:
        raise ConfigurationError(f"The URL or a header of {call.model.name} cannot be used: {error}") from error
    if writer.finish is None:
        raise StreamInterrupted(
            f"The answer of {call.model.name} ended before its end marker; what arrived is incomplete."
        )


def _request(call: Call, url: str, request: ApiRequest, deadline: float) -> httpx.Request:
    headers = httpx.Headers(HEADERS)  # names count whatever their case
    headers.update({name: value.get_secret_value() for name, value in call.headers.items()})
    headers.update({"Content-Type": "application/json", "Accept": "text/event-stream"})
    left = max(0.001, deadline - time.monotonic())
    return httpx.Request(
        "POST",
        url,
        headers=headers,
        content=clean(json.dumps(request.body, ensure_ascii=False)).encode(),
        extensions={"timeout": timeouts(call.access.network, IDLE_TIMEOUT, left).as_dict()},
    )


async def _refusal(call: Call, response: httpx.Response) -> StackSpotError:
    try:
        body = await read_limited(response, MAX_ERROR_BODY_BYTES)
    except (httpx.HTTPError, MalformedAnswer):
        body = ""
    agent = f"agent `{call.model.agent_id}` at " if call.model.api == "agent" else ""
    account = f"(realm `{call.access.realm}`, client id `{call.access.client_id}`)"
    return from_response(
        response.status_code,
        body,
        retry_after=retry_after(response.headers),
        where=f"{agent}{response.url.host} {account}",
    )
