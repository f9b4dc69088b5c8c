"""Which failures are worth another try, and after which wait.

Few and short, because aider retries too and shows its waits: everything else goes up to it.
"""

from __future__ import annotations

import random

from aider_stackspot.errors import (
    ConnectionFailed,
    RateLimited,
    RequestTimedOut,
    ServerFailed,
    StackSpotError,
    StreamInterrupted,
    TimedOut,
)

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
