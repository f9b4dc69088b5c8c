"""What an account's tokens are asked for with, and what is said where it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from aider_stackspot.config import current
from aider_stackspot.pipeline.credentials import credentials_of

FILE = ".aider.litellm.yml"


@pytest.fixture
def home(isolated: Path) -> Path:
    """A home directory whose `.env` has an account."""
    directory = isolated.parent / "home"
    (directory / ".env").write_text("STACKSPOTAI_CLIENT_ID=own-id\nSTACKSPOTAI_CLIENT_KEY=own-key\n", encoding="utf-8")
    return directory


def advice() -> str:
    return credentials_of(current().accounts["stackspot"]).issuer.advice[401]


def test_credentials_of_one_file_are_checked_by_their_names(home: Path) -> None:
    assert advice() == "Check STACKSPOTAI_CLIENT_ID, STACKSPOTAI_CLIENT_KEY and STACKSPOTAI_REALM."


def test_keys_of_a_file_too(home: Path) -> None:
    (home / ".env").unlink()
    (home / FILE).write_text("providers:\n  stackspot:\n    client_id: a\n    api_key: b\n", encoding="utf-8")
    assert advice() == "Check `client_id`, `api_key` and STACKSPOTAI_REALM."


def test_a_projects_id_with_ones_own_key(home: Path, isolated: Path) -> None:
    (isolated / ".env").write_text("STACKSPOTAI_CLIENT_ID=of-the-project\n", encoding="utf-8")
    places = f"The client id is from {isolated / '.env'}, the client key from {home / '.env'}."
    assert advice() == f"Do they belong together? {places}"


def test_the_environment_is_a_place_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKSPOTAI_CLIENT_KEY", "another")
    assert advice().endswith(f"The client id is from {home / '.env'}, the client key from the environment.")
