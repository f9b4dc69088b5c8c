"""What an HTTP header can carry: keys and header values of files, variables and calls go through here."""

from __future__ import annotations

import re

from aider_stackspot.config.display import shortened
from aider_stackspot.errors import ConfigurationError

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


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
