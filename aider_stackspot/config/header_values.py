"""What an HTTP header can carry: keys and header values of files, variables and calls go through here."""

from __future__ import annotations

import re

from aider_stackspot.config.display import shortened
from aider_stackspot.errors import ConfigurationError

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_QUOTES = {'"': '"', "'": "'", "`": "`", "\u201c": "\u201d", "\u2018": "\u2019"}
_SCHEME = re.compile(r"\Abearer(?:\s+|\Z)", re.IGNORECASE)


def header_name(name: str, what: str) -> str:
    """Return the name of a header without outer white space.

    Raises:
        ConfigurationError: no header can be called so.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name.strip()):
        raise ConfigurationError(f"{what}: `{shortened(str(name))}` is no name of an HTTP header.")
    return name.strip()


def header_value(value: str, what: str) -> str:
    """Return a key, or the value of a header, without outer white space, such as the line end of a file it came from.

    Args:
        value: the value.
        what: where it came from, for the message. The value itself may be a secret and is not shown.

    Raises:
        ConfigurationError: no header can carry it.
    """
    text = value.strip() if isinstance(value, str) else None
    if text is None or not text.isascii() or not text.isprintable():
        raise ConfigurationError(
            f"{what}: this cannot be sent in an HTTP header: one line of printable ASCII characters is expected."
        )
    return text


def api_key(value: str, what: str) -> str:
    """Return a key that goes into an `Authorization` header, without what people copy along with it.

    That is white space, a pair of quotation marks, and the word `Bearer`: no key has any of them.

    Args:
        value: the key as it was given; empty where there is none.
        what: where it came from, for the message. The key itself is not shown.

    Raises:
        ConfigurationError: no header can carry it, or it is more, or less, than one key.
    """
    text = value.strip() if isinstance(value, str) else value
    while isinstance(text, str) and len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
        text = text[1:-1].strip()
    sent = header_value(text, what)
    key = _SCHEME.sub("", sent)
    if sent and not key:
        raise ConfigurationError(f"{what}: this is the word that stands before a key: copy the key itself.")
    if any(mark in key[:1] + key[-1:] for mark in "\"'`"):
        raise ConfigurationError(f"{what}: a quotation mark stands at one end of the key: take it away.")
    if " " in key:
        raise ConfigurationError(f"{what}: a space stands inside the key: no key has one, so copy it again.")
    return key
