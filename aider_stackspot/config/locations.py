"""Where configuration is looked for: the working directory, its git root, the home directory, and what one look saw.

Everything that is looked at is remembered, also what is not there, so that a later look can tell in microseconds
whether the reading still holds.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from aider_stackspot.files import read_bounded

_State = tuple[int, int, int, int] | None


class RecordedInputs:
    """What the configuration is read from. `cwd` is `None` where the working directory was deleted."""

    def __init__(self) -> None:
        self.cwd = _cwd()
        self._variables: dict[str, str | None] = {}
        self._states: dict[str, _State] = {}
        self._existing: dict[str, bool] = {}

    def variable(self, name: str) -> str | None:
        """Return a variable of `os.environ`, the same one however often it is asked for."""
        if name not in self._variables:
            self._variables[name] = os.environ.get(name)
        return self._variables[name]

    def names(self) -> list[str]:
        """Return the names of the variables of `os.environ`."""
        return list(os.environ)

    def exists(self, path: Path) -> bool:
        """Tell whether there is anything at a path; its content does not matter."""
        name = str(path)
        if name not in self._existing:
            self._existing[name] = os.path.exists(name)
        return self._existing[name]

    def read(self, path: Path, max_bytes: int) -> bytes | None:
        """Return a file's content, or `None` if there is no such file; see `files.read_bounded`."""
        self._states[str(path)] = _state(str(path))
        return read_bounded(path, max_bytes)

    def unchanged(self) -> bool:
        """Tell whether everything that was looked at is still as it was."""
        if _cwd() != self.cwd:
            return False
        variable, exists = os.environ.get, os.path.exists
        for name, text in self._variables.items():
            if variable(name) != text:
                return False
        for path, state in self._states.items():
            if _state(path) != state:
                return False
        return all(exists(path) is there for path, there in self._existing.items())


def _cwd() -> str | None:
    try:
        return os.getcwd()
    except OSError:
        return None


def _state(path: str) -> _State:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)


FILE_NAME = ".aider.litellm.yml"
ENV_NAME = ".env"
AIDER_NAME = ".aider.conf.yml"
"""aider's own settings, which can set environment variables."""
MODEL_SETTINGS_NAME = ".aider.model.settings.yml"
"""aider's settings of models, which can give arguments to every call."""


def git_root(directory: Path, surroundings: RecordedInputs) -> Path | None:
    """Return the closest directory at or above `directory` that has a `.git`."""
    for candidate in (directory, *directory.parents):
        if surroundings.exists(candidate / ".git"):
            return candidate
    return None


def project_directories(surroundings: RecordedInputs) -> list[Path]:
    """Return the working directory and the git root, closest first, without repetition."""
    if surroundings.cwd is None:
        return []
    cwd = Path(surroundings.cwd)
    return list(dict.fromkeys([cwd, git_root(cwd, surroundings) or cwd]))


def loaded_by_others(surroundings: RecordedInputs, arguments: Iterable[str]) -> Iterator[Path]:
    """Return further `.env` files that a program may have loaded into `os.environ` by itself.

    python-dotenv takes the first one above the working directory, or above the library that asks: litellm does when it
    is imported, and lies below `sys.prefix`. aider takes that of the repository whose files it is started with.
    """
    for start in (*([Path(surroundings.cwd)] if surroundings.cwd else []), Path(sys.prefix)):
        found = (directory / ENV_NAME for directory in (start, *start.parents))
        yield from [path for path in found if surroundings.exists(path)][:1]
    for argument in arguments:
        if not argument.startswith("-") and surroundings.cwd is not None:
            path = Path(surroundings.cwd, argument)
            root = git_root(path.resolve(), surroundings) if surroundings.exists(path) else None
            if root is not None:
                yield root / ENV_NAME


def same_file(one: Path, other: Path) -> bool:
    """Tell whether two paths lead to the same file, also through links."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def account_home() -> Path | None:
    """Return the home directory by the system's list of users, which no variable can change."""
    if sys.platform == "win32":
        return None
    import pwd

    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return None
