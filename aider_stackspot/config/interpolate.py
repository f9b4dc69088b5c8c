"""`${VAR}` and `${VAR:-default}` in the values of a file: text for text, nothing is ever run.

`$${` stands for a literal `${`. Keys are left as they are, and so is what a variable holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aider_stackspot.config.environment import Value
from aider_stackspot.config.yaml_file import Document, Location

_REFERENCE = re.compile(
    r"(?P<literal>\$\$\{)|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^{}]*))?\}|(?P<unknown>\$\{)"
)
_LEFT_OUT = object()
MAX_FILLED_CHARACTERS = 1024 * 1024
"""Of all values of a file together, once their references are filled in."""

Lookup = Callable[[str, Location], Value | None]
"""Returns the value of a variable for a place in the file."""


@dataclass
class Interpolated:
    """A file's data with its references filled in.

    `unset` has for each place the variables for want of which its value was left out.
    """

    data: Any = field(repr=False)
    unset: dict[Location, list[str]] = field(default_factory=dict)


def interpolate(document: Document, lookup: Lookup) -> Interpolated:
    """Fill in every reference. A value with an unset variable is left out, so that its default applies.

    Raises:
        ConfigurationError: there is a `${` that is no reference, or the file comes to too much.
    """
    result = Interpolated(data=None)
    filled_characters = 0

    def walk(value: Any, location: Location) -> Any:
        if isinstance(value, dict):
            walked = {key: walk(inner, (*location, str(key))) for key, inner in value.items()}
            return {key: inner for key, inner in walked.items() if inner is not _LEFT_OUT}
        if isinstance(value, list):
            items = [walk(inner, (*location, index)) for index, inner in enumerate(value)]
            return [item for item in items if item is not _LEFT_OUT]
        if isinstance(value, str) and "${" in value:
            return fill(value, location)
        return value

    def fill(text: str, location: Location) -> Any:
        nonlocal filled_characters
        unset: list[str] = []

        def replace(match: re.Match[str]) -> str:
            nonlocal filled_characters
            if match["literal"]:
                return "${"
            if match["unknown"]:
                raise document.error(
                    location, "`${` begins `${NAME}` or `${NAME:-default}`; write `$${` for a plain `${`."
                )
            value = lookup(match["name"], location)
            if value is None:
                unset.extend([match["name"]] if match["default"] is None else [])
                return match["default"] or ""
            filled_characters += len(value.text)
            if filled_characters > MAX_FILLED_CHARACTERS:
                raise document.error(
                    location, "the references of this file come to more text than a configuration has."
                )
            return value.text

        filled = _REFERENCE.sub(replace, text)
        if not unset:
            return filled
        result.unset[location] = unset
        return _LEFT_OUT

    result.data = walk(document.data, ())
    return result
