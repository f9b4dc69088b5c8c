"""What the gateway's log says of a call that failed: what went wrong, without sixty lines of LiteLLM's own frames."""

from __future__ import annotations

import asyncio
import logging

LOGGERS = ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router", "uvicorn.error")


def leave_out_frames() -> None:
    """Shorten this process's log; each worker of the gateway runs this at its start, as LiteLLM's startup hook."""
    for name in LOGGERS:
        logging.getLogger(name).filters.insert(0, _without_frames)  # LiteLLM's own filter writes the frames out


def _without_frames(record: logging.LogRecord) -> bool:
    """Let every record pass but those of calls that were cancelled: the gateway stops, and said so in a line before.

    An error that has a status is an answer to a client; any other keeps its frames.
    """
    if logging.getLogger(record.name).isEnabledFor(logging.DEBUG):
        return True
    error = record.exc_info[1] if record.exc_info else None
    if hasattr(error, "status_code"):
        record.exc_info = None
    return not isinstance(error, asyncio.CancelledError)
