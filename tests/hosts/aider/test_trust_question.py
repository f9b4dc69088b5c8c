"""aider's start in a project with a file that names a server nearby: one question, in a terminal, before it is used."""

from __future__ import annotations

import inspect
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from aider_stackspot.config.trust.store import LOCATION
from aider_stackspot.hosts.aider import main
from tests.cli.person import INTERRUPT, Seen, at_a_terminal
from tests.config.config_support import Places
from tests.hosts.aider.unmodified import OPTIONS, PROGRAM, commit_all

pytest_plugins = ["tests.config.config_support"]

FILE = ".aider.litellm.yml"
QUESTION = r"Trust this file as it is now\? \(Y\)es/\(N\)o \[No\]"
ASKING = [option for option in OPTIONS if option != "--yes-always"]
NOT_FANCY = ("--no-fancy-input", "--model", "lab/m", "--exit")


@pytest.fixture
def project(repository: Path) -> Path:
    """The calculator, whose team has a server nearby."""
    (repository / FILE).write_text(
        "providers:\n  lab:\n    base_url: http://127.0.0.1:9/v1\n    api_key: ${LAB_KEY}\n"
        "    models:\n      m: {edit_format: udiff}\n"
    )
    commit_all("A server")
    return repository


def record(project: Path) -> dict[str, dict[str, object]]:
    path = project.parent / "home" / LOCATION
    stored: dict[str, dict[str, object]] = json.loads(path.read_text()) if path.exists() else {}
    return stored


def start(*options: str, typed: Sequence[tuple[str, str]] = (), columns: int = 100) -> Seen:
    return at_a_terminal(*ASKING, *options, typed=typed, columns=columns, program=[PROGRAM])


@pytest.mark.thorough
def test_yes_is_asked_for_once_and_used_at_once(project: Path) -> None:
    seen = start(*NOT_FANCY, typed=[(QUESTION, "y\r")])
    assert seen.status == 0, seen.text
    shown = " ".join(" ".join(seen.screens[0]).split())
    assert (
        "which gets your code when you use a model of it: line 3: lab.base_url = http://127.0.0.1:9/v1 lab is" in shown
    )
    assert "lab is given the variables LAB_KEY Trust this file" in shown
    assert "ignored" not in seen.text
    assert "Model: lab/m with udiff edit format" in seen.text
    assert list(record(project)["files"]) == [str(project / FILE)]
    again = start(*NOT_FANCY)
    assert (again.status, "Trust" in again.text) == (0, False), again.text
    assert "Model: lab/m with udiff edit format" in again.text


@pytest.mark.slow
def test_no_is_remembered_until_the_file_changes(project: Path) -> None:
    seen = start(*NOT_FANCY, typed=[(QUESTION, "\r")])
    assert f"run: aider-stackspot trust {project / FILE}" in " ".join(seen.text.split())
    again = start(*NOT_FANCY)
    assert "as it is now" not in again.text
    assert "was ignored" in " ".join(again.text.split())
    (project / FILE).write_text("providers: {lab: {base_url: 'http://127.0.0.1:10/v1'}}")
    assert "10/v1" in start(*NOT_FANCY, typed=[(QUESTION, "n\r")]).text


@pytest.mark.slow
def test_after_no_all_that_is_ignored_is_said(project: Path) -> None:
    (project / FILE).write_text(
        "providers: {lab: {base_url: 'http://127.0.0.1:9/v1'}, lan: {base_url: 'http://10.1.2.3/v1', "
        "allow_insecure_http: true}}"
    )
    seen = start(*NOT_FANCY, typed=[(QUESTION, "n\r")])
    told = " ".join(seen.text.split())
    assert "this was ignored: line 1: the provider `lab`; line 1: the provider `lan`. To see what the file does" in told


@pytest.mark.slow
def test_an_answer_to_everything_is_no_answer_to_this(project: Path) -> None:
    seen = start("--yes-always", *NOT_FANCY)
    assert "as it is now" not in seen.text
    assert "was ignored" in " ".join(seen.text.split())
    assert record(project) == {}


@pytest.mark.slow
def test_a_program_is_not_asked(project: Path) -> None:
    arguments = [PROGRAM, *ASKING, *NOT_FANCY]
    done = subprocess.run(arguments, input="y\ny\ny\n", capture_output=True, text=True, timeout=120)
    assert "as it is now" not in done.stdout
    assert "was ignored" in done.stderr
    assert record(project) == {}


@pytest.mark.slow
@pytest.mark.parametrize("options", [("--no-fancy-input",), ("--no-pretty",)])
def test_what_was_typed_for_another_question_answers_nothing(project: Path, options: Sequence[str]) -> None:
    """Before it comes the one about `.gitignore`; who types yes to everything has not read this one."""
    arguments = [option for option in ASKING if option != "--no-gitignore"]
    typed = [(r"Add \.aider\* to \.gitignore", "y\ry\ry\r"), (QUESTION, "n\r")]
    seen = at_a_terminal(*arguments, *options, "--model", "lab/m", "--exit", typed=typed, program=[PROGRAM])
    assert seen.status == 0, seen.text
    assert list(record(project)["declined"]) == [str(project / FILE)]


@pytest.mark.slow
def test_ctrl_c_answers_nothing(project: Path) -> None:
    seen = start(*NOT_FANCY, typed=[(QUESTION, INTERRUPT)])
    assert (seen.status, "Traceback" in seen.text) == (130, False)
    assert record(project) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["openai", "deepseek", "hosted_vllm"])
def test_a_vendors_name_is_not_asked_about(project: Path, name: str) -> None:
    """Or what the user calls a vendor's model would be the server's."""
    (project / FILE).write_text(f"providers: {{{name}: {{base_url: 'http://127.0.0.1:9/v1'}}}}")
    seen = start("--no-fancy-input", "--model", "stackspot-ai", "--exit")
    assert "as it is now" not in seen.text
    assert "was ignored" in " ".join(seen.text.split())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gpt-4o", "sonnet", "groq/new"])
def test_a_model_of_a_vendors_name_is_not_asked_about(project: Path, name: str) -> None:
    with (project / FILE).open("a") as file:
        file.write(f"  stackspot: {{models: {{{name}: {{agent_id: x}}}}}}\n")
    assert "as it is now" not in start("--no-fancy-input", "--model", "stackspot-ai", "--exit").text


@pytest.mark.slow
def test_the_fancy_prompt(project: Path) -> None:
    """The one that aider usually has moves the cursor to the place behind the question."""
    seen = start("--model", "lab/m", "--exit", "--no-pretty", typed=[(QUESTION, "y\r")])
    assert "Model: lab/m with udiff edit format" in seen.text


def test_aider_calls_what_is_wrapped_with_its_input_and_output_first() -> None:
    """Fails when aider's internals change."""
    import aider.main

    assert next(iter(inspect.signature(aider.main.check_and_load_imports).parameters)) == "io"
    assert "check_and_load_imports(io, is_first_run" in inspect.getsource(inspect.unwrap(aider.main.main))


def test_a_projects_colors_hide_nothing(
    places: Places, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`tool-output-color` in its `.aider.conf.yml` may be that of the terminal's background."""
    import aider.models
    from aider.io import InputOutput

    class Hidden(InputOutput):  # type: ignore[misc]  # aider has no types
        def tool_output(self, *messages: str, log_only: bool = False, bold: bool = False) -> None:
            """Show nothing."""

    monkeypatch.setattr(main, "_drop_what_was_typed", lambda io: None)  # here is no terminal
    (places.cwd / FILE).write_text("providers: {lab: {base_url: 'http://127.0.0.1:9/v1'}}")
    main._ask_about_servers_nearby(aider.models, Hidden(pretty=False, fancy_input=False, yes=False))
    assert "line 1: lab.base_url = http://127.0.0.1:9/v1" in capsys.readouterr().out
