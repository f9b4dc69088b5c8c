"""The bodies StackSpot's endpoints answer with, by status (docs/wire.md, "Errors" and "Agents API: whole answer")."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

JSON: Final = "application/json"
HTML: Final = "text/html; charset=utf-8"

LOGIN_PAGE: Final = (
    "<!DOCTYPE html><html><head><title>Sign in</title></head>"
    '<body><form action="/login" method="post">Please sign in to use the network.</form></body></html>'
)
_BAD_GATEWAY: Final = (
    "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"
)
TOO_LONG_CODE: Final = "INFERENCE_6001_LLM_MODEL_BAD_REQUEST"


@dataclass(frozen=True)
class Reply:
    """A whole HTTP answer: status, body, content type and further headers."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def reply(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """An answer whose body is ``value`` as JSON."""
    return Reply(status, json.dumps(value).encode(), headers=headers or {})


def api_error(status: int, type_: str, code: str, details: str) -> Reply:
    """The API's own error shape: ``{"type", "code", "details"}``."""
    return reply(status, {"type": type_, "code": code, "details": details})


def oauth_error(status: int, error: str, description: str | None = None) -> Reply:
    """The token endpoint's error shape, Keycloak's."""
    body = {"error": error}
    if description:
        body["error_description"] = description
    return reply(status, body)


def too_long(limit: int = 272_000, tokens: int = 300_123) -> Reply:
    """400 for a prompt that is too long; clients read the two numbers from this sentence.

    Args:
        limit: The model's input limit in tokens.
        tokens: What the prompt is said to have made, in tokens.
    """
    details = f"Input tokens exceed the configured limit of {limit} tokens."
    details += f" Your messages resulted in {tokens} tokens."
    return api_error(400, "BadRequestError", TOO_LONG_CODE, details)


def refused(details: str = "The model refused this request.") -> Reply:
    """400 with the code of :func:`too_long` and another reason: not a matter of the context window."""
    return api_error(400, "BadRequestError", TOO_LONG_CODE, details)


def default_error(status: int, kind: str) -> Reply:
    """What a request of ``kind`` is answered with for ``status`` when nothing else is scripted."""
    if status == 502:
        return Reply(502, _BAD_GATEWAY.encode(), HTML)
    if status == 503:
        return Reply(503)
    if kind == "token":
        return _token_error(status)
    if status == 404:
        return reply(404, {})
    if status == 400:
        return refused()
    family = "CODEBUDDY" if kind.startswith("quick-command") else "INFERENCE"
    type_, code, details = _API_ERRORS.get(status, ("InternalServerError", "0001", "Something went wrong."))
    if status == 429 and family == "CODEBUDDY":
        code = "1044_QUICK_COMMAND_RATE_LIMIT_EXCEEDED"
    return api_error(status, type_, f"{family}_{code}", details)


_API_ERRORS: Final[dict[int, tuple[str, str, str]]] = {
    401: ("Unauthorized", "0000", "token expired"),
    402: ("PaymentRequired", "0002", "The account has no credit left."),
    403: ("Forbidden", "0000", "The credential has no permission for this agent."),
    408: ("RequestTimeout", "0003", "The request took too long."),
    413: ("PayloadTooLarge", "0004", "The request is too large."),
    422: ("UnprocessableEntity", "0005", "The request has a field that this endpoint does not know."),
    429: ("TooManyRequests", "3008_CHAT_RATE_LIMIT_EXCEEDED", "Request quota exhausted for this credential."),
    504: ("GatewayTimeout", "0006", "The model did not answer in time."),
}


def _token_error(status: int) -> Reply:
    if status == 404:
        return oauth_error(404, "Realm does not exist")
    if status == 401:
        return oauth_error(401, "invalid_client", "Invalid client or Invalid client credentials")
    if status == 400:
        return oauth_error(400, "unsupported_grant_type", "Unsupported grant_type")
    if status == 403:
        return oauth_error(403, "access_denied", "The client may not use this realm")
    return oauth_error(status, "unknown_error")
