"""The one thread that does all network I/O.

Every call, blocking or not and from whichever thread or event loop, runs as a task on one private event loop. So the
token, the connection pool and the rate limit exist once in a process, there is one copy of the code that uses them,
and a connection outlives the event loop of the caller.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextvars
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from aider_stackspot.errors import ConnectionFailed

T = TypeVar("T")

_ENDING = "No call can be made any more: the Python interpreter is ending."


class BackgroundLoop:
    """An event loop in a daemon thread."""

    def __init__(self) -> None:
        # Without the caller's context variables here as in `submit`: the loop's own handles keep theirs for ever.
        self.loop = contextvars.Context().run(asyncio.new_event_loop)
        self._closers: list[Callable[[], Awaitable[None]]] = []
        self._thread = threading.Thread(target=self._run, name="aider-stackspot", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Run a coroutine on the loop, from any thread. Cancelling the future cancels the coroutine."""
        # Work that kept its caller's context variables would keep the answer whose dropping ends it.
        return contextvars.Context().run(asyncio.run_coroutine_threadsafe, work, self.loop)

    def at_close(self, closer: Callable[[], Awaitable[None]]) -> None:
        """Await `closer` when the process ends."""
        self._closers.append(closer)

    def close(self) -> None:
        """End every task, close what is open, and join the thread. Takes a second at most.

        A call that comes after it, as from an `atexit` handler of a program's, gets a loop of its own.
        """
        global _loop_of_process
        if _loop_of_process is self:
            _loop_of_process = None
        if not self.loop.is_running():
            return
        ended = self.submit(self._end())
        concurrent.futures.wait([ended], timeout=1)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout=1)

    async def _end(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for closer in self._closers:
            await closer()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()


_lock = threading.Lock()
_loop_of_process: BackgroundLoop | None = None
_of_parent_processes: list[BackgroundLoop | None] = []


def background_loop() -> BackgroundLoop:
    """Return the process's background loop; start it at the first call.

    Raises:
        ConnectionFailed: the interpreter is ending, and no thread runs any more.
    """
    global _loop_of_process
    if sys.is_finalizing():
        raise ConnectionFailed(_ENDING)
    with _lock:
        if _loop_of_process is None:
            try:
                _loop_of_process = BackgroundLoop()
            except RuntimeError as error:  # newer Pythons start no threads then
                raise ConnectionFailed(_ENDING) from error
            atexit.register(_loop_of_process.close)
        return _loop_of_process


def _forget_in_child() -> None:
    """After a fork the thread is the parent's: start anew.

    The copy is kept, because closing its loop would reach into the epoll set that both processes share.
    """
    global _loop_of_process, _lock
    _lock = threading.Lock()
    if _loop_of_process is not None:
        atexit.unregister(_loop_of_process.close)
    _of_parent_processes.append(_loop_of_process)
    _loop_of_process = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
