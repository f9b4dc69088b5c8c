"""What this package's loggers say: one record for each call with `AIDER_STACKSPOT_DEBUG=1`, and the log file.

`AIDER_STACKSPOT_LOG` names a file where it all disturbs no screen.
"""

from __future__ import annotations

import contextvars
import copy
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
from aider_stackspot.errors import ConfigurationError, MissingCredentials
from aider_stackspot.files import append_rotated, private_directory

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


LOCATION = Path(".aider") / "aider-stackspot" / "log"
"""Below the home directory, where the variable is `1`."""
MAX_BYTES = 1024 * 1024
"""A longer file becomes `log.1`, in the place of the one before."""
_OUR_WORDS = (ConfigurationError, MissingCredentials, OSError)
"""Errors whose text is this package's, or the system's."""
_FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s %(message)s"


class LogFile(logging.Handler):
    """Writes each record as one line. The first failure is told on standard error, and ends the log.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter(_FORMAT))
        self._path = path
        self._prepare: Callable[[Path], object] = lambda path: None
        self._failed = False

    @classmethod
    def in_usual_place(cls) -> LogFile:
        """Return the one in the home directory.

        Raises:
            ConfigurationError: the user has no home directory.
        """
        home = config.home()
        if home is None:
            raise ConfigurationError("AIDER_STACKSPOT_LOG=1: there is no home directory for the log: name a file.")
        file = cls(home / LOCATION)
        file._prepare = private_directory
        return file

    def emit(self, record: logging.LogRecord) -> None:
        """Append the record as one line, whatever line ends are in it."""
        if self._failed:
            return
        try:
            line = self.format(_without_foreign_words(record)).replace("\r", "").replace("\n", " | ")
            self._prepare(self._path.parent)
            append_rotated(self._path, line, MAX_BYTES)
        except OSError as error:
            self._failed = True
            reason = error.strerror or type(error).__name__
            tell(f"AIDER_STACKSPOT_LOG: {self._path} cannot be written: {reason}. Nothing more is logged.")
        except Exception:
            self.handleError(record)


def _without_foreign_words(record: logging.LogRecord) -> logging.LogRecord:
    """Return a record in which an error is its class alone: what a server says of a prompt may quote it."""
    changed = copy.copy(record)
    if isinstance(record.args, tuple):
        changed.args = tuple(_shown(value) for value in record.args)
    if record.exc_info and record.exc_info[0] is not None:
        changed.msg, changed.exc_info, changed.exc_text = f"{record.msg} ({record.exc_info[0].__name__})", None, None
    return changed


def _shown(value: object) -> object:
    is_foreign = isinstance(value, Exception) and not isinstance(value, _OUR_WORDS)
    return type(value).__name__ if is_foreign else value


def tell(line: str) -> None:
    """Say on standard error why there is no log: it is where it would have gone without a file."""
    if sys.stderr is not None:
        print(f"aider-stackspot: {line}", file=sys.stderr, flush=True)
