"""Tables on a terminal of 60 columns: what people copy stays whole."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from aider_stackspot.api.answer import Usage
from aider_stackspot.cli.tables import print_facts, print_table
from aider_stackspot.emulator import AgentDetails, Emulator
from aider_stackspot.pipeline import usage_record
from tests.cli.command import Run
from tests.cli.person import at_a_terminal

pytest_plugins = ["tests.cli.cli_fixtures"]

WIDTH = 60
AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
LONG = "mistralai/Mistral-Small-3.2-24B-Instruct-2506-with-a-longer-tail"
ALIAS = "the-model-that-everybody-in-this-department-uses"
HOST = "http://127.0.0.1:9/a-path/that-is-longer-than-half-of-the-screen/v1"


def printed(*rows: tuple[str, ...], width: int = WIDTH, footer: tuple[str, ...] = ()) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None, highlight=False)
    print_table(console, ("Model", "Context", "From"), rows, numbers=("Context",), footer=footer)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_a_cell_is_broken_between_words() -> None:
    lines = printed(("lab/" + "n" * 30, "32,768", "what the server tells of it"))
    assert lines[1].split()[:2] == ["lab/" + "n" * 30, "32,768"]
    assert len(lines) > 2 and max(map(len, lines)) <= WIDTH
    assert " ".join(" ".join(lines).split()).endswith("what the server tells of it")


@pytest.mark.parametrize("width", range(20, 90, 7))
def test_no_word_is_broken_at_any_width(width: int) -> None:
    words = [LONG, "32,768", "served,", "estimated:", "ムードル", "[bold]", "1,000,000"]
    rows = ((LONG, "32,768", "served, estimated: ムードル"), ("[bold]", "1,000,000", "told"))
    shown = " ".join(printed(*rows, width=width, footer=("all", "1,032,768", ""))).split()
    assert set(words) <= set(shown)
    assert "1,032,768" in shown


def test_a_terminal_obeys_nothing_in_a_cell() -> None:
    text = "\n".join(printed(("a\x1b[31mb", "1\r2", "x\u202ey")))
    assert "a\\x1b[31mb" in text and "1\\r2" in text and "x\\u202ey" in text


def test_nor_in_an_error(isolated: Path) -> None:
    (isolated / "p.json").write_text(
        json.dumps({"providers": {"\x1b[31mx": {"base_url": "http://127.0.0.1:9/v1"}}}), encoding="utf-8"
    )
    shown = at_a_terminal("providers", "import", "p.json")
    assert shown.status == 2
    assert "\x1b[31m" not in shown.text and "\\x1b[31mx" in shown.text


def test_facts_that_do_not_fit_stand_behind_their_names() -> None:
    console = Console(file=io.StringIO(), width=40, color_system=None, highlight=False)
    print_facts(console, {"For aider": f"aider --model stackspot/agent/{AGENT}", "Name": "x"})
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == f"For aider: aider --model stackspot/agent/{AGENT}\nName: x\n"


@pytest.fixture
def home(isolated: Path, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Path:
    emulator.agents = {AGENT: "An agent with a name of many words that needs more than one line"}
    emulator.details[AGENT] = AgentDetails((LONG,), knowledge=(), input_limit=1)
    models: dict[str, object] = {LONG: {}, "short": {}}
    providers = {
        "stackspot": {"models": {ALIAS: {"agent_id": AGENT}}},
        "lab": {"api_base": HOST, "models": models, "aliases": {ALIAS: LONG}},
    }
    home = isolated.parent / "home"
    (home / ".aider.litellm.yml").write_text(json.dumps({"providers": providers}), encoding="utf-8")
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    usage_record.add(usage_record.directory(), f"stackspot/{LONG}", Usage(120, 7), (0, 0))
    return home


@pytest.mark.parametrize(
    ("command", "names"),
    [
        (["models"], [f"lab/{LONG}", ALIAS, f"lab/{ALIAS}", AGENT, HOST]),
        pytest.param(["providers", "list"], ["lab", HOST], marks=pytest.mark.thorough),
        (["agents", "list"], [AGENT, LONG]),
        pytest.param(["agents", "show", AGENT], [f"stackspot/agent/{AGENT}", LONG], marks=pytest.mark.thorough),
        pytest.param(["usage"], [f"stackspot/{LONG}"], marks=pytest.mark.thorough),
        pytest.param(["usage", "--plot"], [f"stackspot/{LONG}"], marks=pytest.mark.thorough),
    ],
    ids=" ".join,
)
def test_at_60_columns_names_can_be_copied(home: Path, run: Run, command: list[str], names: list[str]) -> None:
    at_terminal = at_a_terminal(*command, columns=WIDTH).plain
    for text in (run(*command).out, at_terminal):
        words = {word.strip(",()") for word in text.split()}
        assert set(names) <= words, text
