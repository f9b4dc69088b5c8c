"""Work of somebody else's code that may wait for ever, in a thread of its own, and never in two of them."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

from aider_stackspot.forks import Lock, in_child


class _Work:
    """One piece of work: since which monotonic second, and whether it has ended."""

    def __init__(self, work: Callable[[], None], name: str) -> None:
        self.began = time.monotonic()
        self.ended = threading.Event()
        self._work = work
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def _run(self) -> None:
        try:
            self._work()
        finally:
            self.ended.set()


class OneThread:
    """Does one thing after the other. What takes too long goes on, and nothing else begins before it has ended.

    Args:
        name: the thread's.
        waiting: is called once a caller has waited for `noticed_after` seconds and goes on waiting.
        noticed_after: seconds.
    """

    def __init__(self, name: str, waiting: Callable[[], None], noticed_after: float) -> None:
        self._name = name
        self._waiting = waiting
        self._noticed_after = noticed_after
        self._lock = Lock()
        self._current: _Work | None = None
        in_child(self._renew)

    def do(self, work: Callable[[], None], limit: float) -> bool:
        """Do something, after what is being done already.

        Args:
            work: does it; must not raise.
            limit: seconds for each piece of work since it began: whoever comes later has less left.

        Returns:
            Whether it was done. Where it was begun, it goes on.
        """
        while True:
            with self._lock:
                current = self._current
                is_mine = current is None or current.ended.is_set()
                if is_mine:
                    self._current = current = _Work(work, self._name)
            assert current is not None
            if not self._wait_for(current, limit):
                return False
            if is_mine:
                return True

    def _wait_for(self, current: _Work, limit: float) -> bool:
        left = current.began + limit - time.monotonic()
        if current.ended.wait(max(0.0, min(left, self._noticed_after))):
            return True
        if left <= self._noticed_after:
            return False
        self._waiting()
        return current.ended.wait(max(0.0, current.began + limit - time.monotonic()))

    def _renew(self) -> None:
        """Begin anew in a forked child, which has no threads of its parent's."""
        self._current = None


def blocks_event_loop() -> bool:
    """Tell whether an event loop of asyncio stands still as long as this thread waits."""
    asyncio = sys.modules.get("asyncio")  # no loop runs where nobody has loaded it
    return asyncio is not None and asyncio._get_running_loop() is not None
