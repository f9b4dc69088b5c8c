"""How a JSON object, or plain words, in the place of an answer show that they report a failure.

The shapes are those of StackSpot (docs/wire.md, "Errors") and of OpenAI-compatible servers (docs/servers.md, "Errors").
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

_MAX_DEPTH = 4
"""Levels of an error document that are looked into."""
STATUS_KEYS = ("code", "status", "status_code", "statusCode", "error_code")


def names_an_error(name: object) -> bool:
    """Tell whether an event's name or type is "error", "InternalServerError", "invalid_request_error" or the like."""
    return isinstance(name, str) and name[-9:].casefold().endswith(("error", "exception"))


def speaks_of_an_error(text: str) -> bool:
    """Tell whether plain words in the place of a JSON event begin as those of a failure do."""
    return _ERROR_IN_WORDS.match(text) is not None


_ERROR_IN_WORDS = re.compile(r"\W{0,3}(?:internal server |upstream )?\w{0,40}(?:error|exception)\b", re.IGNORECASE)


def reports_failure(frame: Mapping[str, Any]) -> bool:
    """Tell whether an event reports a failure, and not a part of an answer, a progress or a count."""
    if any(names_an_error(frame.get(key)) for key in ("object", "type", "event", "__type")) or says_something(
        frame.get("error")
    ):
        return True
    if frame.get("choices"):
        return False
    if any(_is_named_a_failure(key) and _tells_of_one(value) for key, value in frame.items()):
        return True
    if TELLING.isdisjoint(frame):
        return False
    if says_something(frame.get("detail")) or frame.get("success") is False:
        return True
    if _names_a_failure(frame.get("status")) or any(http_status(frame.get(key)) for key in STATUS_KEYS):
        return True
    if any(_is_failing(frame.get(code)) and not frame.keys().isdisjoint(words) for code, words in _CODES_WITH_WORDS):
        return True
    told = (_is_failing(frame.get("code")), says_something(frame.get("details")), bool(frame.get("type")))
    return sum(told) > 1 and _TEXT_KEYS.isdisjoint(frame)


@functools.lru_cache(maxsize=1024)
def _is_named_a_failure(key: str) -> bool:
    return _NAMED_A_FAILURE.fullmatch(key) is not None


_NAMED_A_FAILURE = re.compile(
    r"(?:err|errs|errors?|exceptions?|faults?)(?:[_-]?(?:code|no|num|msg|messages?|text|string|details?|description))?",
    re.IGNORECASE,
)


def _tells_of_one(value: object) -> bool:
    return says_something(value) if isinstance(value, (Mapping, list, bool)) else _is_failing(value)


def only_speaks(frame: Mapping[str, Any]) -> bool:
    """Tell whether an event has a message for a reader, and no name that could say what it is about."""
    if not frame.keys().isdisjoint(("type", "event", "status", "object", "role", "content")):
        return False
    return any(key.casefold() == "message" and isinstance(value, str) and value.strip() for key, value in frame.items())


def objects_in(frame: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield an event's object, and those in its fields."""
    yield frame
    yield from (value for value in frame.values() if isinstance(value, Mapping))


def _names_a_failure(status: object) -> bool:
    return isinstance(status, str) and status.casefold() in ("error", "failed", "failure")


def says_something(value: object, depth: int = 0) -> bool:
    """Tell whether a field holds something: `{"message": null, "code": 0}` does not, nor does "null"."""
    if isinstance(value, Mapping) and depth < _MAX_DEPTH:
        return any(says_something(inner, depth + 1) for inner in value.values())
    return bool(value) and value not in ("null", "None")


def _is_failing(code: object) -> bool:
    """Tell whether a code is one of a failure: any but nothing, zero, HTTP's good statuses and the word for them."""
    if isinstance(code, str):
        return code.strip().casefold() not in ("", "null", "none", "ok", "success", "0") and not _success(code)
    return isinstance(code, (int, float)) and not isinstance(code, bool) and bool(code) and not _success(code)


def _success(code: str | float) -> bool:
    return bool(re.fullmatch(r"\s*2\d\d(?:\.0)?\s*", str(code)))


def http_status(value: object) -> int | None:
    """Return a field's value where it is an HTTP status of an error, as a number or in digits."""
    if isinstance(value, str) and re.fullmatch(r"[45][0-9][0-9]", value):
        value = int(value)
    return value if isinstance(value, int) and 400 <= value <= 599 else None


_CODES_WITH_WORDS = (("code", ("message", "msg", "error_msg")), ("status_code", ("status_msg",)))
TELLING = frozenset(
    {"code", "detail", "details", "error", "error_code", "event", "object", "status", "status_code", "statusCode"}
    | {"success", "type"}
)
_TEXT_KEYS = frozenset({"message", "content", "text", "answer", "response"})
