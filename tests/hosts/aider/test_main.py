"""The watch over aider's `main`: it is what tells a project's word from a program's."""

from __future__ import annotations

import inspect
import os
import types

import pytest

from aider_stackspot.config.trust import variable_origin
from aider_stackspot.hosts.aider.main import on_import
from tests.config.config_support import Places

pytest_plugins = ["tests.config.config_support"]


@pytest.fixture(name="module")
def aiders_module() -> types.ModuleType:
    """What aider's module has besides `main`."""
    module = types.ModuleType("aider.main")
    module.check_and_load_imports = lambda io, is_first_run: None  # type: ignore[attr-defined]
    return module


def test_main_is_wrapped_once_and_stays_what_it_was(
    places: Places, module: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def main(argv: list[str] | None = None, input: object = None, return_coder: bool = False) -> str:
        """Run aider."""
        if argv == ["fail"]:
            raise SystemExit(3)
        os.environ["DURING"] = "aider"
        assert variable_origin.changes.include("DURING", "aider")
        return f"{argv} {return_coder}"

    monkeypatch.setenv("DURING", "program")
    module.main = main  # type: ignore[attr-defined]
    on_import(module)
    wrapped = module.main
    on_import(module)
    assert module.main is wrapped
    assert inspect.signature(wrapped) == inspect.signature(main)
    assert (wrapped(["a"], return_coder=True), wrapped.__doc__) == ("['a'] True", "Run aider.")
    with pytest.raises(SystemExit):
        wrapped(["fail"])
    assert variable_origin.changes.arguments == ("a", "fail")
    assert variable_origin.changes.include("DURING", "aider")


def test_without_arguments_those_of_the_process_count(
    places: Places, module: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["aider", "--set-env", "A=1"])
    module.main = lambda argv=None: argv  # type: ignore[attr-defined]
    on_import(module)
    assert module.main() is None
    assert variable_origin.changes.arguments == ("--set-env", "A=1")


def test_the_browser_interface_goes_on_after_main(places: Places) -> None:
    assert not variable_origin.changes.running
    on_import(types.ModuleType("aider.gui"))
    variable_origin.changes.begin([])
    variable_origin.changes.end()
    assert variable_origin.changes.running


def test_aider_has_the_main_that_is_watched_and_calls_it_itself() -> None:
    """Fails when aider's internals change. The rest of the chain runs in `tests/config/trust/test_with_aider.py`."""
    import aider.main

    source = inspect.getsource(inspect.unwrap(aider.main.main))
    assert next(iter(inspect.signature(aider.main.main).parameters)) == "argv"
    assert "return main(argv, input, output, right_repo_root" in source
    for name in ('os.environ["SSL_VERIFY"] = ""', "args.set_env", "load_dotenv_files(git_root, args.env_file"):
        assert name in source
