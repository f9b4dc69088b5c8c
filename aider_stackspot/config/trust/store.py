"""Which files of a project the user has vouched for, by path and content, as `direnv allow` does."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aider_stackspot.config.locations import RecordedInputs
from aider_stackspot.files import locked, private_directory, write_atomically

LOCATION = Path(".aider") / "aider-stackspot" / "trusted.json"
"""Below the home directory."""
MAX_NAMED_FILE_BYTES = 4 * 1024 * 1024
"""A bundle of all the usual certificate authorities has a quarter of a mebibyte."""
_MAX_STORE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class TrustedFile:
    """What is recorded of a trusted file: the digest of its content, and those of the files that it named, by path."""

    digest: str
    named: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, content: bytes, named: Mapping[Path, bytes] | None = None) -> TrustedFile:
        """Return the record of a file with this content, and of the files that it names with theirs."""
        return cls(digest(content), {_key(other): digest(text) for other, text in (named or {}).items()})


class TrustStore:
    """The record of trusted files: absolute path to SHA-256 of the content that was trusted.

    A file that changed since is not trusted any more, nor one that names a file which changed since. Of a file that the
    user was asked about and did not trust, the content that they saw is recorded too.
    """

    def __init__(self, home: Path | None, inputs: RecordedInputs) -> None:
        self.path = home / LOCATION if home is not None else None
        self._inputs = inputs
        self._entries: dict[str, TrustedFile] | None = None
        self._declined: dict[str, str] = {}

    def has(self, path: Path, content: bytes) -> bool:
        """Tell whether a file with this content, the very bytes that are going to be used, was trusted."""
        recorded = self.entries().get(_key(path))
        if recorded is None or recorded.digest != digest(content):
            return False
        return all(self._is_unchanged(Path(name), known) for name, known in recorded.named.items())

    def covers(self, path: Path, named: Path) -> bool:
        """Tell whether a trusted file named another one when it was trusted."""
        recorded = self.entries().get(_key(path))
        return recorded is not None and _key(named) in recorded.named

    def entries(self) -> dict[str, TrustedFile]:
        """Return all records by path; an unreadable store has none."""
        if self._entries is None:
            self._entries, self._declined = self._load()
        return self._entries

    def has_declined(self, path: Path, content: bytes) -> bool:
        """Tell whether the user was asked about a file with this content, and did not trust it."""
        self.entries()
        return self._declined.get(_key(path)) == digest(content)

    def add(self, path: Path, content: bytes, named: Mapping[Path, bytes] | None = None) -> None:
        """Trust a file with this content, and the files that it names with theirs.

        Raises:
            OSError: the store cannot be written.
        """
        self._change(path, TrustedFile.of(content, named))

    def suppose(self, path: Path, trusted: TrustedFile) -> None:
        """Take a file for trusted, without a record of it: what would that change?"""
        self.entries()[_key(path)] = trusted

    def decline(self, path: Path, content: bytes) -> None:
        """Remember that the user did not trust a file with this content when they were asked.

        Raises:
            OSError: the store cannot be written.
        """
        self._change(path, declined=digest(content))

    def revoke(self, path: Path) -> bool:
        """Forget a file; return whether it was known.

        Raises:
            OSError: the store cannot be written.
        """
        if _key(path) not in self.entries():
            return False
        self._change(path)
        return True

    def _is_unchanged(self, path: Path, known: str) -> bool:
        try:
            content = self._inputs.read(path, MAX_NAMED_FILE_BYTES)
        except OSError:
            return False
        return content is not None and digest(content) == known

    def _load(self) -> tuple[dict[str, TrustedFile], dict[str, str]]:
        if self.path is None:
            return {}, {}
        try:
            stored = json.loads(self._inputs.read(self.path, _MAX_STORE_BYTES) or b"")
        except (OSError, ValueError, RecursionError):
            return {}, {}
        files, declined = _object(stored, "files"), _object(stored, "declined")
        entries = {str(path): entry for path, record in files.items() if (entry := _entry(record)) is not None}
        return entries, {str(path): known for path, known in declined.items() if isinstance(known, str)}

    def _change(self, path: Path, trusted: TrustedFile | None = None, *, declined: str | None = None) -> None:
        """Read the store, put what is now known of one file in the place of what was, and write it, in one's turn."""
        if self.path is None:
            raise OSError("there is no home directory to keep the record in")
        key = _key(path)
        private_directory(self.path.parent)
        with locked(self.path):
            all_entries, all_declined = self._load()
            entries = {known: entry for known, entry in all_entries.items() if known != key}
            refusals = {known: content for known, content in all_declined.items() if known != key}
            if trusted is not None:
                entries[key] = trusted
            if declined is not None:
                refusals[key] = declined
            files = {known: {"sha256": entry.digest, "named": dict(entry.named)} for known, entry in entries.items()}
            stored = {"version": 2, "files": files, "declined": refusals}
            write_atomically(self.path, json.dumps(stored, indent=2, sort_keys=True), 0o600)
        self._entries, self._declined = entries, refusals


def _object(stored: object, key: str) -> dict[str, object]:
    value = stored.get(key) if isinstance(stored, dict) else None
    return value if isinstance(value, dict) else {}


def _entry(record: object) -> TrustedFile | None:
    if isinstance(record, str):  # as version 1 wrote it
        return TrustedFile(record)
    named = record.get("named") if isinstance(record, dict) else None
    if not isinstance(record, dict) or not isinstance(record.get("sha256"), str) or not isinstance(named, dict):
        return None
    return TrustedFile(record["sha256"], {str(path): str(known) for path, known in named.items()})


def digest(content: bytes) -> str:
    """Return what is recorded of a content."""
    return hashlib.sha256(content).hexdigest()


def _key(path: Path) -> str:
    return os.path.realpath(path)
