"""Which files of a project the user has vouched for, by path and content, as `direnv allow` does."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from aider_stackspot.config.inputs import RecordedInputs
from aider_stackspot.files import locked, private_directory, write_atomically

LOCATION = Path(".aider") / "aider-stackspot" / "trusted.json"
"""Below the home directory."""
_MAX_STORE_BYTES = 4 * 1024 * 1024


class TrustStore:
    """The record of trusted files: absolute path to SHA-256 of the content that was trusted.

    A file that changed since is not trusted any more.
    """

    def __init__(self, home: Path | None, surroundings: RecordedInputs) -> None:
        self.path = home / LOCATION if home is not None else None
        self._surroundings = surroundings
        self._digests: dict[str, str] | None = None

    def has(self, path: Path, content: bytes) -> bool:
        """Tell whether a file with this content, the very bytes that are going to be used, was trusted."""
        recorded = self.entries().get(_key(path))
        return recorded is not None and recorded == digest(content)

    def entries(self) -> dict[str, str]:
        """Return all records; an unreadable store has none."""
        if self._digests is None:
            self._digests = self._load()
        return self._digests

    def add(self, path: Path, content: bytes) -> None:
        """Trust a file with this content.

        Raises:
            OSError: the store cannot be written.
        """
        self._change(lambda entries: {**entries, _key(path): digest(content)})

    def revoke(self, path: Path) -> bool:
        """Forget a file; return whether it was known.

        Raises:
            OSError: the store cannot be written.
        """
        if _key(path) not in self.entries():
            return False
        self._change(lambda entries: {key: value for key, value in entries.items() if key != _key(path)})
        return True

    def _load(self) -> dict[str, str]:
        if self.path is None:
            return {}
        try:
            stored = json.loads(self._surroundings.read(self.path, _MAX_STORE_BYTES) or b"")
        except (OSError, ValueError, RecursionError):
            return {}
        files = stored.get("files") if isinstance(stored, dict) else None
        if not isinstance(files, dict):
            return {}
        return {str(path): str(recorded) for path, recorded in files.items()}

    def _change(self, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
        """Read, change and write the store, while no other process does."""
        if self.path is None:
            raise OSError("there is no home directory to keep the record in")
        private_directory(self.path.parent)
        with locked(self.path):
            entries = change(self._load())
            text = json.dumps({"version": 1, "files": entries}, indent=2, sort_keys=True)
            write_atomically(self.path, text, 0o600)
        self._digests = entries


def digest(content: bytes) -> str:
    """Return what is recorded of a content."""
    return hashlib.sha256(content).hexdigest()


def _key(path: Path) -> str:
    return os.path.realpath(path)
