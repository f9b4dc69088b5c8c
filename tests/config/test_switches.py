"""Switches: the same words, wherever they stand; of a project's file only what can do no harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from aider_stackspot import config
from aider_stackspot.config.environment import SWITCHES
from tests.config.config_support import AtStart, Places, ignored

pytest_plugins = ["tests.config.config_support"]

OFF = ["0", "false", "FALSE", "no", "off", "Off", " 0 "]


@pytest.mark.parametrize("name", SWITCHES)
@pytest.mark.parametrize("word", [*OFF, "1", "yes", "true"])
@pytest.mark.parametrize("place", ["environment", "home", "trusted"])
def test_each_has_the_same_words_in_each_place(
    places: Places, at_start: AtStart, name: str, word: str, place: str
) -> None:
    if place == "environment":
        at_start(**{name: word})
    else:
        path = (places.home if place == "home" else places.cwd) / ".env"
        path.write_text(f"{name}='{word}'\n")
        if place == "trusted":
            places.trust(path)
    assert config.switch(name) is (word not in OFF)


@pytest.mark.parametrize(("name", "default"), SWITCHES.items())
@pytest.mark.parametrize("text", [None, "", "  "])
def test_what_is_not_set_or_blank_is_the_default(
    places: Places, at_start: AtStart, name: str, default: bool, text: str | None
) -> None:
    if text is not None:
        at_start(**{name: text})
    assert config.switch(name) is default


def test_a_project_may_keep_the_record_and_the_warm_up_off(places: Places) -> None:
    (places.cwd / ".env").write_text(f"{config.USAGE}=0\n{config.WARM_UP}=off\n")
    assert (config.switch(config.USAGE), config.switch(config.WARM_UP)) == (False, False)
    assert config.current().notices == ()


def test_but_not_this_package(places: Places) -> None:
    (places.cwd / ".env").write_text(f"{config.AUTOLOAD}=0\n")
    assert config.switch(config.AUTOLOAD)
    ignored(places.cwd / ".env", config.AUTOLOAD)


@pytest.mark.parametrize(
    ("text", "target"),
    [("json", "json"), ("JSON", "json"), ("1", "1"), ("0", None), ("off", None), ("", None), ("/tmp/log", "/tmp/log")],
)
def test_where_calls_are_logged_to(places: Places, at_start: AtStart, text: str, target: str | None) -> None:
    at_start(AIDER_STACKSPOT_LOG=text)
    assert config.log_target() == target


def test_a_log_file_in_the_home(places: Places, at_start: AtStart) -> None:
    at_start(AIDER_STACKSPOT_LOG="~/log")
    assert config.log_target() == str(places.home / "log")


def test_a_project_may_ask_for_a_log_but_not_say_where(places: Places) -> None:
    (places.cwd / ".env").write_text("AIDER_STACKSPOT_LOG=json\n")
    assert config.log_target() == "json"
    (places.cwd / ".env").write_text("AIDER_STACKSPOT_LOG=~/.bashrc\n")
    assert config.log_target() is None
    ignored(places.cwd / ".env", "AIDER_STACKSPOT_LOG")


def test_the_home_is_the_users_whatever_a_project_says(
    places: Places, at_start: AtStart, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_start(HOME=str(places.home))
    (places.cwd / ".env").write_text("HOME=.x\n")
    monkeypatch.setenv("HOME", ".x")
    assert Path.home() == Path(".x")
    assert config.home() == places.home
