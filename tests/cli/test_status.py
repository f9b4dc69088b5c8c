"""`aider-stackspot status` and `logout`: who you are, in a few lines, and how to be nobody again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from aider_stackspot.cli import logout as logout_room
from aider_stackspot.emulator import Emulator, Fault
from tests.cli.command import Run

pytest_plugins = ["tests.cli.cli_fixtures"]

AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
KEY = "the-client-key-of-acme"
CREDENTIALS = f"STACKSPOTAI_CLIENT_ID=client-id\nSTACKSPOTAI_CLIENT_KEY={KEY}\n"


@pytest.fixture
def home() -> Path:
    return Path.home()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[Emulator]:
    """A StackSpot, with its credentials in the home directory."""
    (home / ".env").write_text(f"# mine\n{CREDENTIALS}STACKSPOTAI_REALM=acme\nB=2\n", encoding="utf-8")
    with Emulator(credentials={("acme", "client-id"): KEY}) as running:
        for name, value in running.environment().items():
            if name.endswith(("_URL", "_BASE")):
                monkeypatch.setenv(name, value)
        yield running


def test_a_line_each(service: Emulator, run: Run, home: Path) -> None:
    (home / ".aider.litellm.yml").write_text(
        f"providers: {{stackspot: {{models: {{stackspot-ai-code: {{agent_id: {AGENT}}}}}}}}}", encoding="utf-8"
    )
    done = run("status")
    assert done.status == 0, done.out
    lines = [line.split(" ", 1)[1] for line in done.out.splitlines()]
    assert lines[0] == (
        f"account stackspot: realm acme, client id client-id (STACKSPOTAI_CLIENT_ID in {home / '.env'})"
    )
    assert lines[1].startswith("token for stackspot: valid for ")
    assert sorted(lines[2:4]) == [
        f"agent {AGENT}: set up for stackspot-ai-code",
        "the portal's own chat: set up for stackspot-ai, stackspot-ai-chat",
    ]
    assert lines[4:] == ["models: 3 of StackSpot; to list them: aider-stackspot models"]
    assert len(service.token_requests) == 1
    assert service.chat_requests == []
    assert KEY not in done.out


def test_refused_credentials_are_status_1(service: Emulator, run: Run) -> None:
    service.fail("token", Fault.status(401), times=None)
    done = run("status")
    assert done.status == 1
    assert "refused the credentials" in done.out
    assert "→ Copy client id, client key and realm from the portal again: aider-stackspot init." in done.out
    told = json.loads(run("status", "--json").out)
    assert told["ok"] is False
    assert [each["status"] for each in told["findings"][:2]] == ["ok", "failed"]


def test_nobody_is_status_1_and_is_told_what_to_do(run: Run) -> None:
    done = run("status")
    assert done.status == 1
    assert "account stackspot: STACKSPOTAI_CLIENT_ID and STACKSPOTAI_CLIENT_KEY not set" in done.out
    assert "aider-stackspot init" in done.out
    assert "token" not in done.out


def test_who_has_only_another_server_needs_no_account(run: Run, home: Path) -> None:
    (home / ".aider.litellm.yml").write_text("providers: {gpu: {base_url: 'http://localhost:9/v1'}}")
    done = run("status")
    assert (done.status, done.out.splitlines()[0]) == (
        0,
        "· stackspot: not set up; your other servers do not need it. To use StackSpot's models, run: "
        "aider-stackspot init",
    )
    assert "1 other server" in done.out


def test_a_file_that_cannot_be_used_is_status_1(run: Run, home: Path) -> None:
    (home / ".aider.litellm.yml").write_text("providers: [", encoding="utf-8")
    done = run("status")
    assert done.status == 1
    assert ".aider.litellm.yml" in done.out


def test_logout_takes_two_lines_out_and_nothing_else(service: Emulator, run: Run, home: Path) -> None:
    done = run("logout", "--force")
    assert done.status == 0, done.err
    assert f"STACKSPOTAI_CLIENT_ID and STACKSPOTAI_CLIENT_KEY in {home / '.env'}." in done.err
    assert KEY not in done.out + done.err
    assert (home / ".env").read_text(encoding="utf-8") == "# mine\nSTACKSPOTAI_REALM=acme\nB=2\n"
    assert run("status").status == 1
    again = run("logout")
    assert (again.status, again.out) == (0, f"{home / '.env'} has no StackSpot credentials.\n")


def test_logout_asks_and_takes_no_for_an_answer(
    service: Emulator, run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (home / ".env").read_text(encoding="utf-8")
    assert run("logout").status == 2, "there is nobody to ask"
    monkeypatch.setattr(logout_room, "is_interactive", lambda: True)
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: False)
    done = run("logout")
    assert done.status == 1
    assert done.err.endswith("Nothing was written.\n")
    assert (home / ".env").read_text(encoding="utf-8") == before


def test_logout_tells_where_credentials_still_come_from(
    service: Emulator, run: Run, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACKSPOTAI_CLIENT_ID", "other")
    (isolated / ".env").write_text(CREDENTIALS, encoding="utf-8")
    done = run("logout", "--force")
    assert "still in use here: STACKSPOTAI_CLIENT_ID in the environment" in done.err
    assert f"STACKSPOTAI_CLIENT_KEY in {isolated / '.env'}" in done.err
    assert (isolated / ".env").read_text(encoding="utf-8") == CREDENTIALS
