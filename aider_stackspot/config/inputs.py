"""The process's environment, working directory and files, as one reading of the configuration saw them.

Everything that is looked at is remembered, also what is not there, so that a later look can tell in microseconds
whether the reading still holds.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_State = tuple[int, int, int, int] | None


class NotAFile(OSError):
    """There is a directory, a pipe or a device where a file is expected."""


class TooLarge(OSError):
    """The file is larger than a file of its kind can sensibly be."""


def replaceable(path: Path) -> Path:
    """Return the file that writing to a path would replace, which may not be there yet: a link stays a link.

    Raises:
        NotAFile: there is something else, which a new file must not take the place of: a pipe, a device.
        OSError: the link leads nowhere but to itself.
    """
    target = Path(os.path.realpath(path))
    try:
        mode = os.stat(target).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return target
    _check_is_a_file(mode)
    return target


def _check_is_a_file(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise NotAFile(errno.EINVAL, f"this is a {'directory' if stat.S_ISDIR(mode) else 'pipe or a device'}")


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

    def exists(self, path: Path) -> bool:
        """Tell whether there is anything at a path; its content does not matter."""
        name = str(path)
        if name not in self._existing:
            self._existing[name] = os.path.exists(name)
        return self._existing[name]

    def read(self, path: Path, largest: int) -> bytes | None:
        """Return a file's content, or `None` if there is no such file.

        Raises:
            NotAFile: it is no regular file.
            TooLarge: it has more than `largest` bytes.
            OSError: it cannot be read.
        """
        self._states[str(path)] = _state(str(path))
        try:
            # Without O_NONBLOCK, opening a pipe waits for a writer.
            handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except PermissionError as error:
            if os.path.isdir(path):  # Windows refuses directories in this way
                raise NotAFile(error.errno, "this is a directory") from error
            raise
        try:
            _check_is_a_file(os.fstat(handle).st_mode)
            with os.fdopen(handle, "rb", closefd=False) as file:
                content = file.read(largest + 1)
        finally:
            os.close(handle)
        if len(content) > largest:
            raise TooLarge(errno.EFBIG, f"the file is larger than {largest:,} bytes")
        return content

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
