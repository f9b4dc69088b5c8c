"""The commands at a real terminal: what is asked, what is not echoed, colours, and the width of 80 columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from aider_stackspot.api.answer import Usage
from aider_stackspot.emulator import Emulator
from aider_stackspot.pipeline import usage_record
from tests.cli.person import DOWN, INTERRUPT, UP, at_a_terminal

KEY = "the-client-key-of-acme"
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-7]m")
LONG = "Qwen/Qwen2.5-Coder-32B-Instruct-AWQ"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    with Emulator(credentials={("acme", "client-id"): KEY}) as running:
        for name, value in running.environment().items():
            if name.endswith(("_URL", "_BASE")):
                monkeypatch.setenv(name, value)
        yield running


def test_init_asks_and_never_echoes_the_key(service: Emulator, isolated: Path) -> None:
    answers = [
        ("For whom", "\r"),
        ("Client id", "client-id\r"),
        ("Client key, not shown", "a-wrong-key\r"),
        ("Realm", "acme\r"),
        ("refused[^$]*Which one", "\r"),
        ("Client key, not shown", f"{KEY}\r"),
        ("Agent for stackspot-ai-code", f"{UP}\r"),
        ("Agent for stackspot-ai-chat", "\r"),
        ("Agent for stackspot-ai ", f"{DOWN}\r"),
    ]
    seen = at_a_terminal("init", typed=answers)
    assert seen.status == 0, seen.text
    assert seen.text.endswith("Ready. Run:\n\naider --model stackspot-ai-code\n")
    assert KEY not in seen.text
    assert "a-wrong-key" not in seen.text
    written = isolated.parent / "home" / ".env"
    assert f"STACKSPOTAI_CLIENT_KEY={KEY}" in written.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "question",
    [
        "Client key",
        *(
            pytest.param(each, marks=pytest.mark.thorough)
            for each in ("For whom", "Client id", "Realm", "Agent for stackspot-ai-chat")
        ),
    ],
)
def test_an_interrupted_init_writes_nothing(service: Emulator, isolated: Path, question: str) -> None:
    answers = [
        ("For whom", f"{DOWN}\r"),
        ("Client id", "client-id\r"),
        ("Client key", f"{KEY}\r"),
        ("Realm", "acme\r"),
        ("Agent for stackspot-ai-code", "\r"),
        ("Agent for stackspot-ai-chat", "\r"),
    ]
    asked = [wanted for wanted, _ in answers].index(question)
    seen = at_a_terminal("init", typed=[*answers[:asked], (question, INTERRUPT)])
    assert seen.status == 130
    assert seen.text.endswith("Nothing was written.\n")
    assert list(isolated.iterdir()) == []


def test_an_interrupted_trust_writes_nothing(isolated: Path) -> None:
    (isolated / ".env").write_text("STACKSPOTAI_REALM=acme\n", encoding="utf-8")
    seen = at_a_terminal("trust", typed=[("Trust this file", INTERRUPT)])
    assert seen.status == 130
    assert seen.text.endswith("\nNothing was written.\n")
    assert list((isolated.parent / "home").iterdir()) == []


@pytest.fixture
def many_models(isolated: Path) -> None:
    (isolated.parent / "home" / ".aider.litellm.yml").write_text(
        "providers:\n"
        "  stackspot: {models: {stackspot-ai-code: {agent_id: 01ARZ3NDEKTSV4RRFFQ69G5FAV}}}\n"
        f"  gpu: {{api_base: 'http://127.0.0.1:9/v1', models: {{'{LONG}': {{max_input_tokens: 32768}}}}}}\n",
        encoding="utf-8",
    )


@pytest.mark.thorough
def test_a_table_of_models_fits_a_terminal(many_models: None) -> None:
    seen = at_a_terminal("models")
    assert seen.status == 0
    tables = [line for line in seen.plain.splitlines() if not line.startswith("gpu: ")]
    assert max(map(len, tables)) <= 80
    assert re.search(r"stackspot-ai-code +agent 01ARZ3NDEKTSV4RRFFQ69G5FAV +16,384 +8,192 +default", seen.plain)
    assert re.search(rf"gpu/{LONG} +32,768 +~8,192 +configured, estimated", seen.plain)


def test_colours_are_for_a_terminal_that_wants_them() -> None:
    usage_record.add(usage_record.directory(), "stackspot/stackspot-ai-code", Usage(100, 20), (0, 0))
    assert COLOUR.search(at_a_terminal("usage", "--plot").text)
    assert not COLOUR.search(at_a_terminal("usage", "--plot", NO_COLOR="1").text)


@pytest.mark.parametrize(
    ("arguments", "end"),
    [
        (["docs", "absent"], "wire."),
        (["launch", "claude"], "nothing else is needed."),
        (["emulator", "--model", "agents"], "?"),
        (["trust"], "project."),
    ],
)
def test_an_error_breaks_between_words(arguments: list[str], end: str) -> None:
    lines = at_a_terminal(*arguments, columns=60, PATH="/nonexistent").plain.splitlines()
    assert max(map(len, lines)) <= 60
    assert len(lines) > 1
    assert lines[-1].endswith(end)


def test_why_a_server_has_no_models_breaks_between_words(isolated: Path) -> None:
    (Path.home() / ".aider.litellm.yml").write_text("providers: {gpu: {base_url: 'http://localhost:9/v1'}}")
    lines = at_a_terminal("models", "--provider", "gpu", columns=60).plain.splitlines()
    assert max(map(len, lines)) <= 60
    assert lines[-1].endswith("NO_PROXY.")
