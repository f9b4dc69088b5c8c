"""One call: attempts until one succeeds or none can help, within the total time limit.

Repeats are few and short, because aider repeats too and shows its waits: everything else goes up to it.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import anyio

from aider_stackspot.errors import (
    ConnectionFailed,
    ContextTooLong,
    RateLimited,
    RequestTimedOut,
    ServerFailed,
    StackSpotError,
    StatusError,
    StreamInterrupted,
    TimedOut,
)
from aider_stackspot.pipeline import call_log, execution, usage_record
from aider_stackspot.pipeline.attempt import attempt
from aider_stackspot.pipeline.channel import AnswerWriter
from aider_stackspot.pipeline.request import Call
from aider_stackspot.pipeline.shared import SharedResources, Uploaded
from aider_stackspot.pipeline.upload import forgotten, with_uploads
from aider_stackspot.redact import scrub, scrub_json

FIRST_WAIT = 0.5
MAX_WAIT = 4.0
MAX_RETRY_AFTER = 5.0
"""Seconds; a service that asks for a longer wait is left to the caller."""

_HEALING_STATUSES = (500, 502, 503, 504)


def wait_before_retry(error: StackSpotError, tries: int) -> float | None:
    """Return the seconds to wait before another try, or `None` where none can help.

    Args:
        error: what the try ended with, before any text had arrived.
        tries: how many tries there were.
    """
    if isinstance(error, RateLimited):
        asked = error.retry_after
        return asked if asked is not None and asked <= MAX_RETRY_AFTER else None
    if not _can_heal(error):
        return None
    return random.uniform(0, min(MAX_WAIT, FIRST_WAIT * 2 ** (tries - 1)))


def _can_heal(error: StackSpotError) -> bool:
    if isinstance(error, ServerFailed):
        return error.status in _HEALING_STATUSES
    if isinstance(error, TimedOut):
        return error.connecting
    return isinstance(error, ConnectionFailed | RequestTimedOut | StreamInterrupted)


log = logging.getLogger(__name__)

T = TypeVar("T")


async def run(call: Call[T], resources: SharedResources, writer: AnswerWriter[T]) -> None:
    """Do a call and end the writer, with a `StackSpotError` where it failed."""
    with call_log.call(call.name, call.api) as watched:
        outcome = "cancelled"
        try:
            await _within_total(call, resources, writer)
        except StackSpotError as error:
            outcome = type(error).__name__
            if isinstance(error, ContextTooLong) and error.limit is not None and call.learn_limit is not None:
                call.learn_limit(error.limit)  # first: whoever hears of the error may ask for the limit
            writer.failed(_safe(error, call, resources))
        except asyncio.CancelledError:
            writer.failed(StreamInterrupted("The call was cancelled."))
            raise
        except Exception as error:
            outcome = type(error).__name__
            log.debug("unexpected %s in a call", outcome)
            writer.failed(_safe(StackSpotError(f"Unexpected {outcome}: {error}"), call, resources))
        finally:
            # Whatever happened above, nobody waits for ever.
            writer.failed(StackSpotError("The call ended without an answer, and without saying why."))
            counted = writer.finish.usage if writer.finish is not None else None
            if writer.finish is not None:
                outcome = "ok"
                if call.record is not None:
                    usage_record.add(call.record, call.name, counted, (call.prompt_characters, writer.characters))
            if watched is not None:
                watched.ended(outcome, counted, writer.first_output_at)


def _safe(error: StackSpotError, call: Call[T], resources: SharedResources) -> StackSpotError:
    """Return the error without secrets, and without the frames and causes whose variables hold some."""
    secrets = call.destination.secrets()
    if call.destination.credentials is not None:
        secrets += resources.tokens(call.destination.credentials, call.destination.network).known
    error.args = (scrub(str(error), secrets), *error.args[1:])
    if isinstance(error, StatusError):
        error.code = scrub(error.code, secrets) if error.code else error.code
        error.body = scrub_json(error.body, secrets)
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


async def _within_total(call: Call[T], resources: SharedResources, writer: AnswerWriter[T]) -> None:
    deadline = time.monotonic() + call.timeout
    with anyio.move_on_after(call.timeout) as scope:
        await _with_retries(call, resources, writer, deadline)
    if scope.cancelled_caught and writer.finish is None:
        raise TimedOut(
            f"The call took longer than its total limit of {call.timeout:g} s "
            f"({'the answer had begun' if writer.has_output else 'no text had arrived'}). Raise `timeout` for the "
            "provider, or aider's --timeout."
        )


async def _with_retries(call: Call[T], resources: SharedResources, writer: AnswerWriter[T], deadline: float) -> None:
    asked, tries, may_upload_anew = call, 0, True
    files: Sequence[Uploaded] = ()
    attempt_once = execution.attempt if call.quick_command is not None else attempt
    while True:
        tries += 1
        try:
            call, uploaded = await with_uploads(call, resources, deadline)
            files = uploaded or files
            await attempt_once(call, resources, writer, deadline)
            for file in files:
                file.was_taken = True
            return
        except StackSpotError as error:
            has_begun = writer.has_output or writer.execution is not None
            if may_upload_anew and not has_begun and forgotten(files, error, resources):
                log.info("%s is asked again, with its files uploaded anew", call.name)
                call, files, tries, may_upload_anew = asked, (), tries - 1, False
                continue
            other = call.corrected(call.request, error) if call.corrected is not None else None
            if other is not None and not writer.has_output:
                log.info("%s is asked again, with a request as its refusal wants it", call.name)
                call, tries = replace(call, request=other, corrected=None), tries - 1
                continue
            wait = None if writer.has_output or tries > call.max_retries else wait_before_retry(error, tries)
            if wait is None or time.monotonic() + wait >= deadline:
                raise
            call_log.retried()
            log.info("try %d of %s failed (%s); again in %.1f s", tries, call.name, type(error).__name__, wait)
        await asyncio.sleep(wait)
