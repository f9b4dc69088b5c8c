"""One attempt at a call of a quick command: create an execution, poll it, hand over its result.

A retry goes on with the execution that was created: it was paid for, and may have effects.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx

from aider_stackspot.api import quick_command
from aider_stackspot.api.answer import ApiRequest, Finish
from aider_stackspot.api.error_response import is_html, web_page
from aider_stackspot.api.quick_command import Progress
from aider_stackspot.errors import RateLimited
from aider_stackspot.network.body import read_limited
from aider_stackspot.network.errors import network_error
from aider_stackspot.pipeline import notices
from aider_stackspot.pipeline.attempt import exchange
from aider_stackspot.pipeline.channel import AnswerWriter
from aider_stackspot.pipeline.request import Call
from aider_stackspot.pipeline.response_body import MAX_DOCUMENT_BYTES
from aider_stackspot.pipeline.shared import SharedResources

MAX_REFUSED_POLLS = 6
"""In a row, with 429: each makes the next poll later; then the caller is told."""


async def attempt(call: Call[Any], resources: SharedResources, writer: AnswerWriter[Any], deadline: float) -> None:
    """Run the quick command and pass its result on to the writer.

    Args:
        call: what to ask; its request creates an execution.
        resources: the process's clients, tokens and rate limits.
        writer: where text and end go; it remembers the execution between two attempts.
        deadline: the monotonic second at which the caller's time is spent.

    Raises:
        StackSpotError: there is no result.
    """
    service = _Executions(call, resources, deadline)
    if writer.execution is None:
        writer.execution = await service.create()
    result = await _completed(service, writer.execution, call.quick_command or "")
    writer.write(result, len(result))
    writer.finished(Finish(reason="stop", message_id=writer.execution))


async def _completed(service: _Executions, execution: str, slug: str) -> str:
    began = time.monotonic()
    refused, shown = 0, ""
    wait = quick_command.wait_before_poll(0)
    while True:
        await asyncio.sleep(wait)
        elapsed = time.monotonic() - began
        wait = quick_command.wait_before_poll(elapsed)
        try:
            progress = await service.poll(execution)
            refused = 0
        except RateLimited as error:
            refused += 1
            if refused > MAX_REFUSED_POLLS:
                raise
            wait = max(error.retry_after or 0.0, min(quick_command.MAX_WAIT, wait * 2**refused))
            continue
        if progress.is_done:
            return progress.text or ""
        if progress.status == "CREATED" and elapsed >= quick_command.MAX_CREATED_SECONDS:
            raise quick_command.stuck(slug, quick_command.MAX_CREATED_SECONDS)
        line = _in_words(slug, progress)
        if line != shown:  # each thing once
            notices.progress(line)
            shown = line


def _in_words(slug: str, progress: Progress) -> str:
    share = f", {progress.share:.0%}" if progress.share else ""
    step = f", step `{progress.step}` done" if progress.step else ""
    return f"quick command `{slug}`: {progress.status.lower() or 'on its way'}{step}{share}"


class _Executions:
    """The two requests of the API, with the account's token and rate limit: a poll counts as one too."""

    def __init__(self, call: Call[Any], resources: SharedResources, deadline: float) -> None:
        self._call = call
        self._resources = resources
        self._deadline = deadline

    async def create(self) -> str:
        """Start an execution and return its id."""
        return quick_command.execution_id(await self._body(self._call.request))

    async def poll(self, execution: str) -> Progress:
        """Ask how far an execution is."""
        request = ApiRequest(quick_command.callback_path(execution), method="GET", streams=False)
        return quick_command.progress(await self._body(request), self._call.quick_command or "")

    async def _body(self, request: ApiRequest) -> str:
        destination = self._call.destination
        try:
            async with exchange(self._call, request, self._resources, self._deadline) as response:
                body = await read_limited(response, MAX_DOCUMENT_BYTES)
        except httpx.HTTPError as error:
            raise network_error(error, destination.base_url, "the answer") from error
        if is_html(body):
            raise web_page(destination.host)
        return body
