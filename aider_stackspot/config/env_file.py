"""One `.env` file: its variables as they are written, and their values once `${…}` in them is filled in."""

from __future__ import annotations

import codecs
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream

from aider_stackspot.config.locations import RecordedInputs
from aider_stackspot.files import NotAFile, TooLarge

MAX_ENV_FILE_BYTES = 128 * 1024
MAX_LINES = 2_000
MAX_FILLED_CHARACTERS = 1024 * 1024
"""Of all values of a file together, once their references are filled in."""

_REFERENCE = re.compile(r"\$\{(?P<name>[^}:]*)(?::-(?P<default>[^}]*))?\}")
"""What python-dotenv fills in, so that a file means the same to aider and to this package."""


@dataclass
class EnvFile:
    """A `.env` file as read. `trusted` tells whether its words are the user's, rather than the project's.

    `problem` tells why none of its values are used. It is `opaque` where another program may have understood it all the
    same: then anything in the environment may have come from it.
    """

    path: Path
    content: bytes = field(default=b"", repr=False)
    written: Sequence[tuple[str, str]] = field(default=(), repr=False)
    trusted: bool = False
    values: dict[str, str] = field(default_factory=dict, repr=False)
    problem: str | None = None
    opaque: bool = False
    is_pipe: bool = False

    @cached_property
    def raw(self) -> dict[str, str]:
        """The variables as they are written; of several lines for one, the last counts."""
        return dict(self.written)

    def fill(self, lookup: Callable[[str], str | None]) -> None:
        """Fill in references: to what stands earlier in the file, then to what `lookup` finds."""
        values = self.values
        left = MAX_FILLED_CHARACTERS

        def replace(match: re.Match[str]) -> str:
            nonlocal left
            found = values.get(match["name"])
            found = found if found is not None else lookup(match["name"])
            found = found if found is not None else match["default"] or ""
            left -= len(found)
            return found if left >= 0 else ""

        for name, text in self.raw.items():
            values[name] = _REFERENCE.sub(replace, text)
            if left < 0:
                values.clear()
                self.problem, self.opaque = "its references come to more text than such a file has", True
                return

    def may_have_set(self, name: str, value: str) -> bool:
        """Tell whether a program that loaded this file may have found this value in it."""
        if self.opaque:
            return not self.trusted
        # What a reference came to at that time cannot be known any more.
        return any(known == name and (text == value or "${" in text) for known, text in self.written)

    def may_have_given(self, name: str, value: str) -> bool:
        """Tell whether a program that was started by one that loaded this file may have inherited the value from it.

        That program may have kept quotes, or taken another line of several. A pipe does not count: no repository can
        bring one along.
        """
        if self.opaque:
            return not self.is_pipe
        values = {value, value.strip().strip("\"'")}
        patterns = [_possible(text) for known, text in self.written if known == name]
        return any(re.fullmatch(pattern, text, re.DOTALL) for pattern in patterns for text in values)


def _possible(text: str) -> str:
    """Return a pattern of what a text may come to in programs and shells, which each read such a file in their way."""
    parts = re.fullmatch(r"(.*?)([`\\\\\"']|\$\(|$)(.*)", text, re.DOTALL)
    assert parts is not None, "every text has an end"
    known, unknown, _ = parts.groups()
    pattern = ".*".join(map(re.escape, re.split(r"\$\{[^}]*\}|\$\w+", known)))
    return f"{pattern}.*" if unknown else pattern


def read_env_file(path: Path, inputs: RecordedInputs) -> EnvFile | None:
    """Return a `.env` file, or `None` if there is none. A directory by this name is somebody else's.

    One that cannot be used has a `problem`.
    """
    try:
        content = inputs.read(path, MAX_ENV_FILE_BYTES)
    except NotAFile:
        if path.is_dir():
            return None
        how = f"`op run --env-file={shlex.quote(str(path))} -- aider`"
        problem = (
            "this is a pipe or a device, which another program fills. Let that program set the variables before aider "
            f"starts, as 1Password does with {how}"
        )
        return EnvFile(path, problem=problem, opaque=True, is_pipe=True)
    except OSError as error:
        return EnvFile(path, problem=error.strerror or type(error).__name__, opaque=isinstance(error, TooLarge))
    if content is None:
        return None
    try:
        return EnvFile(path, content, parsed(content))
    except ValueError as error:
        return EnvFile(path, content, problem=str(error), opaque=True)
    except Exception as error:
        problem = f"its content cannot be understood ({type(error).__name__})"
        return EnvFile(path, content, problem=problem, opaque=True)


def parsed(content: bytes) -> list[tuple[str, str]]:
    """Return the variables of a `.env` file as written, in order; one may come several times.

    Raises:
        ValueError: it is no text, or has more lines than such a file has; says what to do.
    """
    text = decoded(content)
    if text.count("\n") > MAX_LINES:
        raise ValueError(f"it has more than {MAX_LINES:,} lines")
    bindings = parse_stream(StringIO(text))
    return [(one.key, one.value) for one in bindings if one.key is not None and one.value is not None]


def decoded(content: bytes) -> str:
    """Return the text of a file as editors and shells write it: UTF-8, UTF-16 (PowerShell), or Windows' code page.

    What is read in another way than UTF-8 is nothing that python-dotenv could read as UTF-8: else a file could have a
    second content for aider.

    Raises:
        ValueError: it holds NUL characters.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    for encoding, zeros in (("utf-16-le", content[1::2]), ("utf-16-be", content[::2])):
        if content and len(content) % 2 == 0 and not any(zeros):
            return content.decode(encoding)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    if "\0" in text:
        raise ValueError("it holds NUL characters: save it as UTF-8")
    return text
