"""One line for each request the emulator has answered: never a token, a key or a prompt."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Final

from aider_stackspot.emulator.recording import RecordedRequest

_UNPRINTABLE: Final = re.compile(r"[^!-~]")


def text_line(request: RecordedRequest) -> str:
    """For people: time, request, status, bytes of body, seconds, and what was odd about it."""
    status = request.status or "---"
    parts = [f"{_now()} {request.method} {_path(request)} {status} {request.sent} B {request.seconds:.3f} s"]
    parts += [f"fault {request.fault}"] if request.fault else []
    parts += ["client left"] if request.closed_early else []
    return ", ".join(parts)


def json_line(request: RecordedRequest) -> str:
    """For programs: one JSON object with the same facts and the number of the connection."""
    facts = {
        "time": _now(),
        "kind": request.kind,
        "method": request.method,
        "path": _path(request),
        "status": request.status,
        "bytes": request.sent,
        "seconds": round(request.seconds, 6),
        "connection": request.connection,
        "fault": request.fault,
        "closed_early": request.closed_early,
    }
    return json.dumps(facts)


def _path(request: RecordedRequest) -> str:
    """The path without its query, and without anything a terminal would act on."""
    return _UNPRINTABLE.sub("?", request.path)


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="milliseconds")
