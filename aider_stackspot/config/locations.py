"""Where configuration is looked for: the working directory, its git root, the home directory."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from aider_stackspot.config.inputs import RecordedInputs

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
