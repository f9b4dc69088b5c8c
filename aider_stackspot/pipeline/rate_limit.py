"""The rate limit of one credential: a call waits for its turn here instead of drawing a 429.

Off unless `rpm` is set for the provider. StackSpot was measured to allow 100 requests in any 60 seconds for a realm
and client id, whatever the agent, and to send no `Retry-After` with its 429 (docs/wire.md, "Limits"). So this counts
in the same way: a call goes at once as long as fewer than `rpm` have gone in the last minute, and else when the oldest
of them is a minute old. Calls go in the order in which they came.

Others may use the credential too, which only a 429 tells:

* with `Retry-After`, nothing goes before that moment (a minute at most);
* without, the limit drops to half of what this process sent in the last minute, and comes back by a tenth of `rpm`
  each minute. A volley counts once: a 429 for a call that went before the limit last dropped changes nothing.

Each process counts for itself. All of it runs on the background loop.
"""

from __future__ import annotations

import asyncio
import bisect
import math
import time
from collections.abc import Awaitable, Callable

from aider_stackspot.errors import RateLimited, StackSpotError, TimedOut
from aider_stackspot.pipeline import notices

WINDOW = 61.0
"""Seconds: the service's minute, and one for the different times that requests spend on their way."""
RECOVERY = 0.1
"""The share of `rpm` by which a lowered limit rises in a minute."""
MIN_TOLD_SECONDS = 1.0
"""Seconds; a shorter wait is not worth a line."""
_ROUNDING = 1e-6


class RateLimiter:
    """Hands out the turns of one credential.

    Args:
        clock: monotonic seconds.
        sleep: waits so many seconds.
        tell: told one line when a call has to wait.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        tell: Callable[[str], None] = notices.warn,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._tell = tell
        self._ends: list[float] = []  # when each of the last minute's calls stops to count, in order
        self._not_before = -math.inf
        self._lowered: tuple[float, int] | None = None
        self._queue = asyncio.Lock()  # first come, first served; who is cancelled has not gone and leaves no trace
        self._waiting = 0
        self._told = False

    async def turn(self, rpm: int | None, deadline: float) -> float | None:
        """Wait until a call may go.

        Args:
            rpm: requests a minute; `None` for no limit, and no wait.
            deadline: the monotonic second at which the caller's time is spent.

        Returns:
            When the call went, for `saw`; `None` without a limit.

        Raises:
            TimedOut: the turn would come after the deadline.
        """
        if rpm is None:
            return None
        now = self._clock()
        wait = self._turn_behind(self._waiting, rpm) - now
        if now + wait > deadline:
            raise TimedOut(
                f"The call's turn under {self._limit_in_words(rpm)} would come in {math.ceil(wait)} s, and its total "
                f"time limit ends in {max(0.0, deadline - now):.0f} s. Raise `timeout` or `rpm` for the provider."
            )
        tells = wait > MIN_TOLD_SECONDS and not self._told
        if tells:
            self._tell(f"waiting {math.ceil(wait)} s for {self._limit_in_words(rpm)}")
        self._waiting += 1
        self._told |= tells
        try:
            async with self._queue:
                while (wait := self._turn_behind(0, rpm) - self._clock()) > 0:
                    await self._sleep(wait)
                return self._go()
        finally:
            self._waiting -= 1
            self._told &= not tells

    def saw(self, error: StackSpotError, turn: float | None) -> None:
        """Learn from how the service refused a call.

        Args:
            error: the refusal.
            turn: when the call went, as `turn` returned it.
        """
        if turn is None or not isinstance(error, RateLimited):
            return
        now = self._clock()
        if error.retry_after is not None:
            self._not_before = max(self._not_before, now + min(error.retry_after, WINDOW))
        elif self._lowered is None or turn > self._lowered[0]:
            self._lowered = (now, max(1, _still_counting(self._ends, now) // 2))

    def _go(self) -> float:
        now = self._clock()
        del self._ends[: bisect.bisect_right(self._ends, now)]
        self._ends.append(now + WINDOW)
        return now

    def _limit_at(self, moment: float, rpm: int) -> int:
        if self._lowered is None:
            return rpm
        since, limit = self._lowered
        return min(rpm, int(limit + rpm * RECOVERY * (moment - since) / 60 + _ROUNDING))

    def _turn_behind(self, others: int, rpm: int) -> float:
        """Return the moment at which a call may go when so many others go before it."""
        ends, moment = list(self._ends), max(self._clock(), self._not_before)
        for _ in range(others):
            moment = self._next_turn(moment, ends, rpm)
            ends.append(moment + WINDOW)
        return self._next_turn(moment, ends, rpm)

    def _next_turn(self, moment: float, ends: list[float], rpm: int) -> float:
        while _still_counting(ends, moment) >= (limit := self._limit_at(moment, rpm)):
            moment = min(ends[-limit], self._rises_at(limit, rpm))
        return moment

    def _rises_at(self, limit: int, rpm: int) -> float:
        """Return when a lowered limit exceeds `limit`."""
        if self._lowered is None or limit >= rpm:
            return math.inf
        since, lowest = self._lowered
        return since + (limit + 1 - lowest) * 60 / (rpm * RECOVERY)

    def _limit_in_words(self, rpm: int) -> str:
        limit = self._limit_at(self._clock(), rpm)
        requests = f"{rpm} request{'' if rpm == 1 else 's'} a minute for this credential"
        return f"the rate limit ({f'{limit} of {requests}, since it was answered 429' if limit < rpm else requests})"


def _still_counting(ends: list[float], moment: float) -> int:
    """Return how many calls, in order of when they stop to count, still count at a moment."""
    return len(ends) - bisect.bisect_right(ends, moment)
