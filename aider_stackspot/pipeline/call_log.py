"""What `AIDER_STACKSPOT_DEBUG=1` logs: one record for each call, through the standard logging module.

Hosts, statuses, times and counts; never text, headers, ids of yours or secrets. `AIDER_STACKSPOT_LOG=json` writes one
JSON object a line to standard error, for services; a path, or `1`, has everything go to a file (`log_file`) instead.
It switches the log on as well. Both variables are read when a server is asked for the first time.

Times are in milliseconds: `connect_ms` (name and TCP together), `tls_ms`, `token_ms` (a token was asked for),
`first_byte_ms` (the answer's status line), `first_text_ms` and `total_ms`, the last three from the beginning of the
call. A reused connection has neither of the first two.
"""

from __future__ import annotations

import contextvars
import json
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aider_stackspot import config
from aider_stackspot.api.answer import Usage
from aider_stackspot.errors import ConfigurationError
from aider_stackspot.pipeline.log_file import LogFile, tell

if TYPE_CHECKING:  # a list of models from the cache is read without HTTP
    import httpx

log = logging.getLogger("aider_stackspot.calls")

_REQUEST_IDS = ("x-request-id", "x-correlation-id", "x-amzn-trace-id", "x-b3-traceid", "cf-ray")
_STAGES = {"connect_tcp": "connect_ms", "start_tls": "tls_ms"}
_MAX_ID = 80


class Record:
    """What is known about one call so far."""

    def __init__(self, model: str, api: str) -> None:
        self.began = time.monotonic()
        self.fields: dict[str, Any] = {"model": model, "api": api, "requests": 0, "retries": 0}
        self._stage_began: dict[str, float] = {}

    def since_began(self) -> float:
        """Return the milliseconds since the call began."""
        return round((time.monotonic() - self.began) * 1000, 1)

    def ended(self, outcome: str, usage: Usage | None, first_text_at: float | None) -> None:
        """Take note of how the call ended; `first_text_at` is a monotonic second."""
        self.fields["outcome"] = outcome
        if first_text_at is not None:
            self.fields["first_text_ms"] = round((first_text_at - self.began) * 1000, 1)
        if usage is not None:
            self.fields |= {"prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.completion_tokens}

    async def trace(self, event: str, _info: Any) -> None:
        """Take note of a stage of a connection; see httpcore's trace extension."""
        stage, _, state = event.rpartition(".")
        name = _STAGES.get(stage.rpartition(".")[2])
        if name is None:
            return
        if state == "started":
            self._stage_began[name] = time.monotonic()
        elif name in self._stage_began:
            self.fields[name] = round((time.monotonic() - self._stage_began.pop(name)) * 1000, 1)


_current: contextvars.ContextVar[Record | None] = contextvars.ContextVar("aider_stackspot_call", default=None)


def is_on() -> bool:
    """Tell whether somebody wants to read about calls."""
    return log.isEnabledFor(logging.DEBUG)


@contextmanager
def call(model: str, api: str) -> Iterator[Record | None]:
    """Log what becomes of one call. Yields `None` where nobody reads it, which costs next to nothing."""
    set_up()
    if not is_on():
        yield None
        return
    record = Record(model, api)
    token = _current.set(record)
    try:
        yield record
    finally:
        _current.reset(token)
        record.fields["total_ms"] = record.since_began()
        log.debug("%s", _line(record.fields), extra={"call": record.fields})


def retried() -> None:
    """Count a retry of the call that this runs in."""
    record = _current.get()
    if record is not None:
        record.fields["retries"] += 1


async def on_request(request: httpx.Request) -> None:
    """Count a request and follow its connection; a hook of every client."""
    record = _current.get()
    if record is not None:
        record.fields["requests"] += 1
        request.extensions = {**request.extensions, "trace": record.trace}
        request.extensions["began"] = time.monotonic()


async def on_response(response: httpx.Response) -> None:
    """Take note of an answer's status and times; a hook of every client."""
    record = _current.get()
    if record is None:
        return
    if response.request.url.path.endswith("/oidc/oauth/token"):
        record.fields["token_status"] = response.status_code
        record.fields["token_ms"] = round((time.monotonic() - response.request.extensions["began"]) * 1000, 1)
        return
    record.fields |= {"host": response.request.url.host, "status": response.status_code}
    record.fields["first_byte_ms"] = record.since_began()
    found = next((response.headers[name] for name in _REQUEST_IDS if name in response.headers), None)
    if found is not None and found.isprintable():
        record.fields["request_id"] = found[:_MAX_ID]


Hook = Callable[..., Awaitable[None]]
HOOKS: dict[str, list[Hook]] = {"request": [on_request], "response": [on_response]}


class _Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        shown: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        fields = getattr(record, "call", None)
        shown |= {"event": "call", **fields} if isinstance(fields, dict) else {"message": record.getMessage()}
        return json.dumps(shown)


_set_up = False


def set_up() -> None:
    """Do what the variables say, once; where they say nothing, the program's own logging decides."""
    global _set_up
    if _set_up:
        return
    _set_up = True
    handler = _handler()
    if handler is None:
        return
    package = logging.getLogger("aider_stackspot")
    package.addHandler(handler)
    package.setLevel(logging.DEBUG)
    package.propagate = False


def _handler() -> logging.Handler | None:
    """Return who writes what is logged; `None` where the variables say nothing, or there is no place for a file."""
    target = config.log_target()
    if target is not None and target not in ("json", "1"):
        return LogFile(Path(target).absolute())
    if target == "1":
        try:
            return LogFile.in_usual_place()
        except ConfigurationError as error:
            tell(str(error))
            return None
    if target != "json" and not config.switch(config.DEBUG):
        return None
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if target == "json" else logging.Formatter("%(asctime)s %(name)s %(message)s"))
    return handler


def _line(fields: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in fields.items())
