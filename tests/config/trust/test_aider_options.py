"""The options by which a user lets aider set variables, and the watch over aider's `main`."""

from __future__ import annotations

import inspect
import os
import types

import pytest

from aider_stackspot.config.trust import host_changes
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
    def changes(self, places: Places) -> host_changes.Changes:
        return host_changes.changes

    def test_before_during_and_after(self, changes: host_changes.Changes, monkeypatch: pytest.MonkeyPatch) -> None:
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
        self, changes: host_changes.Changes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        changes.begin([])
        monkeypatch.setenv("DURING", "aider")
        changes.begin([])
        changes.end()
        assert changes.include("DURING", "aider")
        changes.end()
        assert changes.include("DURING", "aider")

    def test_main_is_wrapped_once_and_stays_what_it_was(
        self, changes: host_changes.Changes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        module = types.ModuleType("main_of_aider")

        def main(argv: list[str] | None = None, input: object = None, return_coder: bool = False) -> str:
            """Run aider."""
            if argv == ["fail"]:
                raise SystemExit(3)
            os.environ["DURING"] = "aider"
            assert changes.include("DURING", "aider")
            return f"{argv} {return_coder}"

        monkeypatch.setenv("DURING", "program")
        module.main = main  # type: ignore[attr-defined]
        host_changes.on_import(module)
        wrapped = module.main
        host_changes.on_import(module)
        assert module.main is wrapped
        assert inspect.signature(wrapped) == inspect.signature(main)
        assert (wrapped(["a"], return_coder=True), wrapped.__doc__) == ("['a'] True", "Run aider.")
        with pytest.raises(SystemExit):
            wrapped(["fail"])
        assert changes.arguments == ("a", "fail")
        assert changes.include("DURING", "aider")

    def test_without_arguments_those_of_the_process_count(
        self, changes: host_changes.Changes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.argv", ["aider", "--set-env", "A=1"])
        module = types.ModuleType("main_of_aider")
        module.main = lambda argv=None: argv  # type: ignore[attr-defined]
        host_changes.on_import(module)
        assert module.main() is None
        assert changes.arguments == ("--set-env", "A=1")


def test_aider_has_the_main_that_is_watched_and_calls_it_itself() -> None:
    """Fails when aider's internals change. The rest of the chain runs in `test_config_trust_aider`."""
    import aider.main

    source = inspect.getsource(inspect.unwrap(aider.main.main))
    assert next(iter(inspect.signature(aider.main.main).parameters)) == "argv"
    assert "return main(argv, input, output, right_repo_root" in source
    for name in ('os.environ["SSL_VERIFY"] = ""', "args.set_env", "load_dotenv_files(git_root, args.env_file"):
        assert name in source
