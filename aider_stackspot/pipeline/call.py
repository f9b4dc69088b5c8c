"""One call to StackSpot: attempts until one succeeds or none can help, within the total time limit."""

from __future__ import annotations

import asyncio
import logging
import time
from urllib.parse import unquote

import anyio

from aider_stackspot.errors import StackSpotError, StatusError, StreamInterrupted, TimedOut
from aider_stackspot.pipeline import call_log, execution, usage_record
from aider_stackspot.pipeline.attempt import Call, attempt
from aider_stackspot.pipeline.retry import wait_before_retry
from aider_stackspot.pipeline.shared import Upstream
from aider_stackspot.pipeline.writer import Sink
from aider_stackspot.redact import scrub

log = logging.getLogger(__name__)


async def run(call: Call, upstream: Upstream, sink: Sink) -> None:
    """Do a call and end the sink, with a `StackSpotError` where it failed."""
    with call_log.call(call.model.route, call.model.api) as watched:
        outcome = "cancelled"
        try:
            await _within_total(call, upstream, sink)
        except StackSpotError as error:
            outcome = type(error).__name__
            sink.failed(_safe(error, call, upstream))
        except asyncio.CancelledError:
            sink.failed(StreamInterrupted("The call was cancelled."))
            raise
        except Exception as error:
            outcome = type(error).__name__
            log.debug("unexpected %s in a call", outcome)
            sink.failed(_safe(StackSpotError(f"Unexpected {outcome}: {error}"), call, upstream))
        finally:
            # Whatever happened above, nobody waits for ever.
            sink.failed(StackSpotError("The call ended without an answer, and without saying why."))
            counted = sink.finish.usage if sink.finish is not None else None
            if sink.finish is not None:
                outcome = "ok"
                usage_record.add(call.model.route, counted, (len(call.prompt), sink.characters))
            if watched is not None:
                watched.ended(outcome, counted, sink.first_text_at)


def _safe(error: StackSpotError, call: Call, upstream: Upstream) -> StackSpotError:
    """Return the error without secrets, and without the frames and causes whose variables hold some."""
    secrets = [*_secrets(call), *upstream.tokens(call.access).known]
    error.args = (scrub(str(error), secrets), *error.args[1:])
    if isinstance(error, StatusError) and error.code:
        error.code = scrub(error.code, secrets)
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _secrets(call: Call) -> list[str]:
    network = call.access.network
    proxies = [proxy.get_secret_value() for proxy in (network.proxy, *(proxy for _, proxy in network.proxies)) if proxy]
    users = [proxy.rpartition("@")[0].rpartition("/")[2] for proxy in proxies]
    users += [unquote(user) for user in users]  # in base64, this is what the proxy is shown
    passwords = [user.partition(":")[2] for user in users]
    headers = [header.get_secret_value() for header in call.headers.values()]
    return [call.access.client_key.get_secret_value(), *headers, *proxies, *users, *passwords]


async def _within_total(call: Call, upstream: Upstream, sink: Sink) -> None:
    deadline = time.monotonic() + call.timeout
    with anyio.move_on_after(call.timeout) as scope:
        await _with_retries(call, upstream, sink, deadline)
    if scope.cancelled_caught and sink.finish is None:
        raise TimedOut(
            f"The call took longer than its total limit of {call.timeout:g} s "
            f"({'the answer had begun' if sink.has_text else 'no text had arrived'}). Raise `timeout` for the "
            "provider, or aider's --timeout."
        )


async def _with_retries(call: Call, upstream: Upstream, sink: Sink, deadline: float) -> None:
    tries = 0
    attempt_once = execution.attempt if call.model.api == "quick-command" else attempt
    while True:
        tries += 1
        try:
            return await attempt_once(call, upstream, sink, deadline)
        except StackSpotError as error:
            wait = None if sink.has_text or tries > call.max_retries else wait_before_retry(error, tries)
            if wait is None or time.monotonic() + wait >= deadline:
                raise
            call_log.retried()
            log.info("try %d of %s failed (%s); again in %.1f s", tries, call.model.name, type(error).__name__, wait)
        await asyncio.sleep(wait)
