"""Error answers of servers, HTTP responses and events inside a stream, to typed errors.

Nothing here is of one vendor: whose answer it was, and what its user can do, is in a `Service`. The shapes are those of
StackSpot (docs/wire.md, "Errors") and of OpenAI-compatible servers (docs/servers.md, "Errors").
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aider_stackspot.api.answer import clean
from aider_stackspot.api.context_errors import Overflow, error_objects, overflow_of
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

_MAX_DETAIL = 500
"""Characters of the service's own words that an error repeats."""
_MAX_DEPTH = 4
"""Levels of an error document that are looked into."""


@dataclass(frozen=True)
class Service:
    """Whose answer it is, in the words of an error message.

    Attributes:
        name: the subject of a sentence: "StackSpot", "the server `lab`".
        advice: by HTTP status, one sentence for the user about what to do.
    """

    name: str
    advice: Mapping[int, str] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        """The name as a sentence begins with it."""
        return self.name[:1].upper() + self.name[1:]


def from_response(
    status: int, body: str, *, service: Service, where: str = "", retry_after: float | None = None
) -> StackSpotError:
    """Return the error for an HTTP response that is no answer.

    Args:
        status: the HTTP status.
        body: the decoded body, or as much of it as was read.
        service: who answered.
        where: what was called, for the message ("agent `01ABC` at https://…").
        retry_after: seconds that the `Retry-After` header asks for, if it was sent.
    """
    about = f" for {where}" if where else ""
    if status < 300:
        return MalformedAnswer(
            f"{service.subject} answered with status {status}{about}, and sent nothing that could be read. This is "
            "most likely a proxy in between: check HTTPS_PROXY, and the base URL."
        )
    code, details = code_and_details(body)
    said = f" ({code})" if code else ""
    details = details or _MEANINGS.get(status, "the answer says nothing more")
    message = _sentence(f"{service.subject} answered {status}{said}{about}: {details}")
    overflow = overflow_of(body, status)
    if overflow is None:
        message = f"{message} {_REDIRECTED if status < 400 else service.advice.get(status, '')}".rstrip()
    return _of_status(status, message, code, overflow, retry_after)


def from_frame(frame: Mapping[str, Any], *, service: Service, event: str = "") -> StackSpotError | None:
    """Return the error that an event inside a stream reports, or `None` if it is an ordinary event.

    Its class is that of the HTTP status which the event tells, or which its code and words mean. Where they mean
    nothing that is known it is `ServerFailed`, with the status 200 of the stream.

    Args:
        frame: the event's JSON object.
        service: who answered.
        event: the event's name.
    """
    if not (names_an_error(event) or _reports_failure(frame)):
        return None
    return report(frame, f"{service.subject} reported an error inside the stream")


def from_text(text: str, *, service: Service) -> StackSpotError:
    """Return the error for the data of an event that is named an error, which may be JSON or plain words."""
    return report(_decoded(text), f"{service.subject} reported an error inside the stream")


def from_document(document: Mapping[str, Any], *, service: Service) -> StackSpotError | None:
    """Return the error that a whole JSON answer with a good status reports, or `None` if it is an ordinary one."""
    if not _reports_failure(document):
        return None
    return report(document, f"{service.subject} reported an error in an answer with a good status")


def report(document: object, said: str, hint: str = "") -> StatusError:
    """Return the error for what a service reports in an answer that has a good HTTP status.

    Args:
        document: the report: a JSON document, or plain text.
        said: the beginning of the message, to which the code and the service's words are added.
        hint: a sentence for its end.
    """
    code, details = _read(document)
    message = f"{said}{f' ({code})' if code else ''}: {details or 'the service does not say why'}"
    if hint:
        message = f"{_sentence(message)} {hint}"
    status = _told_status(document)
    overflow = overflow_of(document, status)
    if status is None and overflow is None:
        status = _meant_status(document, details)
    return _of_status(status or 200, message, code, overflow)


def web_page(host: str, instead_of: str = "an answer") -> MalformedAnswer:
    """Return the error for a web page with a good status.

    Args:
        host: who answered, as the sentence begins.
        instead_of: what was expected.
    """
    return MalformedAnswer(
        f"{host} answered with a web page instead of {instead_of}. This is most likely the login page of a proxy in "
        "between: check HTTPS_PROXY, and that the host may be reached."
    )


def names_an_error(name: object) -> bool:
    """Tell whether an event's name or type is "error", "InternalServerError", "invalid_request_error" or the like."""
    return isinstance(name, str) and name[-9:].casefold().endswith(("error", "exception"))


def is_html(body: str) -> bool:
    """Tell whether a body is a web page, as proxies and login portals send."""
    return body.lstrip("\ufeff \t\r\n")[:200].lower().startswith(("<!doctype html", "<html", "<head", "<body"))


def code_and_details(body: str) -> tuple[str | None, str]:
    """Return an error body's code and its human text, each where the service says one."""
    return _read(_decoded(body))


_REDIRECTED = "Redirects are not followed, so that no key or token reaches another host. Check the base URL."
_MEANINGS = {402: "the account's quota or credit is used up", 413: "the request is too large"}
_CLASSES: dict[int, type[StatusError]] = {
    401: AuthenticationFailed,
    403: AuthenticationFailed,
    404: NotFound,
    408: RequestTimedOut,
    429: RateLimited,
    # The statuses of 500 and above that no repetition mends.
    501: RequestRefused,
    505: RequestRefused,
    510: RequestRefused,
    511: RequestRefused,
}
"""Other statuses of 300 to 499 are `RequestRefused`, 409 and 425 too: nothing says that a repetition would help."""


def _of_status(
    status: int, message: str, code: str | None, overflow: Overflow | None, retry_after: float | None = None
) -> StatusError:
    if overflow is not None:
        return ContextTooLong(message, status=status, code=code, limit=overflow.limit, requested=overflow.requested)
    kind = _CLASSES.get(status) or (RequestRefused if 300 <= status < 500 else ServerFailed)
    return kind(message, status=status, code=code, retry_after=retry_after)


_TELLING = frozenset(
    {"code", "detail", "details", "error", "error_code", "event", "object", "status", "status_code", "statusCode"}
    | {"success", "type"}
)
_STATUS_KEYS = ("code", "status", "status_code", "statusCode", "error_code")
_TEXT_KEYS = frozenset({"message", "content", "text", "answer", "response"})


def _reports_failure(frame: Mapping[str, Any]) -> bool:
    """Tell whether an event reports a failure, and not a part of an answer, a progress or a count."""
    if _TELLING.isdisjoint(frame):
        return False
    if any(names_an_error(frame.get(key)) for key in ("object", "type", "event")) or _says_something(
        frame.get("error")
    ):
        return True
    if frame.get("choices"):
        return False
    if _says_something(frame.get("detail")) or _is_failing(frame.get("error_code")) or frame.get("success") is False:
        return True
    if _names_a_failure(frame.get("status")) or any(_http_status(frame.get(key)) for key in _STATUS_KEYS):
        return True
    if _is_failing(frame.get("code")) and not frame.keys().isdisjoint(("message", "msg", "error_msg")):
        return True
    told = (_is_failing(frame.get("code")), _says_something(frame.get("details")), bool(frame.get("type")))
    return sum(told) > 1 and _TEXT_KEYS.isdisjoint(frame)


def _names_a_failure(status: object) -> bool:
    return isinstance(status, str) and status.casefold() in ("error", "failed", "failure")


def _says_something(value: object, depth: int = 0) -> bool:
    """Tell whether a field holds something: `{"message": null, "code": 0}` does not, nor does "null"."""
    if isinstance(value, Mapping) and depth < _MAX_DEPTH:
        return any(_says_something(inner, depth + 1) for inner in value.values())
    return bool(value) and value not in ("null", "None")


def _is_failing(code: object) -> bool:
    """Tell whether a code is one of a failure: any but nothing, zero, HTTP's good statuses and the word for them."""
    if isinstance(code, str):
        return code.strip().casefold() not in ("", "null", "none", "ok", "success", "0") and not _success(code)
    return isinstance(code, (int, float)) and not isinstance(code, bool) and bool(code) and not _success(code)


def _success(code: str | float) -> bool:
    return bool(re.fullmatch(r"\s*2\d\d(?:\.0)?\s*", str(code)))


def _http_status(value: object) -> int | None:
    """Return a field's value where it is an HTTP status of an error, as a number or in digits."""
    if isinstance(value, str) and re.fullmatch(r"[45][0-9][0-9]", value):
        value = int(value)
    return value if isinstance(value, int) and 400 <= value <= 599 else None


def _told_status(document: object) -> int | None:
    """Return the HTTP status that a report tells."""
    found = (_http_status(item.get(key)) for item in error_objects(document) for key in _STATUS_KEYS)
    return next(filter(None, found), None)


_OF_CODES_AND_WORDS = (
    (402, r"insufficient[ _-]?(?:quota|credits?|funds|balance)|payment[ _-]?required|exceeded your (?:current )?quota"),
    (
        429,
        r"rate[ _-]?limit|too[ _-]?many[ _-]?requests|resource[ _-]?exhausted|quota (?:is )?(?:exceeded|exhausted)"
        r"|(?:requests|tokens) per (?:second|sec|minute|min|hour|day)\b",
    ),
    (
        401,
        r"authentication[ _-]?(?:error|failed|required)|unauthori[sz]ed|unauthenticated|access[ _-]denied"
        r"|permission[ _-]?(?:error|denied)|token (?:is |has |was )?expired"
        r"|(?:invalid|incorrect|expired|missing)[ _-](?:api[ _-]?key|access[ _-]?token)",
    ),
    (503, r"overloaded|(?:service|temporarily)[ _-]?unavailable|at capacity|try again (?:later|in )"),
)
_OF_CODES = (
    *_OF_CODES_AND_WORDS,
    (404, r"not[ _-]?found"),
    (400, r"bad[ _-]?request|invalid[ _-]?(?:argument|parameter|prompt|request|value)|validation"),
    (503, r"(?m)^unavailable$"),
)
"""The HTTP status that is meant by a code or by words; words are looked at for fewer, as they may quote anything."""


def _meant_status(document: object, details: str) -> int | None:
    """Return the HTTP status that a report means, by its codes first, then by its words."""
    codes = "\n".join(_codes(document))
    for text, meanings in ((codes, _OF_CODES), (details, _OF_CODES_AND_WORDS)):
        for status, pattern in meanings:
            if re.search(pattern, text, re.IGNORECASE):
                return status
    return None


def _codes(document: object) -> Iterator[str]:
    for item in error_objects(document):
        for key in ("code", "type", "error_type", "status", "error_code"):
            code = item.get(key)
            if isinstance(code, str):
                yield code[:_MAX_DETAIL]


def _read(document: object, depth: int = 0) -> tuple[str | None, str]:
    """Return an error document's code and human text, wherever a service puts them."""
    if isinstance(document, str):
        page = "the answer is a web page, most likely from a proxy or firewall in between."
        return None, page if is_html(document) else _short(document)
    if isinstance(document, list):
        return None, _short("; ".join(filter(None, (_inner(item, depth)[1] for item in document[:4]))))
    if not isinstance(document, Mapping):
        return None, ""
    code = _code(document)
    for key in (
        "details",
        "message",
        "error_description",
        "error",
        "detail",
        "msg",
        "error_msg",
        "error_message",
        "title",
        "text",
    ):
        said = document.get(key)
        if isinstance(said, (Mapping, list)) and said:
            inner, details = _inner(said, depth)
            code, said = code or inner, details or _as_json(said)
        if said and not isinstance(said, bool):
            return code, _short(_with_cause(document, str(said)))
    return code, ""


_TEXT_FIELDS = (
    *("details", "message", "error_description", "error", "detail", "msg", "error_msg", "error_message"),
    *("title", "text"),
)
"""Where the human text of an error stands, the more telling place first."""


def _inner(value: object, depth: int) -> tuple[str | None, str]:
    return _read(value, depth + 1) if depth < _MAX_DEPTH else (None, "")


def _with_cause(document: Mapping[str, Any], said: str) -> str:
    """Add the words of the server behind a router such as OpenRouter, which reports only that there was an error."""
    metadata = document.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, Mapping) else None
    return f"{said}: {_read(_decoded(raw))[1]}" if isinstance(raw, str) and raw else said


def _code(document: Mapping[str, Any]) -> str | None:
    """Return the code that says most: a name where there is one, and no repetition of the HTTP status."""
    for key in ("code", "type", "error_code"):
        code = document.get(key)
        if code and not isinstance(code, (bool, Mapping, list)) and not _http_status(code) and code != "error":
            return _short(str(code))[:100]
    return None


def _decoded(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _as_json(value: object) -> str:
    try:
        return json.dumps(value)
    except (ValueError, RecursionError):
        return ""


def _short(text: str) -> str:
    """Return the beginning of a text in one line, without what could steer a terminal or cannot be printed."""
    beginning = clean(text[: 4 * _MAX_DETAIL])
    text = " ".join("".join(character if character.isprintable() else " " for character in beginning).split())
    return text if len(text) <= _MAX_DETAIL else text[:_MAX_DETAIL] + "…"
