"""Faults by name, as scripts and the command line give them: ``NAME`` or ``NAME:ARGUMENT``."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from aider_stackspot.emulator.fault import Fault


class FaultName(NamedTuple):
    """A fault that can be named.

    Attributes:
        make: Builds it from its argument.
        argument: What the argument is called in help texts; empty when there is none.
        read: Reads the argument; raises ``ValueError`` when it cannot.
        default: The argument when none is given; None when it is needed.
        kind: The kind of requests it is for unless said otherwise.
    """

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


FAULTS: Final[dict[str, FaultName]] = {
    "status": FaultName(Fault.status, "CODE", _status),
    "rate-limited": FaultName(lambda after: Fault.status(429, retry_after=after), "RETRY_AFTER", str),
    "too-long": FaultName(Fault.too_long),
    "refused": FaultName(Fault.refused),
    "login-page": FaultName(Fault.login_page),
    "redirect": FaultName(Fault.redirect, "URL"),
    "close": FaultName(Fault.close),
    "reset": FaultName(Fault.reset),
    "silent": FaultName(Fault.silent, "SECONDS", _seconds, 3600.0),
    "slow-headers": FaultName(Fault.slow_header, "SECONDS", _seconds, 5.0),
    "cut-after": FaultName(Fault.cut_after, "EVENTS", _count, 1),
    "cut-after-bytes": FaultName(lambda size: Fault.cut_after(bytes=size), "BYTES", _count),
    "reset-after": FaultName(Fault.reset_after, "EVENTS", _count, 1),
    "reset-after-bytes": FaultName(lambda size: Fault.reset_after(bytes=size), "BYTES", _count),
    "end-after": FaultName(Fault.end_after, "EVENTS", _count, 1),
    "end-after-bytes": FaultName(lambda size: Fault.end_after(bytes=size), "BYTES", _count),
    "silent-after": FaultName(Fault.silent_after, "EVENTS", _count, 1),
    "error-frame": FaultName(Fault.error_frame, "EVENTS", _count, 1),
    "error-event": FaultName(lambda events: Fault.error_frame(events, named=True), "EVENTS", _count, 1),
    "flood": FaultName(Fault.flood, "COUNT", _count, 1000),
    "junk": FaultName(Fault.junk_events),
    "big-event": FaultName(Fault.big_event, "BYTES", _count, 10_000_000),
    "big-answer": FaultName(Fault.big_answer, "BYTES", _count, 100_000_000),
    "token-status": FaultName(Fault.status, "CODE", _status, kind="token"),
    "token-missing": FaultName(lambda: Fault.bad_token(without=("access_token",)), kind="token"),
    "token-no-expiry": FaultName(lambda: Fault.bad_token(without=("expires_in",)), kind="token"),
    "token-expires-in": FaultName(lambda value: Fault.bad_token(expires_in=value), "VALUE", _literal, kind="token"),
    "token-html": FaultName(lambda: Fault.bad_token(content_type="text/html"), kind="token"),
    "token-login-page": FaultName(Fault.login_page, kind="token"),
    "token-huge": FaultName(lambda size: Fault.bad_token(padding=size), "BYTES", _count, 10_000_000, "token"),
    "token-close": FaultName(Fault.close, kind="token"),
    "token-silent": FaultName(Fault.silent, "SECONDS", _seconds, 3600.0, "token"),
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
        close = get_close_matches(name, FAULTS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(FAULTS)}"
        raise ValueError(f"unknown fault {name!r}; {hint}")
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
