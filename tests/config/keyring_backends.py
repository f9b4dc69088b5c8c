"""Keyrings for tests, by the interface of the package `keyring`: `PYTHON_KEYRING_BACKEND` names one of them."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked


class Kept(KeyringBackend):  # type: ignore[misc]  # keyring's types are not read
    """Keeps secrets in the file that `TEST_KEYRING` names, and counts how often it was read."""

    priority = 5
    reads = 0

    def _content(self) -> dict[str, str]:
        file = Path(os.environ["TEST_KEYRING"])
        return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}

    def _write(self, content: dict[str, str]) -> None:
        Path(os.environ["TEST_KEYRING"]).write_text(json.dumps(content), encoding="utf-8")

    def get_password(self, service: str, username: str) -> str | None:
        type(self).reads += 1
        return self._content().get(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._write({**self._content(), f"{service} {username}": password})

    def delete_password(self, service: str, username: str) -> None:
        content = self._content()
        del content[f"{service} {username}"]
        self._write(content)


class Locked(Kept):
    """Needs a password that nobody types."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("Failed to unlock the collection!")


class Hanging(Kept):
    """Waits for a dialog that nobody sees."""

    def get_password(self, service: str, username: str) -> str | None:
        time.sleep(3)
        return None


class Waiting(Kept):
    """Waits until somebody has typed its password."""

    opened = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.opened.wait(30)
        return super().get_password(service, username)


class Talkative(Kept):
    """Quotes what it cannot read."""

    def get_password(self, service: str, username: str) -> str | None:
        raise ValueError(f"cannot decrypt {{'secret': '{super().get_password(service, username)}'}}")


class PlaintextKeyring(Kept):
    """Says by its name that it protects nothing."""
