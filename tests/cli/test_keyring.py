"""The commands with a keyring: `init` offers it, `status` and `doctor` name it, `logout` takes the key out of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aider_stackspot.config import system_keyring
from aider_stackspot.emulator import Emulator
from tests.cli.command import Run
from tests.cli.person import DOWN, Seen, at_a_terminal

pytest_plugins = ["tests.cli.cli_fixtures"]

KEY = "the-client-key-of-acme"
ROOT = Path(__file__).parents[2]
ANSWERS = [("For whom", "\r"), ("Client id", "client-id\r"), ("Client key", f"{KEY}\r"), ("Realm", "acme\r")]
AGENTS = [(f"Agent for {name} ", "\r") for name in ("stackspot-ai-code", "stackspot-ai-chat", "stackspot-ai")]
WHERE = "Where to keep the client key"


@pytest.fixture
def keyring(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of a keyring that keeps what it is given, beside a StackSpot."""
    file = isolated.parent / "keyring.json"
    with Emulator(credentials={("acme", "client-id"): KEY}) as running:
        for name, value in running.environment().items():
            if name.endswith(("_URL", "_BASE")):
                monkeypatch.setenv(name, value)
        monkeypatch.setattr(system_keyring, "_places", {})
        monkeypatch.setenv("TEST_KEYRING", str(file))
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.config.keyring_backends.Kept")
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
        yield file


def entry(account: str = "acme/client-id") -> str:
    """The place of an account's key: its tokens are not StackSpot's."""
    return f"aider-stackspot {account}@{os.environ['STACKSPOTAI_AUTH_URL']}"


@pytest.fixture
def stored(keyring: Path) -> Path:
    """The user's account, in their home and in the keyring."""
    keyring.write_text(json.dumps({entry(): KEY}), encoding="utf-8")
    env = keyring.with_name("home") / ".env"
    env.write_text("STACKSPOTAI_CLIENT_ID=client-id\nSTACKSPOTAI_REALM=acme\n", encoding="utf-8")
    return env


def init(*more: tuple[str, str], **variables: str) -> Seen:
    return at_a_terminal("init", typed=[*ANSWERS, *AGENTS, *more], columns=110, **variables)


@pytest.mark.slow
def test_the_key_goes_into_the_keyring_is_used_named_and_taken_out(keyring: Path) -> None:
    seen = init((WHERE, "\r"))
    assert seen.status == 0, seen.text
    assert " » the system's keyring (keyring backends Kept)" in "\n".join(seen.screens[-1])
    assert "  the system's keyring: the client key, for aider-stackspot\n" in seen.text
    assert KEY not in seen.text
    env = keyring.with_name("home") / ".env"
    assert env.read_text(encoding="utf-8") == "STACKSPOTAI_CLIENT_ID=client-id\nSTACKSPOTAI_REALM=acme\n"
    assert json.loads(keyring.read_text(encoding="utf-8")) == {entry(): KEY}
    assert "client key in the system's keyring" in at_a_terminal("status", columns=200).text
    assert "stackspot.api_key: set  (the system's keyring)" in at_a_terminal("doctor", "--offline", columns=110).text
    again = at_a_terminal("init", typed=[(question, "\r") for question, _ in (*ANSWERS, *AGENTS, (WHERE, ""))])
    assert again.status == 0, "what is there is the default"
    left = at_a_terminal("logout", "--force").text
    assert "the client key of acme/client-id@http" in " ".join(left.split())
    assert json.loads(keyring.read_text(encoding="utf-8")) == {}
    assert env.read_text(encoding="utf-8") == "STACKSPOTAI_REALM=acme\n"


@pytest.mark.slow
def test_a_key_leaves_the_file_for_the_keyring_and_says_so(keyring: Path) -> None:
    assert init((WHERE, f"{DOWN}\r")).status == 0
    env = keyring.with_name("home") / ".env"
    assert f"STACKSPOTAI_CLIENT_KEY={KEY}" in env.read_text(encoding="utf-8")
    assert not keyring.exists()
    moved = init((WHERE, "\x1b[A\r"))
    assert "client id and realm, and no client key any more; readable only by you" in " ".join(moved.text.split())
    assert KEY not in env.read_text(encoding="utf-8")
    assert KEY in keyring.read_text(encoding="utf-8")


@pytest.mark.slow
def test_without_a_keyring_that_works_nobody_is_asked(keyring: Path) -> None:
    seen = init(PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring")
    assert seen.status == 0, seen.text
    assert WHERE not in seen.text
    assert KEY in (keyring.with_name("home") / ".env").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_locked_keyring_says_what_to_do(keyring: Path) -> None:
    assert init((WHERE, "\r")).status == 0
    for command in ("status", "logout"):
        seen = at_a_terminal(command, PYTHON_KEYRING_BACKEND="tests.config.keyring_backends.Locked")
        assert "refused (KeyringLocked" in seen.text
        assert "Unlock it and try again" in " ".join(seen.text.split())
        assert seen.status == 1


@pytest.mark.parametrize("options", [[], ["--project", "--client-id", "client-id", "--realm", "acme"]])
def test_a_key_of_the_keyring_stays_there(stored: Path, run: Run, options: list[str]) -> None:
    done = run("init", "--non-interactive", "--no-check", *options)
    assert done.status == 0, done.err
    assert "The client key stays in the system's keyring." in done.err
    assert "Other credentials" not in done.err
    written = Path(".env") if options else stored
    assert written.read_text(encoding="utf-8") == "STACKSPOTAI_CLIENT_ID=client-id\nSTACKSPOTAI_REALM=acme\n"


def test_a_project_is_given_no_other_key_of_the_keyring(stored: Path, run: Run) -> None:
    stored.write_text("STACKSPOTAI_REALM=acme\n", encoding="utf-8")
    Path(".env").write_text("STACKSPOTAI_CLIENT_ID=client-id\n", encoding="utf-8")
    done = run("init", "--non-interactive", "--no-check", "--project", "--realm", "acme")
    assert (done.status, "STACKSPOTAI_CLIENT_KEY (or --client-key-stdin)" in done.err) == (2, True)


def test_logout_that_fails_leaves_the_names_of_the_accounts(
    stored: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored.read_text(encoding="utf-8")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.config.keyring_backends.Locked")
    done = run("logout", "--force")
    assert (done.status, stored.read_text(encoding="utf-8")) == (1, before)
    assert "refused (KeyringLocked" in done.err


def test_logout_takes_out_the_users_keys_whatever_a_project_says(keyring: Path, stored: Path, run: Run) -> None:
    others = {entry("acme/of-nobody"): "1", entry("evil/client-id"): "2"}
    keyring.write_text(json.dumps({entry(): KEY, entry("acme/second"): "3", **others}), encoding="utf-8")
    Path(".env").write_text("STACKSPOTAI_CLIENT_ID=of-nobody\nSTACKSPOTAI_REALM=evil\n", encoding="utf-8")
    second = "providers:\n  second:\n    type: stackspot\n    client_id: second\n    client_realm: acme\n"
    stored.with_name(".aider.litellm.yml").write_text(second, encoding="utf-8")
    done = run("logout", "--force")
    assert done.status == 0, done.err
    assert f"the client key of {entry().split()[1]} in the system's keyring" in done.err
    assert f"the client key of {entry('acme/second').split()[1]} in the system's keyring" in done.err
    assert json.loads(keyring.read_text(encoding="utf-8")) == others
    assert stored.read_text(encoding="utf-8") == "STACKSPOTAI_REALM=acme\n"
