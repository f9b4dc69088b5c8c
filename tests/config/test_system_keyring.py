"""A client key in the keyring: when it is looked for, what can go wrong, and whose word chooses the keyring."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aider_stackspot.config import current, system_keyring
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.system_keyring import KEYRING, SERVICE, StoredKey
from aider_stackspot.errors import MissingCredentials
from aider_stackspot.process_start import environment_at_start
from tests.config.keyring_backends import Kept

BACKENDS = "tests.config.keyring_backends"
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def file(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The keyring's file, with the key of an account whose other credentials are in the environment."""
    path = isolated.parent / "keyring.json"
    path.write_text(json.dumps({f"{SERVICE} acme/client-id": "the-stored-key"}), encoding="utf-8")
    for name, value in {
        "TEST_KEYRING": str(path),
        "PYTHON_KEYRING_BACKEND": f"{BACKENDS}.Kept",
        "STACKSPOTAI_CLIENT_ID": "client-id",
        "STACKSPOTAI_REALM": "acme",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(Kept, "reads", 0)
    return path


def problem() -> str:
    with pytest.raises(MissingCredentials) as caught:
        current().accounts["stackspot"].credentials()
    return str(caught.value)


def test_it_is_looked_up_once_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    account = current().accounts["stackspot"]
    assert Kept.reads == 0
    assert [account.credentials()[1].get_secret_value() for _ in range(3)] == ["the-stored-key"] * 3
    assert (account.origin("api_key"), account.named("api_key")) == (KEYRING, "the client key in the keyring")
    assert account.required() == {"STACKSPOTAI_CLIENT_ID": True, "STACKSPOTAI_CLIENT_KEY": True}
    assert Kept.reads == 1
    assert "the-stored-key" not in repr(account)


def test_another_account_of_the_realm_has_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKSPOTAI_CLIENT_ID", "other-id")
    assert "STACKSPOTAI_CLIENT_KEY is not set" in problem()
    assert Kept.reads == 1
    assert "STACKSPOTAI_CLIENT_KEY is not set" in problem(), "and it is not asked again at once"
    assert Kept.reads == 1


def test_a_key_in_a_variable_comes_first_and_loads_no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKSPOTAI_CLIENT_KEY", "of-the-environment")
    code = (
        "import sys; from aider_stackspot.config import current\n"
        "print(current().accounts['stackspot'].credentials()[1].get_secret_value(), 'keyring' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["of-the-environment", "False"], done.stderr


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        (f"{BACKENDS}.Locked", "refused (KeyringLocked: Failed to unlock the collection!). Unlock it and try again"),
        (f"{BACKENDS}.Hanging", "did not answer within 0.2 s. Unlock it and try again"),
        (f"{BACKENDS}.Missing", "refused (AttributeError"),
        (f"{BACKENDS}.PlaintextKeyring", "STACKSPOTAI_CLIENT_KEY is not set"),
        ("keyring.backends.null.Keyring", "STACKSPOTAI_CLIENT_KEY is not set"),
        ("keyring.backends.fail.Keyring", "STACKSPOTAI_CLIENT_KEY is not set"),
    ],
)
def test_a_keyring_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, backend: str, words: str) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", backend)
    monkeypatch.setattr(system_keyring, "LIMIT", 0.2 if backend.endswith("Hanging") else 30.0)
    assert words in problem()


@pytest.mark.parametrize("name", ["PYTHON_KEYRING_BACKEND", "DBUS_SESSION_BUS_ADDRESS", "KEYRING_PROPERTY_KEYCHAIN"])
def test_no_project_chooses_the_keyring(isolated: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """What aider loads from a project's `.env` stands in the environment, and these name code that a keyring runs."""
    value = os.environ.get(name) or "unixexec:path=evil"
    (isolated / ".env").write_text(f"{name}={value}\n", encoding="utf-8")
    monkeypatch.setenv(name, value)
    assert f"was not opened: {name}, which leads to one, is not your choice." in problem()
    assert Kept.reads == 0


@pytest.mark.parametrize("line", ["PYTHON_KEYRING_BACKEND=\n", "PYTHON_KEYRING_BACKEND=''\n", None])
def test_no_project_takes_the_users_choice_away(
    isolated: Path, monkeypatch: pytest.MonkeyPatch, line: str | None
) -> None:
    monkeypatch.setitem(environment_at_start, "PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    if line is None:
        monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    else:
        (isolated / ".env").write_text(line, encoding="utf-8")
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "")  # as aider does with what it reads there
    assert "was not opened: PYTHON_KEYRING_BACKEND, which leads to one, is not your choice." in problem()


def test_a_variable_that_the_user_left_empty_is_their_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(environment_at_start, "KEYRING_PROPERTY_KEYCHAIN", "")
    monkeypatch.setenv("KEYRING_PROPERTY_KEYCHAIN", "")
    assert current().accounts["stackspot"].credentials()[1].get_secret_value() == "the-stored-key"


PROJECT = "STACKSPOTAI_CLIENT_ID=client-id\nSTACKSPOTAI_REALM=acme\n"
LAB = "providers:\n  lab:\n    type: stackspot\n    auth_url: https://idm.lab.example\n"


@pytest.mark.parametrize(
    ("left", "own"),
    [
        ((), ""),
        (("STACKSPOTAI_CLIENT_ID",), ""),
        (("STACKSPOTAI_REALM",), ""),
        ((), f"{LAB}    client_id: client-id\n    client_realm: ${{STACKSPOTAI_REALM}}\n"),
    ],
)
def test_no_project_chooses_among_the_keys(
    isolated: Path, monkeypatch: pytest.MonkeyPatch, left: tuple[str, ...], own: str
) -> None:
    for name in ("STACKSPOTAI_CLIENT_ID", "STACKSPOTAI_REALM"):
        if name not in left:
            monkeypatch.delenv(name)
    (isolated / ".env").write_text(PROJECT, encoding="utf-8")
    (Path.home() / ".aider.litellm.yml").write_text(own, encoding="utf-8")
    account = current().accounts["lab" if own else "stackspot"]
    assert (account.client_id, account.realm, account.stored_key) == ("client-id", "acme", None)


def test_a_project_may_name_the_account_that_is_the_users(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for directory in (isolated, Path.home()):
        (directory / ".env").write_text(PROJECT, encoding="utf-8")
    assert current().accounts["stackspot"].credentials()[1].get_secret_value() == "the-stored-key"


def test_a_key_is_for_one_host(file: Path) -> None:
    (Path.home() / ".aider.litellm.yml").write_text(LAB, encoding="utf-8")
    lab = current().accounts["lab"]
    assert (lab.client_id, lab.realm, lab.key()) == ("client-id", "acme", None)
    content = {f"{SERVICE} acme/client-id@https://idm.lab.example": "the-labs-key"}
    file.write_text(json.dumps(content), encoding="utf-8")
    (Path.home() / ".aider.litellm.yml").write_text(f"{LAB}    timeout: 9\n", encoding="utf-8")
    assert current().accounts["lab"].credentials()[1].get_secret_value() == "the-labs-key"


def test_no_two_accounts_have_the_same_name() -> None:
    accounts = [("acme", "x/y"), ("acme/x", "y"), ("acme", "x%2Fy"), ("acme", "x@https://lab.example")]
    places = [StoredKey.of(Environment(), *account) for account in accounts]
    places += [StoredKey.of(Environment(), "acme", "x", "https://lab.example")]
    users = [place.user for place in places if place is not None]
    assert users[0] == "acme/x%2Fy"
    assert len(set(users)) == len(accounts) + 1
