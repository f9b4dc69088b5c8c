"""One `.env` file: its variables as they are written, and their values once `${…}` in them is filled in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values

from aider_stackspot.config.inputs import RecordedInputs
from aider_stackspot.files import NotAFile

MAX_ENV_FILE_BYTES = 1024 * 1024
"""Bytes."""

_REFERENCE = re.compile(r"\$\{(?P<name>[^}:]*)(?::-(?P<default>[^}]*))?\}")
"""What python-dotenv fills in, so that a file means the same to aider and to this package."""


@dataclass
class EnvFile:
    """A `.env` file as read. `trusted` tells whether its words are the user's, rather than the project's."""

    path: Path
    content: bytes = field(repr=False)
    raw: dict[str, str] = field(repr=False)
    trusted: bool = False
    values: dict[str, str] = field(default_factory=dict, repr=False)

    def fill(self, lookup: Callable[[str], str | None]) -> None:
        """Fill in references: to what stands earlier in the file, then to what `lookup` finds."""
        values = self.values

        def replace(match: re.Match[str]) -> str:
            found = values.get(match["name"])
            found = found if found is not None else lookup(match["name"])
            return found if found is not None else match["default"] or ""

        for name, text in self.raw.items():
            values[name] = _REFERENCE.sub(replace, text)

    def may_have_set(self, name: str, value: str) -> bool:
        """Tell whether a program that loaded this file may have found this value in it."""
        written = self.raw.get(name)
        # What a reference came to at that time cannot be known any more.
        return written is not None and (written == value or "${" in written)


def read_env_file(path: Path, surroundings: RecordedInputs) -> EnvFile | None:
    """Return a `.env` file, or `None` if there is none. Directories and pipes by this name are somebody else's.

    Raises:
        OSError: it cannot be read, or is too large.
        ValueError: it is not UTF-8.
    """
    try:
        content = surroundings.read(path, MAX_ENV_FILE_BYTES)
    except NotAFile:
        return None
    return None if content is None else EnvFile(path, content, parsed(content))


def parsed(content: bytes) -> dict[str, str]:
    """Return the variables of a `.env` file as written.

    Raises:
        ValueError: it is not UTF-8.
    """
    written = dotenv_values(stream=StringIO(content.decode("utf-8-sig")), interpolate=False)
    return {name: text for name, text in written.items() if text is not None}
