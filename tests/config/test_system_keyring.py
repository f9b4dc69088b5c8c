"""A client key in the keyring: when it is looked for, what can go wrong, and whose word chooses the keyring."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aider_stackspot import StackSpotProvider
from aider_stackspot.config import current, system_keyring
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.system_keyring import KEYRING, SERVICE, StoredKey
from aider_stackspot.emulator import Emulator
from aider_stackspot.errors import AuthenticationFailed, MissingCredentials
from aider_stackspot.process_start import environment_at_start
from tests.config.keyring_backends import Kept, Waiting

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
    monkeypatch.setattr(system_keyring, "_places", {})
    monkeypatch.setattr(system_keyring, "_thread", system_keyring.new_thread())
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


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A keyring that waits for its password."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{BACKENDS}.Waiting")
    monkeypatch.setattr(Waiting, "opened", threading.Event())
    monkeypatch.setattr(Waiting, "reads", 0)
    yield Waiting.opened
    Waiting.opened.set()


def threads() -> int:
    return sum(thread.name == "keyring" for thread in threading.enumerate())


def test_a_keyring_that_hangs_costs_one_thread_and_one_wait(
    password: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_keyring, "LIMIT", 0.2)
    monkeypatch.setattr(system_keyring, "_AGAIN_AFTER", 0.0)
    before = threads()
    assert "did not answer within 0.2 s" in problem()
    monkeypatch.setenv("STACKSPOTAI_CLIENT_ID", "other-id")
    for _ in range(3):
        assert "did not answer within 0.2 s" in problem()
    assert threads() == before + 1
    password.set()
    monkeypatch.setattr(system_keyring, "LIMIT", 30.0)
    assert "STACKSPOTAI_CLIENT_KEY is not set" in problem(), "and it is asked again once it answers"


def test_an_event_loop_stands_still_for_a_moment_and_finds_the_key_later(
    password: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_keyring, "_LIMIT_OF_LOOP", 0.1)

    async def call() -> str:
        return problem()

    found = asyncio.run(call())
    assert "did not answer within 0.1 s. Unlock it and try again, or set STACKSPOTAI_CLIENT_KEY." in found
    password.set()
    end = time.monotonic() + 30
    while current().accounts["stackspot"].key() is None and time.monotonic() < end:
        time.sleep(0.01)
    assert current().accounts["stackspot"].credentials()[1].get_secret_value() == "the-stored-key"
    assert Waiting.reads == 1, "the late answer was kept"


def test_whoever_waits_is_told_for_what(
    password: threading.Event, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(system_keyring, "_thread", system_keyring.new_thread(noticed_after=0.05))
    monkeypatch.setattr(system_keyring, "LIMIT", 0.3)
    monkeypatch.setattr(system_keyring, "_tell", system_keyring.log.warning)
    problem()
    assert caplog.messages == ["Waiting for the system's keyring …"]


def test_aider_shows_that_the_keyring_is_waited_for() -> None:
    """Nothing that is logged reaches aider's screen, and its start waits for the keyring."""
    code = (
        "import aider.models; from aider_stackspot.config import system_keyring\n"
        "from aider_stackspot.pipeline import notices; print(system_keyring._tell is notices.warn)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["True"], done.stderr


@pytest.mark.parametrize("key", ["aB3dE5fG7hJ9kL2mN4pQ6rS8", "sk-abcdef1234"])
def test_a_keyrings_error_does_not_show_the_key(file: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    file.write_text(json.dumps({f"{SERVICE} acme/client-id": key}), encoding="utf-8")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{BACKENDS}.Talkative")
    assert "refused (ValueError: cannot decrypt {'secret': […])" in problem()


def test_a_key_that_was_refused_is_read_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Emulator(credentials={("acme", "client-id"): "the-stored-key"}) as emulator:
        for name, value in emulator.environment().items():
            if name.endswith(("_URL", "_BASE")):
                monkeypatch.setenv(name, value)
        place = f"{SERVICE} acme/client-id@{os.environ['STACKSPOTAI_AUTH_URL']}"

        def ask(key: str) -> None:
            file.write_text(json.dumps({place: key}), encoding="utf-8")
            StackSpotProvider().completion_sync([{"role": "user", "content": "Hi"}], model="stackspot-ai-code")

        ask("the-stored-key")
        emulator.rotate("acme", "client-id", "the-rotated-key")
        emulator.revoke_tokens()
        with pytest.raises(AuthenticationFailed):
            ask("the-rotated-key")
        ask("the-rotated-key")
        assert Kept.reads == 2


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
    lab.forget_stored_key()
    assert current().accounts["lab"].credentials()[1].get_secret_value() == "the-labs-key"


def test_no_two_accounts_have_the_same_name() -> None:
    accounts = [("acme", "x/y"), ("acme/x", "y"), ("acme", "x%2Fy"), ("acme", "x@https://lab.example")]
    places = [StoredKey.of(Environment(), *account) for account in accounts]
    places += [StoredKey.of(Environment(), "acme", "x", "https://lab.example")]
    users = [place.user for place in places if place is not None]
    assert users[0] == "acme/x%2Fy"
    assert len(set(users)) == len(accounts) + 1
