"""What `init` writes, where, and what it leaves as it is."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from aider_stackspot.config import current
from aider_stackspot.emulator import Emulator
from tests.cli.command import Run
from tests.cli.init_fixtures import AGENT, KEY, NAMES, OTHER, quietly

pytest_plugins = ["tests.cli.cli_fixtures", "tests.cli.init_fixtures"]


def test_what_it_writes_is_what_aider_reads(service: Emulator, run: Run, isolated: Path) -> None:
    assert quietly(run, "--agent", AGENT, "--agent", f"stackspot-ai={OTHER}").status == 0
    settings = current()
    assert settings.problem is None
    assert settings.notices == ()
    account = settings.accounts["stackspot"]
    assert account.client_id == "client-id"
    assert account.client_key is not None
    assert account.client_key.get_secret_value() == KEY
    assert account.realm == "acme"
    assert (settings.models["stackspot-ai-code"].api, settings.models["stackspot-ai-code"].agent_id) == ("agent", AGENT)
    assert settings.models["stackspot-ai"].agent_id == OTHER


def test_the_credentials_are_the_owners_alone(service: Emulator, run: Run, isolated: Path) -> None:
    (isolated / ".env").write_text("A=1\n", encoding="utf-8")
    (isolated / ".env").chmod(0o644)
    quietly(run)
    if os.name != "nt":  # Windows has no such modes
        assert stat.S_IMODE((isolated / ".env").stat().st_mode) == 0o600
    assert [path.name for path in isolated.iterdir()] == [".env"], "nothing temporary is left"


def test_existing_lines_stay(service: Emulator, run: Run, isolated: Path) -> None:
    before = "# mine\r\nOPENAI_API_KEY='x y'\r\nexport STACKSPOTAI_REALM=\r\nLAST=1"
    (isolated / ".env").write_bytes(before.encode())
    assert quietly(run).status == 0
    after = (isolated / ".env").read_bytes().decode()
    assert after.startswith("# mine\r\nOPENAI_API_KEY='x y'\r\nexport STACKSPOTAI_REALM=acme\r\nLAST=1\r\n")
    assert after.endswith("STACKSPOTAI_CLIENT_ID=client-id\r\nSTACKSPOTAI_CLIENT_KEY=client-key\r\n")


def test_git_never_sees_the_credentials(service: Emulator, run: Run, isolated: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=isolated, check=True)
    (isolated / ".gitignore").write_text("build", encoding="utf-8")
    assert quietly(run).status == 0
    assert (isolated / ".gitignore").read_text(encoding="utf-8") == "build\n.env\n"
    status = subprocess.run(["git", "status", "--short"], cwd=isolated, capture_output=True, text=True).stdout
    assert ".env" not in status
    assert quietly(run).status == 0
    assert (isolated / ".gitignore").read_text(encoding="utf-8") == "build\n.env\n"


def test_a_tracked_env_file_is_refused(service: Emulator, run: Run, isolated: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=isolated, check=True)
    (isolated / ".env").write_text("A=1\n", encoding="utf-8")
    subprocess.run(["git", "add", "--force", ".env"], cwd=isolated, check=True)
    done = quietly(run)
    assert done.status == 2
    assert "under version control" in done.err
    assert (isolated / ".env").read_text(encoding="utf-8") == "A=1\n"


def test_nothing_is_replaced_without_being_asked_for(service: Emulator, run: Run, isolated: Path) -> None:
    (isolated / ".env").write_text("STACKSPOTAI_CLIENT_ID=older\n", encoding="utf-8")
    done = quietly(run)
    assert done.status == 2
    assert "--force" in done.err
    assert (isolated / ".env").read_text(encoding="utf-8") == "STACKSPOTAI_CLIENT_ID=older\n"
    assert quietly(run, "--force").status == 0
    assert "older" not in (isolated / ".env").read_text(encoding="utf-8")


OWN = """# mine
providers:
  stackspot:
    timeout: 99  # seconds
    extra_headers: {X-Team: secret-of-the-team}
    models:
      stackspot-ai-code:
        tools: false
  lan:
    api_base: http://localhost:1/v1
"""


def test_agents_go_into_the_file_that_is_there(
    service: Emulator, run: Run, isolated: Path, answer: Callable[..., list[str]]
) -> None:
    config = isolated / ".aider.litellm.yml"
    config.write_text(OWN, encoding="utf-8")
    asked = answer("project", "client-id", KEY, "acme", "1", "-", "-", True)
    done = run("init")
    assert done.status == 0, done.err
    assert config.read_text(encoding="utf-8") == OWN.replace(
        "        tools: false\n", f'        tools: false\n        agent_id: "{AGENT}"\n'
    )
    assert f'\n    +        agent_id: "{AGENT}"\n' in done.err
    assert "secret-of-the-team" not in done.err
    assert asked[-1] == "Make this change?"
    assert sorted(path.name for path in isolated.iterdir()) == [".aider.litellm.yml", ".env"]


def test_saying_no_to_the_change_saves_the_credentials(
    service: Emulator, run: Run, isolated: Path, answer: Callable[..., list[str]]
) -> None:
    config = isolated / ".aider.litellm.yml"
    config.write_text(OWN, encoding="utf-8")
    answer("project", "client-id", KEY, "acme", "1", "1", "1", False)
    assert run("init").status == 0
    assert config.read_text(encoding="utf-8") == OWN
    assert f"STACKSPOTAI_CLIENT_KEY={KEY}" in (isolated / ".env").read_text(encoding="utf-8")


def test_what_another_program_writes_while_it_asks_stays(
    service: Emulator, run: Run, isolated: Path, answer: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = isolated / ".aider.litellm.yml"
    config.write_text(OWN, encoding="utf-8")
    answer("project", "client-id", KEY, "acme", "1", "-", "-")

    def confirm(*_: object, **__: object) -> bool:
        config.write_text(OWN.replace("timeout: 99", "timeout: 100"), encoding="utf-8")
        (isolated / ".env").write_text("NEW=1\n", encoding="utf-8")
        return True

    monkeypatch.setattr(typer, "confirm", confirm)
    assert run("init").status == 0
    written = config.read_text(encoding="utf-8")
    assert "timeout: 100" in written
    assert AGENT in written
    assert (isolated / ".env").read_text(encoding="utf-8").startswith("NEW=1\nSTACKSPOTAI_CLIENT_ID=client-id\n")


def test_a_file_that_cannot_be_changed_safely_costs_nobody_their_key(
    service: Emulator, run: Run, isolated: Path, answer: Callable[..., list[str]]
) -> None:
    config = isolated / ".aider.litellm.yml"
    config.write_text("providers:\n  stackspot:\n    models: [stackspot-ai-code]\n", encoding="utf-8")
    answer("project", "client-id", KEY, "acme", "1", "-", "-")
    done = run("init")
    assert done.status == 0
    assert "by hand" in done.err
    assert f"STACKSPOTAI_CLIENT_KEY={KEY}" in (isolated / ".env").read_text(encoding="utf-8")


def test_without_agents_an_existing_configuration_is_left_alone(service: Emulator, run: Run, isolated: Path) -> None:
    config = isolated / ".aider.litellm.yml"
    config.write_text("providers:\n  stackspot:\n    timeout: 99\n", encoding="utf-8")
    done = quietly(run)
    assert done.status == 0
    assert "timeout: 99" in config.read_text(encoding="utf-8")


def test_twice_is_the_same_as_once(service: Emulator, run: Run, isolated: Path) -> None:
    assert "This will be written:\n" in quietly(run, "--agent", AGENT).err
    first = {path.name: path.read_bytes() for path in isolated.iterdir()}
    again = quietly(run, "--agent", AGENT)
    assert again.status == 0
    assert f"Nothing changes:\n  {isolated / '.env'}: stays as it is\n" in again.err
    assert {path.name: path.read_bytes() for path in isolated.iterdir()} == first


def test_a_projects_file_keeps_the_agents_that_it_would_hide(service: Emulator, run: Run, isolated: Path) -> None:
    quietly(run, "--agent", AGENT, project=False)
    assert quietly(run, "--agent", f"stackspot-ai={OTHER}").status == 0
    assert [current().models[name].agent_id for name in sorted(NAMES)] == [OTHER, AGENT, AGENT]


def test_an_unwritable_directory_is_one_line(
    service: Emulator, run: Run, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", ".env")

    monkeypatch.setattr(os, "replace", refuse)
    done = quietly(run)
    assert done.status == 2
    assert "cannot be written: Permission denied" in done.err


def test_a_pipe_in_the_place_of_the_file_is_not_waited_for(service: Emulator, run: Run, isolated: Path) -> None:
    if sys.platform != "win32":
        os.mkfifo(isolated / ".env")
    done = quietly(run)
    assert done.status == 2
    assert f"{isolated / '.env'}: the file cannot be read: this is a pipe or a device." in done.err
