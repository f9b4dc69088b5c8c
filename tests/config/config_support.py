"""What the tests of the configuration stand on: a home, a repository, the environment as it was at the start."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from aider_stackspot.config import Account, current
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.locations import RecordedInputs
from aider_stackspot.config.trust import variable_origin
from aider_stackspot.config.trust.preview import preview_of
from aider_stackspot.config.trust.store import TrustStore
from aider_stackspot.process_start import environment_at_start

FILE = ".aider.litellm.yml"

AtStart = Callable[..., None]


@dataclass(frozen=True)
class Places:
    """The three directories in which configuration is looked for."""

    home: Path
    root: Path
    cwd: Path

    def trust(self, path: Path) -> None:
        """Vouch for a file as it is now, as `aider-stackspot trust` does."""
        file = preview_of(path, Environment())
        TrustStore(self.home, RecordedInputs()).add(path, file.content, file.named)


@pytest.fixture(name="places")
def places_fixture(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """A repository, in whose directory `app` one works, and a home beside it. aider has not run in this process."""
    monkeypatch.setattr(variable_origin, "changes", variable_origin.HostChanges())
    for name in [name for name in environment_at_start if name not in os.environ]:
        monkeypatch.delitem(environment_at_start, name)
    (isolated / ".git").mkdir()
    (isolated / "app").mkdir()
    monkeypatch.chdir(isolated / "app")
    return Places(Path(os.environ["HOME"]), isolated, isolated / "app")


@pytest.fixture(name="at_start")
def at_start_fixture(monkeypatch: pytest.MonkeyPatch) -> AtStart:
    """Set variables as if they had been in the environment when Python started."""

    def set_variables(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setitem(environment_at_start, name, value)
            monkeypatch.setenv(name, value)

    return set_variables


def stackspot() -> Account:
    """Return the account `stackspot` of the configuration as it is now."""
    settings = current()
    assert settings.problem is None, settings.problem
    return settings.accounts["stackspot"]


def api_of(model: str) -> tuple[str, str | None, str | None]:
    """Return the API that serves a model, and its agent and quick command."""
    found = current().model(model)
    return found.api, found.agent_id, found.quick_command


def ignored(path: Path, *words: str) -> None:
    """Check that there is exactly one line, that it names the file and these words, and says how to trust it."""
    [line] = current().notices
    for word in (str(path), *words):
        assert word in line
    assert line.endswith(f"run: aider-stackspot trust {path}")
    assert "\n" not in line
