"""A StackSpot in a process of its own, so that a test's memory and sockets are its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_PROGRAM = """
import json, sys
from aider_stackspot.emulator import Emulator, Style
given = json.loads(sys.argv[1])
with Emulator(keep=1, rate_limit=given["rate_limit"]) as emulator:
    emulator.style = Style(**given["style"])
    seen = {"token": 0, "chat": 0, "refused": 0}
    def count(request):
        seen["token" if request.kind == "token" else "chat"] += 1
        seen["refused"] += request.status != 200
    emulator._on_finished = count
    print(json.dumps(emulator.environment()), flush=True)
    for _ in sys.stdin:
        state = {"connections": emulator.connections, "open": emulator.open_connections}
        print(json.dumps({**seen, **state}), flush=True)
"""


class Remote:
    """The other process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.environment: dict[str, str] = self._line()

    def seen(self) -> dict[str, int]:
        """Return how many token and chat requests it had, how many it refused, and its connections."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        seen: dict[str, int] = self._line()
        return seen

    def _line(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


@contextmanager
def emulated(rate_limit: int | None = None, **style: object) -> Iterator[Remote]:
    """Run one; `style` is that of its streams."""
    given = json.dumps({"rate_limit": rate_limit, "style": style})
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, given], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Remote(process)
