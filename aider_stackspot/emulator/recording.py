"""What the emulator remembers of every request, and the line it logs for it: never a token, a key or a prompt."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final, Literal
from urllib.parse import parse_qs, unquote

Kind = Literal[
    "token",
    "agent",
    "chat",
    "quick-command",
    "quick-command-callback",
    "agents",
    "agent-record",
    "upload-form",
    "upload",
    "other",
]
_UNPRINTABLE: Final = re.compile(r"[^!-~]")


class Headers(Mapping[str, str]):
    """Header fields whose names compare without case; repeated fields are joined by a comma."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._values: dict[str, tuple[str, str]] = {}
        for name, value in pairs:
            known = self._values.get(name.lower())
            self._values[name.lower()] = (name, f"{known[1]}, {value}" if known else value)

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()][1]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._values.values())

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Headers({', '.join(self)})"


@dataclass(eq=False)
class RecordedRequest:
    """One request and what became of it.

    Attributes:
        kind: Which endpoint it went to.
        method: The HTTP method.
        path: The path as sent, percent-encoded, without the query.
        query: The query's parameters, decoded; the last one of a name wins.
        headers: The header fields, found without regard to case.
        body: The body's bytes.
        connection: The number of the TCP connection it came on, from 1.
        at: When it had arrived, in seconds of ``time.monotonic()``.
        status: The HTTP status answered; 0 as long as there is none.
        closed_early: Whether the client went away before the answer was complete.
        finished: Set once the emulator has nothing more to do for it.
        sent: Bytes of body handed to the socket so far, before compression and chunk marks.
        seconds: How long the exchange took, once it is finished.
        fault: Name of the fault it met; empty for none.
    """

    kind: Kind
    method: str
    path: str
    query: dict[str, str]
    headers: Headers
    body: bytes = field(repr=False)
    connection: int
    at: float
    status: int = 0
    closed_early: bool = False
    finished: threading.Event = field(default_factory=threading.Event, repr=False)
    sent: int = 0
    seconds: float = 0.0
    fault: str = ""

    @cached_property
    def json(self) -> Any:
        """The body read as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def form(self) -> dict[str, str]:
        """The body read as a URL-encoded form; the last value of a name wins."""
        text = self.body.decode("utf-8", "replace")
        return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}

    @property
    def prompt(self) -> str:
        """The text given to the model: ``user_prompt``, or a quick command's ``input_data``."""
        body = self.json
        if not isinstance(body, dict):
            return ""
        prompt = body.get("input_data" if self.kind == "quick-command" else "user_prompt", "")
        return prompt if isinstance(prompt, str) else json.dumps(prompt, ensure_ascii=False)

    @property
    def segments(self) -> list[str]:
        """The path's segments, decoded one by one."""
        return [unquote(segment) for segment in self.path.strip("/").split("/")]


def kind_of(path: str) -> Kind:
    """Which endpoint a path belongs to."""
    parts = path.strip("/").split("/")
    if parts[1:] == ["oidc", "oauth", "token"]:
        return "token"
    if len(parts) == 4 and parts[:2] == ["v1", "agent"] and parts[3] == "chat":
        return "agent"
    if parts == ["v3", "chat"]:
        return "chat"
    if len(parts) == 4 and parts[:2] == ["v1", "quick-commands"]:
        commands: dict[str, Kind] = {
            "create-execution": "quick-command",
            "callback": "quick-command-callback",
        }
        return commands.get(parts[2], "other")
    if parts in (["v1", "agents"], ["v3", "agents"], ["v4", "agents"]):
        return "agents"
    if len(parts) == 3 and parts[:2] == ["v1", "agents"]:
        return "agent-record"
    if parts == ["v2", "file-upload", "form"]:
        return "upload-form"
    if len(parts) == 2 and parts[0] == "storage":
        return "upload"
    return "other"


def text_line(request: RecordedRequest) -> str:
    """The line for people: time, request, status, bytes of body, seconds, and what was unusual."""
    status = request.status or "---"
    parts = [f"{_now()} {request.method} {_path(request)} {status} {request.sent} B {request.seconds:.3f} s"]
    parts += [f"fault {request.fault}"] if request.fault else []
    parts += ["client left"] if request.closed_early else []
    return ", ".join(parts)


def json_line(request: RecordedRequest) -> str:
    """The line for programs: one JSON object with the same facts and the number of the connection."""
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
