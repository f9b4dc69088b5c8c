"""The Portuguese README goes in step with the English one: headings, code, tables and names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aider_stackspot.cli.overview import COMMANDS
from aider_stackspot.emulator import Emulator

ROOT = Path(__file__).parents[2]
ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")
PORTUGUESE = (ROOT / "README.pt-BR.md").read_text(encoding="utf-8")

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def headings(text: str) -> list[int]:
    """Return the level of each heading; the words differ."""
    return [len(marks) for marks in re.findall(r"^(#+) ", _FENCE.sub("", text), re.MULTILINE)]


def blocks(text: str) -> list[tuple[str, str]]:
    """Return each block of code with its language; comments are translated, so they are left out."""
    found = []
    for language, code in _FENCE.findall(text):
        lines = (re.sub(r"(^|\s+)#.*", "", line).rstrip() for line in code.splitlines())
        found.append((language, "\n".join(line for line in lines if line)))
    return found


def rows(text: str) -> list[list[str]]:
    """Return what is code in each row of each table, in order."""
    return [re.findall(r"`[^`]+`", line) for line in _FENCE.sub("", text).splitlines() if line.startswith("|")]


def codes(text: str) -> set[str]:
    """Return everything that stands between backticks in the prose."""
    return set(re.findall(r"`[^`]+`", _FENCE.sub("", text)))


@pytest.mark.parametrize("aspect", [headings, blocks, rows, codes])
def test_it_is_in_step(aspect: object) -> None:
    assert callable(aspect)
    assert aspect(PORTUGUESE) == aspect(ENGLISH), "README.pt-BR.md says something else than README.md: translate it"


@pytest.mark.parametrize("code", [code for language, code in _FENCE.findall(ENGLISH) if language == "python"])
def test_its_programs_run(code: str, emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    emulator.answer = "def factorial(n): ..."
    exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})
    assert emulator.chat_requests
    if "print(" in code:
        assert capsys.readouterr().out == "def factorial(n): ...\ndef factorial(n): ..."


def test_every_page_of_the_documentation_is_linked() -> None:
    for page in (ROOT / "docs").glob("*.md"):
        assert f"(docs/{page.name})" in ENGLISH, f"link docs/{page.name} in README.md and README.pt-BR.md"


def test_every_command_is_in_its_table() -> None:
    commands = re.findall(r"^\| `aider-stackspot (\w+)` ", ENGLISH, re.MULTILINE)
    assert commands == list(COMMANDS)


def test_it_finds_a_difference() -> None:
    assert blocks("```sh\nmake all  # x\n```\n") == blocks("```sh\nmake all  # y\n```\n")
    assert blocks("```sh\nmake all\n```\n") != blocks("```sh\nmake test\n```\n")
    assert headings("# a\n## b\n```\n# c\n```\n") == [1, 2]
