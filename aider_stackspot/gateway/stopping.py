"""How the gateway stops: at once while it is still starting, else when its answers had some time to end."""

from __future__ import annotations

import multiprocessing
import signal
import socket
import sys
import threading
import time
from multiprocessing import resource_tracker

GRACE = 5
"""Seconds that answers in the middle of their stream have to end."""
_LAST_STEPS = 5
"""Seconds that a worker has for everything else."""


def stop_with_status_0() -> None:
    """Let every wish to stop unwind this process: uvicorn shuts down by itself and then raises the signal again."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    if hasattr(signal, "SIGHUP"):  # the terminal was closed
        from uvicorn.supervisors import multiprocess

        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
        # With several workers, uvicorn would start them anew instead, and go on behind the closed terminal.
        getattr(multiprocess, "SIGNALS", {}).pop(signal.SIGHUP, None)


def stop_workers_in_time(ready: threading.Event) -> None:
    """See to it that no worker outlives a wish to stop; call this in the main thread of their parent.

    uvicorn waits for each of them without a limit: a worker that is loading LiteLLM first finishes that.

    Args:
        ready: set once a worker answers; until then there is nothing to wait for.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_stop_workers, args=(reader, writer, ready), daemon=True).start()
    if hasattr(signal, "pthread_sigmask"):
        # A terminal sends Ctrl-C to the whole group. Workers inherit that it is not for them, or one that is just
        # starting would end with a traceback; here the thread above still takes it.
        resource_tracker.ensure_running()  # it would undo the following
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _stop_workers(reader: socket.socket, _writer: socket.socket, ready: threading.Event) -> None:
    while reader.recv(1)[0] not in (signal.SIGINT, signal.SIGTERM):
        pass
    if ready.is_set():
        time.sleep(GRACE + _LAST_STEPS)
    while True:  # the parent may be about to start another one
        for worker in multiprocessing.active_children():
            worker.kill()
        time.sleep(0.1)
