"""aider as its users start it: a child process, with no terminal and without what asks hosts of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROGRAM = shutil.which("aider", path=str(Path(sys.executable).parent)) or "aider"
OPTIONS = ["--yes-always", "--no-check-update", "--no-show-release-notes", "--analytics-disable", "--no-gitignore"]


def aider(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run aider to its end in the current directory.

    Args:
        arguments: aider's, beside `OPTIONS`.
        variables: environment variables beside those of this process.
    """
    return subprocess.run(
        [PROGRAM, *OPTIONS, *arguments],
        env={**os.environ, "COLUMNS": "200", **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def commit_all(message: str) -> None:
    """Make the current directory a git repository, with what is in it committed."""
    for arguments in (
        ["init", "--quiet"],
        ["config", "user.name", "Somebody"],
        ["config", "user.email", "somebody@example.com"],
        ["add", "."],
        ["commit", "--quiet", "--message", message],
    ):
        subprocess.run(["git", *arguments], check=True, capture_output=True)


def commits() -> list[str]:
    """Return the subjects of the current repository's commits, the newest first."""
    return subprocess.run(["git", "log", "--format=%s"], capture_output=True, text=True, check=True).stdout.splitlines()
