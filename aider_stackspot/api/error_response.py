"""Error answers of StackSpot's hosts, HTTP and in-stream, to typed errors (docs/wire.md, "Errors")."""

from __future__ import annotations

import json
import re
from typing import Any

from aider_stackspot.api.answer import clean
from aider_stackspot.errors import (
    AuthenticationFailed,
    ContextTooLong,
    MalformedAnswer,
    NotFound,
    RateLimited,
    RequestRefused,
    RequestTimedOut,
    ServerFailed,
    StackSpotError,
    StatusError,
)

_TOO_LONG = re.compile(
    r"limit of \d+ tokens.*?resulted in \d+ tokens"
    r"|context[ _-]?(length|window|size)\b.{0,40}\b(exceed|too (long|large))"
    r"|exceed\w*.{0,40}\b(maximum )?context\b"
    r"|maximum context length"
    r"|context_length_exceeded"
    r"|(input|prompt) (tokens? )?(is |are )?(too long|exceed\w* .{0,40}\btokens?\b)",
    re.IGNORECASE | re.DOTALL,
)

_MAX_DETAIL = 500
"""Characters of the service's own words that an error repeats."""


def from_response(status: int, body: str, *, retry_after: float | None = None, where: str = "") -> StackSpotError:
    """Return the error for an HTTP answer other than 200.

    Args:
        status: the HTTP status.
        body: the decoded body, or as much of it as was read.
        retry_after: seconds that the `Retry-After` header asks for, if it was sent.
        where: what was called, for the message ("agent 01ABC at https://…").
    """
    if status < 300:
        return MalformedAnswer(
            f"The answer for {where or 'the call'} came with status {status} instead of 200. This is most likely a "
            "proxy in between: check HTTPS_PROXY, and the base URL."
        )
    code, details = code_and_details(body)
    said = f" ({code})" if code else ""
    details = details or _meaning(status)
    stop = "" if details.endswith((".", "!", "?", "…")) else "."
    message = f"StackSpot answered {status}{said} for {where or 'the call'}: {details}{stop}"
    if _TOO_LONG.search(details):
        return ContextTooLong(message, status=status, code=code)
    if status in (401, 403):
        hint = _FORBIDDEN if status == 403 else _UNAUTHORIZED
        return AuthenticationFailed(f"{message} {hint}", status=status, code=code)
    if status == 404:
        return NotFound(f"{message} Check the agent id and the base URL.", status=status, code=code)
    if status == 408:
        return RequestTimedOut(message, status=status, code=code)
    if status == 429:
        return RateLimited(f"{message} {_LIMITED}", status=status, code=code, retry_after=retry_after)
    if status >= 500:
        return ServerFailed(message, status=status, code=code)
    if status < 400:
        return RequestRefused(f"{message} {_REDIRECTED}", status=status, code=code)
    return RequestRefused(message, status=status, code=code)


_FORBIDDEN = (
    "The credentials are valid but may not do this: check that the agent id is right, that the agent is shared "
    "with this service credential, and the account's permissions."
)
_UNAUTHORIZED = "A freshly made token was refused too: check that the credential was not revoked or rotated."
_LIMITED = "The limit is shared by everyone who uses this credential; wait a minute, or set `rpm` for the provider."
_REDIRECTED = "Redirects are not followed, so that the token never reaches another host. Check the base URL."


def from_frame(frame: dict[str, Any], event: str = "") -> StatusError | None:
    """Return the error that an event inside a stream reports, or `None` if it is an ordinary event.

    The shape was never seen in public, so both likely ones are taken: `event: error`, and the object of an HTTP
    error without any text (docs/wire.md, "Agents API: stream").
    """
    is_error = event == "error" or frame.get("type") == "error" or frame.get("error")
    is_error = is_error or ("message" not in frame and len(frame.keys() & {"type", "code", "details"}) > 1)
    if not is_error:
        return None
    code, details = code_and_details(json.dumps(frame))
    said = f" ({code})" if code else ""
    message = f"StackSpot reported an error inside the stream{said}: {details or 'without saying which'}"
    if _TOO_LONG.search(details):
        return ContextTooLong(message, status=200, code=code)
    return ServerFailed(message, status=200, code=code)


def is_html(body: str) -> bool:
    """Tell whether a body is a web page, as proxies and login portals send."""
    return body.lstrip()[:200].lower().startswith(("<!doctype html", "<html", "<head", "<body"))


def _meaning(status: int) -> str:
    return {402: "the account's quota or credit is used up.", 413: "the request is too large."}.get(
        status, "the answer says nothing more."
    )


def code_and_details(body: str) -> tuple[str | None, str]:
    """Return an error body's code and its human text; the text is in `details`, elsewhere in other hosts' errors."""
    if is_html(body):
        return None, "the answer is a web page, most likely from a proxy or firewall in between."
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None, _short(body)
    if not isinstance(value, dict):
        return None, _short(value if isinstance(value, str) else "")
    code = value.get("code") or value.get("type")
    for key in ("details", "message", "error_description", "error", "detail"):
        said = value.get(key)
        if isinstance(said, dict):
            said = said.get("message") or json.dumps(said)
        if said:
            return _code(code), _short(said if isinstance(said, str) else json.dumps(said))
    return _code(code), ""


def _code(code: object) -> str | None:
    return _short(str(code))[:100] if code else None


def _short(text: str) -> str:
    """Return the beginning of a text in one line, without what could steer a terminal or cannot be printed."""
    beginning = clean(text[: 4 * _MAX_DETAIL])
    text = " ".join("".join(character if character.isprintable() else " " for character in beginning).split())
    return text if len(text) <= _MAX_DETAIL else text[:_MAX_DETAIL] + "…"
