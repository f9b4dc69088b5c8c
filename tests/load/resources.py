"""What this process holds: descriptors, threads, tasks, memory."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from aider_stackspot.pipeline.background_loop import background_loop

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def sockets() -> int:
    """Return how many sockets are open in this process."""
    found = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            found += os.readlink(descriptor).startswith("socket:")
        except OSError:  # it was the listing's own
            continue
    return found


def threads() -> list[str]:
    """Return the names of this package's threads."""
    return [thread.name for thread in threading.enumerate() if thread.name == "aider-stackspot"]


def tasks() -> int:
    """Return how many tasks run on the background loop."""

    async def count() -> int:
        return len(asyncio.all_tasks()) - 1

    return background_loop().submit(count()).result(timeout=5)


def connection_is_ready() -> bool:
    """Wait until each connection can be used again, which is soon after its answer; tell whether it came to that."""
    return comes_true(lambda: tasks() == 0, 30.0)


def memory() -> float:
    """Return the resident memory in megabytes."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE / 1e6


def comes_true(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Wait until a condition holds; tell whether it came to that."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
