"""Commands that change the user's files at the same time: nothing is lost of what any of them writes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from aider_stackspot.config.edit import changing, env_values
from aider_stackspot.config.yaml_file import plain_data
from aider_stackspot.errors import ConfigurationError


def at_once(*commands: tuple[str, ...]) -> list[int]:
    """Run all of these commands side by side; return their exit statuses."""
    python = [sys.executable, "-m", "aider_stackspot"]
    running = [
        subprocess.Popen([*python, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in commands
    ]
    return [process.wait(120) for process in running]


@pytest.mark.slow
def test_eight_servers_are_added(isolated: Path) -> None:
    home = isolated.parent / "home"
    options = ("--base-url", "http://127.0.0.1:9/v1", "--force")
    assert at_once(*(("providers", "add", f"s{n}", *options, "--api-key", f"key-{n}") for n in range(8))) == [0] * 8
    _, data = plain_data(home / ".aider.litellm.yml", (home / ".aider.litellm.yml").read_bytes())
    assert set(data["providers"]) == {f"s{n}" for n in range(8)}
    assert env_values((home / ".env").read_text()) == {f"S{n}_API_KEY": f"key-{n}" for n in range(8)}


@pytest.mark.slow
def test_files_are_trusted_while_others_are_revoked(isolated: Path) -> None:
    for number in range(12):
        (isolated / f"{number}.env").write_text("A=1\n")
    before, after = [f"{n}.env" for n in range(6)], [f"{n}.env" for n in range(6, 12)]
    assert at_once(*(("trust", "--yes", name) for name in before)) == [0] * 6
    changes = [*(("trust", "--revoke", name) for name in before), *(("trust", "--yes", name) for name in after)]
    assert at_once(*changes) == [0] * 12
    record = isolated.parent / "home" / ".aider" / "aider-stackspot" / "trusted.json"
    assert set(json.loads(record.read_text())["files"]) == {str(isolated / name) for name in after}


def test_files_of_one_directory_share_a_lock(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aider_stackspot.files.LOCK_TIMEOUT", 0.05)
    refused = pytest.raises(ConfigurationError, match="b cannot be changed: another process is changing it")
    with changing(isolated / "new" / "a", isolated / "c"), refused, changing(isolated / "new" / "b"):
        raise AssertionError("two hold it")
    with changing(isolated / "new" / "b"):
        pass
