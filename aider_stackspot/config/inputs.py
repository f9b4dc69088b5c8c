"""The process's environment, working directory and files, as one reading of the configuration saw them.

Everything that is looked at is remembered, also what is not there, so that a later look can tell in microseconds
whether the reading still holds.
"""

from __future__ import annotations

import os
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
