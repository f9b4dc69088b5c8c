"""The options by which a user lets aider set variables, and the record of what changed while it ran."""

from __future__ import annotations

import pytest

from aider_stackspot.config.trust import variable_origin
from aider_stackspot.config.trust.aider_options import asked_by_arguments, asked_by_environment, asked_by_settings
from tests.config.config_support import Places

pytest_plugins = ["tests.config.config_support"]


class TestArguments:
    """Of the command `aider`."""

    @pytest.mark.parametrize(
        ("arguments", "variables"),
        [
            (["--set-env", "A=1", "--set-env", "B=x=y"], {"A": "1", "B": "x=y"}),
            (["--set-env= A = 1 "], {"A": "1"}),
            (["--set-e", "A=1"], {"A": "1"}),
            (["--api-key", "lan=key-1"], {"LAN_API_KEY": "key-1"}),
            (["--openai-api-base", "http://localhost"], {"OPENAI_API_BASE": "http://localhost"}),
            (["--openai-api-key=key-1"], {"OPENAI_API_KEY": "key-1"}),
            (["--no-verify-ssl"], {"SSL_VERIFY": ""}),
            (["--verify-ssl"], {}),
            (["file.py", "--model", "m", "--set-env", "A=1", "--unknown"], {"A": "1"}),
            (["--set-env", "no equals sign"], {}),
            (["--set-env"], {}),
            ([], {}),
        ],
    )
    def test_variables(self, arguments: list[str], variables: dict[str, str]) -> None:
        assert asked_by_arguments(arguments).variables == variables

    def test_files(self) -> None:
        asked = asked_by_arguments(["--env-file", "a.env", "-c", "one.yml", "--config", "two.yml"])
        assert (asked.env_files, asked.settings) == (["a.env"], ["one.yml", "two.yml"])


class TestVariables:
    """aider has one with the prefix `AIDER_` for each option."""

    @pytest.mark.parametrize(
        ("name", "value", "variables"),
        [
            ("AIDER_SET_ENV", "A=1", {"A": "1"}),
            ("AIDER_SET_ENV", '["A=1", "B=2"]', {"A": "1", "B": "2"}),
            ("AIDER_SET_ENV", "[A=1, B=2]", {"A": "1", "B": "2"}),
            ("AIDER_VERIFY_SSL", "false", {"SSL_VERIFY": ""}),
            ("AIDER_VERIFY_SSL", "true", {}),
            ("AIDER_OPENAI_API_BASE", "http://localhost", {"OPENAI_API_BASE": "http://localhost"}),
            ("SET_ENV", "A=1", {}),
        ],
    )
    def test_variables(self, name: str, value: str, variables: dict[str, str]) -> None:
        assert asked_by_environment({name: value}).variables == variables

    def test_files(self) -> None:
        assert asked_by_environment({"AIDER_ENV_FILE": "/a.env"}).env_files == ["/a.env"]


class TestSettings:
    """`.aider.conf.yml`."""

    @pytest.mark.parametrize(
        ("text", "variables"),
        [
            ("set-env: A=1", {"A": "1"}),
            ("--set-env: [A=1, B=2]", {"A": "1", "B": "2"}),
            ("verify-ssl: false", {"SSL_VERIFY": ""}),
            ("no-verify-ssl: true", {"SSL_VERIFY": ""}),
            ("verify-ssl: true", {}),
            ("api-key: [lan=key-1]", {"LAN_API_KEY": "key-1"}),
            ("openai-api-base: http://localhost", {"OPENAI_API_BASE": "http://localhost"}),
            ("- a list", {}),
            ("set-env: {A: 1}", {}),
            ("a: [", {}),
            ("set-env: !!python/object/apply:os.system [x]", {}),
        ],
    )
    def test_variables(self, text: str, variables: dict[str, str]) -> None:
        assert asked_by_settings(text.encode()).variables == variables

    def test_an_alias_bomb_does_not_go_off(self) -> None:
        lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
        lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
        assert asked_by_settings("\n".join([*lines, "set-env: *i"]).encode()).variables == {}

    def test_not_even_text(self) -> None:
        assert asked_by_settings(b"\xff").variables == {}


class TestTheWatch:
    """A change counts as aider's if it came while `aider.main.main` ran."""

    @pytest.fixture
    def changes(self, places: Places) -> variable_origin.HostChanges:
        return variable_origin.changes

    def test_before_during_and_after(
        self, changes: variable_origin.HostChanges, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BEFORE", "program")
        assert not changes.include("BEFORE", "program")
        changes.begin(["--model", "m"])
        monkeypatch.setenv("DURING", "aider")
        assert changes.include("DURING", "aider")
        assert not changes.include("BEFORE", "program")
        changes.end()
        monkeypatch.setenv("AFTER", "program")
        assert changes.include("DURING", "aider")
        assert not changes.include("AFTER", "program")
        # The program has its own word for the same variable later.
        assert not changes.include("DURING", "program")
        assert changes.arguments == ("--model", "m")

    def test_aider_calls_its_main_within_itself(
        self, changes: variable_origin.HostChanges, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        changes.begin([])
        monkeypatch.setenv("DURING", "aider")
        changes.begin([])
        changes.end()
        assert changes.include("DURING", "aider")
        changes.end()
        assert changes.include("DURING", "aider")
