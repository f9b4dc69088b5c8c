"""`aider-stackspot demo`: a whole edit by the real aider, on a copy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hosts.aider.unmodified import commit_all, commits


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aider_stackspot", "demo", *arguments],
        env={**os.environ, "COLUMNS": "110"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.slow
def test_a_file_of_a_copy_is_edited_and_what_comes_next_is_named(isolated: Path) -> None:
    (isolated / "__about__.py").write_text('__version__ = "3.2.1"\n', encoding="utf-8")
    commit_all("A version")
    done = demo("--repo", ".", "--file", "__about__.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert '+__version_info__ = tuple(int(part) for part in __version__.split("."))' in done.stdout
    shown, committed = done.stdout.split("What aider committed:")
    assert "__about__.py" in shown.split("so that the two cannot differ.")[1].splitlines()[2], (
        "aider shows its name whole"
    )
    assert committed.rstrip().endswith("Next: aider-stackspot init")
    assert (isolated / "__about__.py").read_text(encoding="utf-8") == '__version__ = "3.2.1"\n'
    assert commits() == ["A version"]


@pytest.mark.parametrize("file", ["../outside.py", "absent.py"])
def test_a_file_that_is_none_of_the_repositorys_is_refused(isolated: Path, file: str) -> None:
    (isolated.parent / "outside.py").write_text('__version__ = "1"\n', encoding="utf-8")
    (isolated / "README").write_text("hello\n", encoding="utf-8")
    commit_all("A readme")
    done = demo("--repo", ".", "--file", file)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert file in done.stderr
