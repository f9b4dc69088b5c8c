"""The one bounded reader and the one atomic, private, locked writer of files; what stands in them is others' business.

A file appears whole or not at all, also when the process is killed in the middle: what was written until then lies in
a directory that git ignores by itself, and that a later look at the project never takes for anything.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

LOCK_TIMEOUT = 10.0
"""Seconds that a writer waits for another one."""
_TEMPORARY = ".aider-stackspot-"
"""aider's own rule for git, `.aider*`, covers it as well."""
_LOCK_POLL = 0.01


class NotAFile(OSError):
    """There is a directory, a pipe or a device where a file is expected."""


class TooLarge(OSError):
    """The file is larger than a file of its kind can sensibly be."""


class NotPrivate(OSError):
    """The file belongs to somebody else, or is a link to another one."""


def read_bounded(path: Path, max_bytes: int, *, private: bool = False, whole: bool = True) -> bytes | None:
    """Return a file's content, or `None` if there is no such file. Never waits for the other end of a pipe.

    Args:
        path: the file.
        max_bytes: how large it may be.
        private: it is a file that this package writes for itself: no link is followed, and it must be the user's own.
        whole: refuse a larger file; else its first `max_bytes` bytes are returned.

    Raises:
        NotAFile: it is no regular file.
        NotPrivate: it is a link, or belongs to somebody else.
        TooLarge: it has more than `max_bytes` bytes, and is wanted whole.
        OSError: it cannot be read.
    """
    # Without O_NONBLOCK, opening a pipe waits for a writer.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = _open(path, flags, private)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        if os.path.isdir(path):  # Windows refuses directories in this way
            raise NotAFile(error.errno, "this is a directory") from error
        raise
    try:
        _check(os.fstat(handle), private)
        with os.fdopen(handle, "rb", closefd=False) as file:
            content = file.read(max_bytes + 1)
            if content is None:  # a file of the system's that has nothing to say at the moment
                raise NotAFile(errno.EAGAIN, "this is a file of the system's that cannot be read at once")
    finally:
        os.close(handle)
    if len(content) > max_bytes:
        if not whole:
            return content[:max_bytes]
        raise TooLarge(errno.EFBIG, f"the file is larger than {max_bytes:,} bytes")
    return content


def write_atomically(path: Path, text: str, mode: int | None = None) -> None:
    """Replace a file at once, or make it. Where the path is a link, the file that it leads to is replaced.

    Args:
        path: the file; its directory must be there.
        text: its new content, written as UTF-8 with the line ends that it has.
        mode: its permissions; those that it has if not given, and what is usual for a new one.

    Raises:
        NotAFile: there is a directory, a pipe or a device, which a file must not take the place of.
        OSError: it cannot be written; then it is as it was.
    """
    target = Path(os.path.realpath(path))
    try:
        status = os.stat(target)
    except (FileNotFoundError, NotADirectoryError):
        pass
    else:
        _check(status, private=False)
        mode = stat.S_IMODE(status.st_mode) if mode is None else mode
    with _written_beside(target, text, mode) as temporary:
        os.replace(temporary, target)


def create_exclusively(path: Path, text: str, mode: int = 0o600) -> None:
    """Make a file that must not be there yet. It appears with all of its content; of several writers, the first wins.

    Raises:
        FileExistsError: it is there.
        OSError: it cannot be written.
    """
    with _written_beside(path, text, mode) as temporary:
        os.link(temporary, path)


def append_line(path: Path, line: str) -> bool:
    """Append a line to a file of ours, in one write: processes that run at the same time do not mix their lines.

    It begins on a line of its own, also behind one that a killed process left unfinished. The file is made, for the
    owner alone, if it is not there.

    Returns:
        Whether it is the first line of the file.

    Raises:
        NotAFile: it is no regular file.
        NotPrivate: it is a link, or belongs to somebody else.
        OSError: it cannot be written.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    handle = _open(path, flags, private=True)
    try:
        _check(os.fstat(handle), private=True)
        _lock_contents(handle)  # what another process is just writing looks unfinished
        status = os.fstat(handle)
        unfinished = False
        if status.st_size:
            os.lseek(handle, -1, os.SEEK_END)
            unfinished = os.read(handle, 1) != b"\n"
        os.write(handle, ("\n" * unfinished + line + "\n").encode("utf-8", "replace"))
    finally:
        os.close(handle)
    return status.st_size == 0


def append_rotated(path: Path, line: str, max_bytes: int) -> None:
    """Append a line as `append_line` does, to a file of bounded size: a full one takes a `.1` behind its name first.

    Args:
        path: the file; its directory must be there.
        line: the text, without a line end.
        max_bytes: about how large the file may become. The one that was full before it is replaced.

    Raises:
        NotAFile: it is no regular file.
        NotPrivate: it is a link, or belongs to somebody else.
        OSError: it cannot be written.
    """
    needed = len(line.encode("utf-8", "replace")) + 1
    if _is_full(path, needed, max_bytes):
        with locked(path):
            if _is_full(path, needed, max_bytes):  # another process may have moved it meanwhile
                os.replace(path, path.with_name(f"{path.name}.1"))
    append_line(path, line)


def _is_full(path: Path, needed: int, max_bytes: int) -> bool:
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    if not stat.S_ISREG(status.st_mode):
        return False
    _check(status, private=True)
    return status.st_size > 0 and status.st_size + needed > max_bytes


def private_directory(path: Path) -> Path:
    """Make a directory that only its owner can enter, with those above it; return it.

    Directories above it that are there already stay as they are.

    Raises:
        OSError: it cannot be made.
    """
    for directory in [*reversed(path.parents), path]:
        with contextlib.suppress(FileExistsError):
            if not directory.exists():
                directory.mkdir(mode=0o700)
    status = path.lstat()
    if os.name == "posix" and stat.S_ISDIR(status.st_mode) and stat.S_IMODE(status.st_mode) & 0o077:
        path.chmod(0o700)
    return path


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file's lock, for reading, changing and writing it while no other process or thread does.

    Args:
        path: the file, which need not be there; its directory must.

    Raises:
        OSError: another process has held the lock for `LOCK_TIMEOUT` seconds.
    """
    target, end = Path(os.path.realpath(path)), time.monotonic() + LOCK_TIMEOUT
    while (handle := _try_lock(target)) is None:
        if time.monotonic() > end:
            raise TimeoutError(errno.ETIMEDOUT, "another process is changing it")
        time.sleep(_LOCK_POLL)
    try:
        yield
    finally:
        os.close(handle)


if sys.platform == "win32":
    import msvcrt

    def _lock_contents(handle: int) -> None:
        """Do nothing: there, a lock would keep others from reading, too."""

    def _try_lock(target: Path) -> int | None:
        """Lock a file beside the target, which goes away with the last of its users."""
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_TEMPORARY
            handle = os.open(target.with_name(f"{_TEMPORARY}{target.name}.lock"), flags, 0o600)
        except PermissionError:  # it is just going away
            return None
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            os.close(handle)
            return None
        return handle

else:
    import fcntl

    def _lock_contents(handle: int) -> None:
        """Wait for the others that append; closing the file lets the next one go on."""
        with contextlib.suppress(OSError):  # not every file system has locks
            fcntl.flock(handle, fcntl.LOCK_EX)

    def _try_lock(target: Path) -> int | None:
        """Lock the target's directory: nothing is left behind, and nothing has to be there before."""
        handle = os.open(target.parent, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        except OSError:  # some network file systems have no locks for directories: better a change than none
            return handle
        return handle


def _open(path: Path, flags: int, private: bool) -> int:
    """Open a file, without following a link where the file is ours alone."""
    try:
        return os.open(path, flags | (getattr(os, "O_NOFOLLOW", 0) if private else 0), 0o600)
    except OSError as error:
        if private and error.errno == errno.ELOOP:
            raise NotPrivate(errno.ELOOP, "this is a link") from None
        raise


def _check(status: os.stat_result, private: bool) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = "directory" if stat.S_ISDIR(status.st_mode) else "pipe or a device"
        raise NotAFile(errno.EINVAL, f"this is a {kind}")
    if private and sys.platform != "win32" and status.st_uid not in (os.geteuid(), 0):
        raise NotPrivate(errno.EPERM, "this file belongs to somebody else")


@contextlib.contextmanager
def _written_beside(target: Path, text: str, mode: int | None) -> Iterator[Path]:
    """Write a temporary file in the target's file system, which goes away unless it was moved.

    It lies in a directory of its own that nobody else can enter and whose `.gitignore` covers everything in it.
    """
    directory = Path(tempfile.mkdtemp(dir=target.parent, prefix=_TEMPORARY))
    try:
        (directory / ".gitignore").write_text("*\n", encoding="utf-8")
        temporary = directory / target.name
        with temporary.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
        if mode is not None:
            temporary.chmod(mode)
        yield temporary
    finally:
        shutil.rmtree(directory, ignore_errors=True)
