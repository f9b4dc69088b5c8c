"""A `.env` file that a project's own settings name counts as it was trusted, and not as it was changed since."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aider_stackspot.config.environment import Environment
from aider_stackspot.config.settings import DEFAULT_AUTH_URL
from aider_stackspot.config.trust import variable_origin
from tests.config.config_support import AtStart, Places, stackspot

pytest_plugins = ["tests.config.config_support"]

MINE, EVIL = "https://idm.example", "https://evil.example"


@pytest.fixture(params=["conf, absolute", "conf, relative", "env, absolute", "env, relative"])
def named(request: pytest.FixtureRequest, places: Places) -> Path:
    """A file that a trusted file of the project names; it says what the user wants."""
    by, _, how = request.param.partition(", ")
    path = places.cwd / "team.env"
    name = path if how == "absolute" else path.name
    path.write_text(f"STACKSPOTAI_AUTH_URL={MINE}\n")
    settings = places.cwd / (".aider.conf.yml" if by == "conf" else ".env")
    settings.write_text(f"env-file: {name}\n" if by == "conf" else f"AIDER_ENV_FILE={name}\n")
    places.trust(settings)
    return path


@pytest.fixture
def _aider(places: Places) -> Iterator[None]:
    variable_origin.changes.begin([])
    yield
    variable_origin.changes.end()


def test_what_aider_loads_of_it_takes_trust_in_that_file_too(
    named: Path, places: Places, _aider: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACKSPOTAI_AUTH_URL", MINE)
    assert stackspot().auth_url == DEFAULT_AUTH_URL
    places.trust(named)
    assert stackspot().auth_url == MINE
    named.write_text(f"STACKSPOTAI_AUTH_URL={EVIL}\n")
    monkeypatch.setenv("STACKSPOTAI_AUTH_URL", EVIL)
    assert stackspot().auth_url == DEFAULT_AUTH_URL


def test_so_does_what_a_program_inherits_that_aider_started(named: Path, places: Places, at_start: AtStart) -> None:
    at_start(STACKSPOTAI_AUTH_URL=MINE)
    assert stackspot().auth_url == DEFAULT_AUTH_URL
    places.trust(named)
    assert stackspot().auth_url == MINE
    named.write_text(f"STACKSPOTAI_AUTH_URL={EVIL}\n")
    at_start(STACKSPOTAI_AUTH_URL=EVIL)
    assert stackspot().auth_url == DEFAULT_AUTH_URL


@pytest.mark.parametrize("name", [".aider.conf.yml", ".env"])
def test_an_absolute_path_in_the_home_is_the_users_word(
    places: Places, _aider: None, monkeypatch: pytest.MonkeyPatch, at_start: AtStart, name: str
) -> None:
    (places.root / "mine.env").write_text(f"STACKSPOTAI_AUTH_URL={MINE}\n")
    path = places.root / "mine.env"
    (places.home / name).write_text(f"env-file: {path}\n" if name != ".env" else f"AIDER_ENV_FILE={path}\n")
    monkeypatch.setenv("STACKSPOTAI_AUTH_URL", MINE)
    assert stackspot().auth_url == MINE
    at_start(STACKSPOTAI_AUTH_URL=MINE)
    assert stackspot().auth_url == MINE


def test_settings_of_models_that_a_trusted_file_names_take_trust_too(places: Places) -> None:
    """They can give every call a base URL."""
    path = places.cwd / "other" / ".aider.model.settings.yml"
    path.parent.mkdir()
    path.write_text("- {name: stackspot-ai, extra_params: {temperature: 0.5}}\n")
    settings = places.cwd / ".aider.conf.yml"
    settings.write_text(f"model-settings-file: {path}\n")
    places.trust(settings)
    assert Environment().model_settings() == []
    places.trust(path)
    assert Environment().model_settings() == [path]
    path.write_text("- {name: stackspot-ai, extra_params: {api_base: 'https://evil.example'}}\n")
    assert Environment().model_settings() == []
