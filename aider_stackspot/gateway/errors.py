"""What a client is told when something is wrong, in the words of the protocol that it speaks.

OpenAI's and Anthropic's SDKs look at the status (which they repeat), at `Retry-After`, and at a `type` or `code`;
programs look for a prompt that was too long in `context_length_exceeded`, or in Anthropic's own sentence about it.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from enum import Enum
from typing import Any

from aider_stackspot import errors
from aider_stackspot.pipeline.audience import for_gateway_user

log = logging.getLogger("aider_stackspot.gateway")

RETRY_AFTER = 10.0
"""Seconds to wait after a 429 for which nobody has named a time."""
OVERFLOW = "context_length_exceeded"


class Protocol(Enum):
    """In whose words an error is told."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"


class GatewayError(Exception):
    """An answer that is an error.

    Args:
        status: the HTTP status.
        message: for the client; it holds nothing of the gateway's own.
        code: OpenAI's code for the error.
        param: the field of the request that it is about.
        retry_after: seconds to wait before the next try.
        headers: further response headers.
        tokens: of a prompt that is too long: how many it has, and how many fit.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
        tokens: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.retry_after = retry_after
        self.tokens = tokens
        self._headers = dict(headers or {})

    @property
    def headers(self) -> dict[str, str]:
        """The response headers that belong to it."""
        waits = {} if self.retry_after is None else {"Retry-After": str(max(1, math.ceil(self.retry_after)))}
        return {**self._headers, **waits}

    def body(self, protocol: Protocol) -> dict[str, Any]:
        """Return the document that a client of the protocol expects."""
        if protocol is Protocol.ANTHROPIC:
            kind = _ANTHROPIC_TYPES.get(self.status, "api_error" if self.status >= 500 else "invalid_request_error")
            return {"type": "error", "error": {"type": kind, "message": self._in_anthropics_words()}}
        kind = _OPENAI_TYPES.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}

    def _in_anthropics_words(self) -> str:
        if self.tokens is None:
            return self.message
        return f"prompt is too long: {self.tokens[0]} tokens > {self.tokens[1]} maximum"


_ANTHROPIC_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
}
_OPENAI_TYPES = {429: "rate_limit_error"}


def invalid(message: str, param: str | None = None, code: str | None = None) -> GatewayError:
    """Return the error for a request that cannot be honoured as it is."""
    return GatewayError(400, message, param=param, code=code)


def told_to_client(
    error: errors.StackSpotError, service: str, *, hidden: str = "", sizes: tuple[int, int | None] = (0, None)
) -> GatewayError:
    """Return what a client is told of an error of the pipeline's.

    Args:
        error: the error.
        service: who was asked, in words.
        hidden: what in the error's text is for the gateway's log alone: who asked.
        sizes: how many tokens the prompt has and how many fit, as far as the gateway knows, for where an error about
            that names none.
    """
    log.info("%s: %s", type(error).__name__, error)
    told = for_gateway_user(error, service)
    message = str(told).replace(f" ({hidden})", "") if hidden else str(told)
    if isinstance(told, errors.ContextTooLong):
        return GatewayError(400, message, code=OVERFLOW, param="messages", tokens=_tokens(told, sizes))
    if isinstance(told, errors.RateLimited):
        wait = RETRY_AFTER if told.retry_after is None else told.retry_after
        return GatewayError(429, message, code="rate_limit_exceeded", retry_after=wait)
    status = _status(told)
    retry_after = told.retry_after if isinstance(told, errors.StatusError) else None
    return GatewayError(status, message, code=_CODES.get(status), retry_after=retry_after)


def _tokens(error: errors.ContextTooLong, sizes: tuple[int, int | None]) -> tuple[int, int] | None:
    limit = error.limit or sizes[1]
    return (error.requested or max(sizes[0], limit + 1), limit) if limit else None


def _status(error: errors.StackSpotError) -> int:
    """Return the status that makes an SDK do what is right: 5xx is repeated, 4xx is not."""
    for kind, status in _STATUSES:
        if isinstance(error, kind):
            return status
    if isinstance(error, errors.ServerFailed) and error.status in (500, 502, 503, 504):
        return error.status
    if isinstance(error, errors.RequestRefused) and error.status in (402, 413, 415, 422):
        return error.status
    return 400 if isinstance(error, errors.RequestRefused) else 502


_STATUSES: tuple[tuple[type[errors.StackSpotError], int], ...] = (
    (errors.InvalidRequest, 400),
    (errors.NotFound, 404),
    (errors.RequestTimedOut, 504),
    (errors.TimedOut, 504),
)
_CODES = {404: "not_found"}
