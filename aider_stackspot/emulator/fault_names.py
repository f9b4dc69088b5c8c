"""The faults that have names, for `--fault` and for scripts: what each does, and how its argument is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from aider_stackspot.emulator.fault import Fault
from aider_stackspot.emulator.responses import Reply


class FaultName(NamedTuple):
    """A fault that can be named.

    Attributes:
        says: What happens, in a few words.
        make: Builds it from its argument.
        argument: What the argument is called in help texts; empty when there is none.
        read: Reads the argument; raises ``ValueError`` when it cannot.
        default: The argument when none is given; None when one has to be given.
        kind: The kind of requests that meet it.
    """

    says: str
    make: Callable[..., Fault]
    argument: str = ""
    read: Callable[[str], Any] = str
    default: Any = None
    kind: str = "any chat"


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise ValueError(text)
    return number


def _status(text: str) -> int:
    number = int(text)
    if not 200 <= number <= 599:
        raise ValueError(text)
    return number


def _literal(text: str) -> int | str:
    return int(text) if text.lstrip("-").isdecimal() else text


_ERROR_TEXT: Final = Reply(500, b"The model is overloaded.", "text/plain")
FAULTS: Final[dict[str, FaultName]] = {
    "status": FaultName("this status, with its usual body", Fault.status, "CODE", _status),
    "rate-limited": FaultName(
        "429 with this Retry-After, in seconds or as a date",
        lambda after: Fault.status(429, retry_after=after),
        "RETRY_AFTER",
        str,
    ),
    "too-long": FaultName("400: the prompt is too long for the agent", Fault.too_long),
    "refused": FaultName("400 with the code of a prompt that is too long, for another reason", Fault.refused),
    "login-page": FaultName("200 with a proxy's login page", Fault.login_page),
    "redirect": FaultName("302 to this URL", Fault.redirect, "URL"),
    "close": FaultName("no answer: the connection is closed", Fault.close),
    "reset": FaultName("no answer: the connection is reset", Fault.reset),
    "silent": FaultName("nothing happens for so long", Fault.silent, "SECONDS", _seconds, 3600.0),
    "slow-headers": FaultName("the headers trickle out for so long", Fault.slow_header, "SECONDS", _seconds, 5.0),
    "cut-after": FaultName(
        "the connection closes within the body, after so many events", Fault.cut_after, "EVENTS", _count, 1
    ),
    "cut-after-bytes": FaultName(
        "the same after so many bytes", lambda size: Fault.cut_after(body_bytes=size), "BYTES", _count
    ),
    "cut-after-encoded-bytes": FaultName(
        "the same after so many bytes as they are sent, compressed",
        lambda size: Fault.cut_after(encoded_bytes=size),
        "BYTES",
        _count,
    ),
    "reset-after": FaultName("the connection is reset after so many events", Fault.reset_after, "EVENTS", _count, 1),
    "reset-after-bytes": FaultName(
        "the same after so many bytes", lambda size: Fault.reset_after(body_bytes=size), "BYTES", _count
    ),
    "end-after": FaultName(
        "the body ends well after so many events, without its last event", Fault.end_after, "EVENTS", _count, 1
    ),
    "end-after-bytes": FaultName(
        "the same after so many bytes", lambda size: Fault.end_after(body_bytes=size), "BYTES", _count
    ),
    "end-after-encoded-bytes": FaultName(
        "the same after so many bytes as they are sent, compressed",
        lambda size: Fault.end_after(encoded_bytes=size),
        "BYTES",
        _count,
    ),
    "silent-after": FaultName("the stream goes silent after so many events", Fault.silent_after, "EVENTS", _count, 1),
    "error-frame": FaultName(
        "an error as data of the stream, after so many events", Fault.error_frame, "EVENTS", _count, 1
    ),
    "error-event": FaultName(
        "the same as an event with the name error",
        lambda events: Fault.error_frame(events, named=True),
        "EVENTS",
        _count,
        1,
    ),
    "error-text": FaultName(
        "the same with a text that is no JSON",
        lambda events: Fault.error_frame(events, named=True, reply=_ERROR_TEXT),
        "EVENTS",
        _count,
        1,
    ),
    "flood": FaultName("so many empty deltas before the text", Fault.flood, "COUNT", _count, 1000),
    "junk": FaultName("data that is no JSON between the deltas", Fault.junk_events),
    "big-event": FaultName("one delta of so many bytes", Fault.big_event, "BYTES", _count, 10_000_000),
    "big-answer": FaultName("an answer of so many bytes", Fault.big_answer, "BYTES", _count, 100_000_000),
    "token-status": FaultName(
        "the token endpoint answers with this status", Fault.status, "CODE", _status, kind="token"
    ),
    "token-missing": FaultName(
        "a token answer without access_token", lambda: Fault.bad_token(without=("access_token",)), kind="token"
    ),
    "token-no-expiry": FaultName(
        "a token answer without expires_in", lambda: Fault.bad_token(without=("expires_in",)), kind="token"
    ),
    "token-expires-in": FaultName(
        "this as expires_in", lambda value: Fault.bad_token(expires_in=value), "VALUE", _literal, kind="token"
    ),
    "token-html": FaultName(
        "a token answer that says it is text/html", lambda: Fault.bad_token(content_type="text/html"), kind="token"
    ),
    "token-login-page": FaultName("a proxy's login page in place of a token", Fault.login_page, kind="token"),
    "token-huge": FaultName(
        "a token answer with so many bytes more",
        lambda size: Fault.bad_token(padding=size),
        "BYTES",
        _count,
        10_000_000,
        "token",
    ),
    "token-close": FaultName("the token endpoint closes the connection", Fault.close, kind="token"),
    "token-silent": FaultName(
        "the token endpoint is silent for so long", Fault.silent, "SECONDS", _seconds, 3600.0, "token"
    ),
}
"""The faults that ``--fault`` and a script know."""


def parse_fault(text: str) -> Fault:
    """The fault that ``NAME`` or ``NAME:ARGUMENT`` means.

    Raises:
        ValueError: There is no such fault, or the argument does not fit it; the text says what would.
    """
    name, colon, argument = text.partition(":")
    known = FAULTS.get(name)
    if known is None:
        raise ValueError(f"unknown fault {name!r}{nearest(name, FAULTS)}")
    if not known.argument:
        if colon:
            raise ValueError(f"fault {name!r} takes no argument")
        return known.make()
    if not argument and known.default is None:
        raise ValueError(f"fault {name!r} needs an argument: {name}:{known.argument}")
    try:
        value = known.read(argument) if argument else known.default
    except ValueError as error:
        raise ValueError(f"fault {name!r}: {argument!r} is no {known.argument}") from error
    return known.make(value)


def fault_kind(text: str) -> str:
    """The kind of requests a named fault is for."""
    return FAULTS[text.partition(":")[0]].kind


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the known one that looks most like it, or all of them."""
    names = list(known)
    close = get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(names)}"
