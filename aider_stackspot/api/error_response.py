"""Error answers of servers, HTTP responses and events inside a stream, to typed errors.

Nothing here is of one vendor: whose answer it was, and what its user can do, is in a `Service`. The shapes are those of
StackSpot (docs/wire.md, "Errors") and of OpenAI-compatible servers (docs/servers.md, "Errors").
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aider_stackspot.api.answer import MAX_WORDS, one_line
from aider_stackspot.api.context_errors import Overflow, error_objects, overflow_of, telling_fields
from aider_stackspot.api.failure_signs import (
    STATUS_KEYS,
    TELLING,
    http_status,
    names_an_error,
    objects_in,
    only_speaks,
    reports_failure,
    says_something,
)
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

_MAX_DEPTH = 4
"""Levels of an error document that are looked into."""

_MAX_MESSAGE = 235
"""Characters of a message: with the name of LiteLLM's class in front, three lines of 100 columns."""
_MIN_WORDS = 36
"""Characters of the service's own words that a message repeats, however long the rest is."""


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
    overflow = overflow_of(body, status)
    if overflow is not None:  # its words have the figures, which programs read
        message = _sentence(f"{service.subject} answered {status}{about}: {details}")
    else:
        advice = _REDIRECTED if status < 400 else service.advice.get(status, "")
        message = message_of(f"{service.subject} answered {status}{said}{about}", details, advice)
    return _of_status(status, message, details, code, overflow, retry_after)


def message_of(said: str, words: str = "", advice: str = "") -> str:
    """Return the text of an error, short enough for three lines on a screen: only the service's words are cut.

    Args:
        said: what happened, and to whom.
        words: the service's own.
        advice: a sentence about what to do.
    """
    room = max(_MAX_MESSAGE - len(said) - len(advice), _MIN_WORDS)
    # At a blank: half of a key or a token would not be known as a secret any more.
    words = words if len(words) <= room else textwrap.shorten(words, room, placeholder=" …")
    return f"{_sentence(f'{said}: {words}' if words else said)} {advice}".rstrip()


def from_frame(frame: Mapping[str, Any], *, service: Service, event: str = "") -> StackSpotError | None:
    """Return the error that an event inside a stream reports, or `None` if it is an ordinary event.

    Its class is that of the HTTP status which the event tells, or which its code and words mean. Where they mean
    nothing that is known it is `ServerFailed`, with the status 200 of the stream.

    Args:
        frame: the event's JSON object.
        service: who answered.
        event: the event's name.
    """
    if not (names_an_error(event) or reports_failure(frame)):
        return None
    return _report_as_it_is(frame, f"{service.subject} reported an error inside the stream")


def from_text(text: str, *, service: Service) -> StackSpotError:
    """Return the error for the data of an event that is named an error, which may be JSON or plain words."""
    return _report_as_it_is(_decoded(text), f"{service.subject} reported an error inside the stream")


def from_document(document: Mapping[str, Any], *, service: Service) -> StackSpotError | None:
    """Return the error that a whole JSON answer with a good status reports, or `None` if it is an ordinary one."""
    if not reports_failure(document):
        return None
    return _report_as_it_is(document, f"{service.subject} reported an error in an answer with a good status")


def from_no_answer(
    document: Mapping[str, Any], *, service: Service, where: str = "inside the stream"
) -> StackSpotError | None:
    """Return the error that an object reports which is no part of an answer, or `None` if it only tells a progress.

    What such an object says to a reader is a failure, unless it has a name of its own; so is one inside it.

    Args:
        document: an event, or a whole answer.
        service: who answered.
        where: where the object stood, for the message.
    """
    found = next((each for each in objects_in(document) if reports_failure(each) or only_speaks(each)), None)
    return None if found is None else _report_as_it_is(found, f"{service.subject} reported an error {where}")


def report(document: object, said: str, hint: str = "", otherwise: str = "the service does not say why") -> StatusError:
    """Return the error for what a service reports in an answer that has a good HTTP status.

    Args:
        document: the report: a JSON document, or plain text.
        said: the beginning of the message, to which the code and the service's words are added.
        hint: a sentence for its end.
        otherwise: what stands for the service's words where it says none.
    """
    code, details = _read(document)
    said = f"{said}{f' ({code})' if code else ''}"
    status = _told_status(document)
    overflow = overflow_of(document, status)
    words = details or otherwise
    message = message_of(said, words, hint) if overflow is None else _sentence(f"{said}: {words}")
    if status is None and overflow is None:
        status = _meant_status(document, details)
    return _of_status(status or 200, message, details, code, overflow)


def web_page(host: str, instead_of: str = "an answer") -> MalformedAnswer:
    """Return the error for a web page with a good status.

    Args:
        host: who answered, as the sentence begins.
        instead_of: what was expected.
    """
    return MalformedAnswer(
        f"{host} answered with a web page instead of {instead_of}. This is most likely the login page of a proxy in "
        "between: check HTTPS_PROXY."
    )


def is_html(body: str) -> bool:
    """Tell whether a body is a web page, as proxies and login portals send."""
    return _HTML.match(body[:2000]) is not None


_HTML = re.compile(r"\ufeff?\s*(?:(?:<!--.*?-->|<\?xml.*?\?>)\s*)*<(?:!doctype html|html|head|body)\b", re.I | re.S)


def code_and_details(body: str) -> tuple[str | None, str]:
    """Return an error body's code and its human text, each where the service says one."""
    return _read(_decoded(body))


_REDIRECTED = "Redirects are not followed: a key must not reach another host. Check the base URL."
_MEANINGS = {
    402: "the account's quota or credit is used up",
    413: "the request is too large",
    502: "the gateway in front got no usable answer from the service",
    503: "the service is overloaded, or stopped for maintenance",
    504: "the gateway in front got no answer from the service in time",
}
"""What a status says where the answer says nothing (RFC 9110 section 15)."""
_CLASSES: dict[int, type[StatusError]] = {
    401: AuthenticationFailed,
    403: AuthenticationFailed,
    404: NotFound,
    408: RequestTimedOut,
    429: RateLimited,
    # The statuses of 500 and above that no repetition mends.
    501: RequestRefused,
    505: RequestRefused,
    506: RequestRefused,
    508: RequestRefused,
    510: RequestRefused,
    511: RequestRefused,
}
"""Other statuses of 300 to 499 are `RequestRefused`, 409 and 425 too: nothing says that a repetition would help."""
_UNSUPPORTED = re.compile(r"\bnot supported\b|\bunsupported\b|\bdoes(?: not|n't) support\b", re.IGNORECASE)
"""What a server cannot do: llama.cpp answers 500 to a picture (docs/servers.md, "llama.cpp")."""


def _of_status(
    status: int,
    message: str,
    words: str,
    code: str | None,
    overflow: Overflow | None,
    retry_after: float | None = None,
) -> StatusError:
    if overflow is not None:
        return ContextTooLong(message, status=status, code=code, limit=overflow.limit, requested=overflow.requested)
    refused = 300 <= status < 500 or (status == 500 and _UNSUPPORTED.search(words))
    kind = _CLASSES.get(status) or (RequestRefused if refused else ServerFailed)
    return kind(message, status=status, code=code, retry_after=retry_after)


def _told_status(document: object) -> int | None:
    """Return the HTTP status that a report tells."""
    found = (http_status(item.get(key)) for item in error_objects(document) for key in STATUS_KEYS)
    return next(filter(None, found), None)


_OF_CODES_AND_WORDS = (
    (402, r"insufficient[ _-]?(?:quota|credits?|funds|balance)|payment[ _-]?required|exceeded your (?:current )?quota"),
    (
        429,
        r"rate[ _-]?limit|too[ _-]?many[ _-]?requests|throttl|concurren(?:cy|t requests)"
        r"|resource[ _-]?exhausted|quota (?:is )?(?:exceeded|exhausted)"
        r"|(?:requests|tokens) per (?:second|sec|minute|min|hour|day)\b",
    ),
    (
        401,
        r"authentication[ _-]?(?:error|failed|required)|invalid[ _-]authentication"
        r"|api[ _-]?key (?:is )?(?:not valid|invalid)|unauthori[sz]ed|unauthenticated|access[ _-]denied"
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
                yield code[:MAX_WORDS]


def _read(document: object, depth: int = 0) -> tuple[str | None, str]:
    """Return an error document's code and human text, wherever a service puts them."""
    if isinstance(document, str):
        page = "the answer is a web page, perhaps a proxy's."
        return None, page if is_html(document) else one_line(document)
    if isinstance(document, list):
        return None, one_line("; ".join(filter(None, (_inner(item, depth)[1] for item in document[:4]))))
    if not isinstance(document, Mapping):
        return None, ""
    code = _code(document)
    otherwise = ""
    for found in telling_fields(document):
        said = found
        if isinstance(said, (Mapping, list)) and said:
            inner, details = _inner(said, depth)
            code, said, otherwise = code or inner, details, otherwise or _as_json(said)
        if said and not isinstance(said, bool):
            return code, one_line(_with_cause(document, str(said)))
    return code, one_line(otherwise)


def _report_as_it_is(document: object, said: str) -> StatusError:
    """Return the error for a report, which is shown as it is where its words stand in no known place."""
    if not isinstance(document, Mapping):
        return report(document, said)
    rest = {key: value for key, value in document.items() if key not in TELLING and says_something(value)}
    if not any(isinstance(value, (str, Mapping)) for value in rest.values()):
        return report(document, said)
    return report(document, said, otherwise=one_line(_as_json(rest)))


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
        if code and not isinstance(code, (bool, Mapping, list)) and not http_status(code) and code != "error":
            return one_line(str(code))[:100]
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
