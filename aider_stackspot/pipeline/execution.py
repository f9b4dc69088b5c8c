"""One attempt at a call of a quick command: create an execution, poll it, hand over its result.

A retry goes on with the execution that was created: it was paid for, and may have effects.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from dataclasses import dataclass

import httpx

from aider_stackspot.api import quick_command
from aider_stackspot.api.answer import Finish, clean
from aider_stackspot.api.error_response import from_response, is_html
from aider_stackspot.api.quick_command import Progress
from aider_stackspot.errors import ConfigurationError, MalformedAnswer, NotFound, RateLimited, StackSpotError
from aider_stackspot.network.client import IDLE_TIMEOUT, read_limited, retry_after, timeouts, translated
from aider_stackspot.network.tokens import BearerAuth
from aider_stackspot.pipeline.attempt import MAX_ERROR_BODY_BYTES, Call
from aider_stackspot.pipeline.response_body import MAX_DOCUMENT_BYTES
from aider_stackspot.pipeline.shared import SharedResources
from aider_stackspot.pipeline.writer import AnswerWriter

log = logging.getLogger(__name__)

MAX_REFUSED_POLLS = 6
"""In a row, with 429: each makes the next poll later; then the caller is told."""


async def attempt(call: Call, resources: SharedResources, writer: AnswerWriter, deadline: float) -> None:
    """Run the quick command and pass its result on to the writer.

    Args:
        call: what to ask.
        resources: the process's clients and tokens.
        writer: where text and end go; it remembers the execution between two attempts.
        deadline: the monotonic second at which the caller's time is spent.

    Raises:
        StackSpotError: there is no result.
    """
    slug = call.model.quick_command or ""
    service = _Service(call, resources, deadline)
    if writer.execution is None:
        writer.execution = await service.create(slug)
    result = await _completed(service, writer.execution, slug)
    writer.text(result)
    if writer.finish is None:
        writer.finished(Finish(reason="stop", message_id=writer.execution))


async def _completed(service: _Service, execution: str, slug: str) -> str:
    began = time.monotonic()
    refused, shown = 0, _Shown(slug)
    wait = quick_command.wait_before_poll(0)
    while True:
        await asyncio.sleep(wait)
        elapsed = time.monotonic() - began
        wait = quick_command.wait_before_poll(elapsed)
        try:
            progress = await service.poll(execution, slug)
            refused = 0
        except RateLimited as error:
            refused += 1
            if refused > MAX_REFUSED_POLLS:
                raise
            progress = None
            wait = max(error.retry_after or 0.0, min(quick_command.MAX_WAIT, wait * 2**refused))
        if progress is not None:
            if progress.is_done:
                return progress.text or ""
            if progress.status == "CREATED" and elapsed >= quick_command.MAX_CREATED_SECONDS:
                raise quick_command.stuck(slug, quick_command.MAX_CREATED_SECONDS)
            shown.show(progress)


@dataclass
class _Shown:
    """Tells the person at the terminal what became of the command, each thing once; aider's own output stays."""

    slug: str
    last: str = ""

    def show(self, progress: Progress) -> None:
        share = f", {progress.share:.0%}" if progress.share else ""
        step = f", step `{progress.step}` done" if progress.step else ""
        line = f"quick command `{self.slug}`: {progress.status.lower() or 'on its way'}{step}{share}"
        if line == self.last:
            return
        self.last = line
        log.info("%s", line)
        if sys.stderr is not None and sys.stderr.isatty():
            print(f"\raider-stackspot: {line}", file=sys.stderr, flush=True)


class _Service:
    """The two requests of the API, with the account's token and rate limit: a poll counts as one too."""

    def __init__(self, call: Call, resources: SharedResources, deadline: float) -> None:
        self._call = call
        self._deadline = deadline
        self._client = resources.client(call.access.network, call.api_base)
        self._auth = BearerAuth(resources.tokens(call.access), deadline)
        self._limiter = resources.limiter(call.access)

    async def create(self, slug: str) -> str:
        """Start an execution and return its id."""
        request = quick_command.request(self._call.prompt, slug)
        body = clean(json.dumps(request.body, ensure_ascii=False)).encode()
        return quick_command.execution_id(await self._send("POST", request.path, body))

    async def poll(self, execution: str, slug: str) -> Progress:
        """Ask how far an execution is."""
        return quick_command.progress(await self._send("GET", quick_command.callback_path(execution)), slug)

    async def _send(self, method: str, path: str, content: bytes | None = None) -> str:
        call = self._call
        headers = {name: value.get_secret_value() for name, value in call.headers.items()}
        headers |= {"Accept": "application/json", "Cache-Control": "no-cache"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        turn = await self._limiter.turn(call.rpm, self._deadline)
        left = max(0.001, self._deadline - time.monotonic())
        limits = timeouts(call.access.network, IDLE_TIMEOUT, left)
        url = call.api_base + path
        try:
            async with self._client.stream(
                method, url, content=content, headers=headers, auth=self._auth, timeout=limits
            ) as response:
                if response.status_code != 200:
                    refusal = await self._refusal(response)
                    self._limiter.saw(refusal, turn)
                    raise refusal
                body = await read_limited(response, MAX_DOCUMENT_BYTES)
        except httpx.HTTPError as error:
            raise translated(error, url, "the quick command") from error
        except (httpx.InvalidURL, UnicodeEncodeError) as error:
            raise ConfigurationError(f"The URL or a header of {call.model.name} cannot be used: {error}") from error
        if is_html(body):
            raise MalformedAnswer(
                f"{response.url.host} answered with a web page instead of an answer. This is most likely a proxy or "
                "its login page in between: check HTTPS_PROXY, and that the host may be reached."
            )
        return body

    async def _refusal(self, response: httpx.Response) -> StackSpotError:
        try:
            body = await read_limited(response, MAX_ERROR_BODY_BYTES)
        except (httpx.HTTPError, MalformedAnswer):
            body = ""
        call = self._call
        slug, account = call.model.quick_command, f"realm `{call.access.realm}`, client id `{call.access.client_id}`"
        where = f"quick command `{slug}` at {response.url.host} ({account})"
        if response.status_code == 404:
            return NotFound(
                f"StackSpot answered 404 for {where}: check the slug in `quick_command`, and that the command is "
                "published for this credential.",
                status=404,
            )
        return from_response(response.status_code, body, retry_after=retry_after(response.headers), where=where)
