"""The first minutes of a person, at a narrow and a wide terminal: from `init` to aider's first commit."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyte
import pytest

from aider_stackspot.emulator import Emulator
from tests.cli.person import UP, Seen, at_a_terminal

AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
KEY = "the-client-key-of-acme"
FIX = (
    "The sign was wrong.\n\ncalc.py\n```python\n<<<<<<< SEARCH\n    return a - b\n=======\n    return a + b\n"
    ">>>>>>> REPLACE\n```\n"
)
AIDER = shutil.which("aider", path=str(Path(sys.executable).parent)) or "aider"
QUIET = ("--no-check-update", "--no-show-release-notes", "--analytics-disable", "--no-gitignore", "--yes-always")


MOVES = re.compile(r"\n|\x1b\[[0-9;]*[A-DJ]")
"""Where a line ends: a menu moves the cursor."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """A StackSpot whose agent mends the calculator, and an environment that knows nothing but its address."""
    with Emulator(credentials={("acme", "client-id"): KEY}, agents={AGENT: "Reviewer of the team"}) as running:
        running.answer = lambda prompt: "fix: add adds" if "commit message" in prompt.lower() else FIX
        for name, value in running.environment().items():
            if name.endswith(("_URL", "_BASE")):
                monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def repository(isolated: Path) -> Path:
    (isolated / "calc.py").write_text("def add(a, b):\n    return a - b\n", encoding="utf-8")
    for arguments in (
        ["init", "--quiet"],
        ["config", "user.name", "Somebody"],
        ["config", "user.email", "somebody@example.com"],
        ["add", "."],
        ["commit", "--quiet", "--message", "A calculator"],
    ):
        subprocess.run(["git", *arguments], cwd=isolated, check=True)
    return isolated


def screen(seen: Seen, columns: int) -> list[str]:
    """Return the lines that stand on the terminal in the end."""
    drawn = pyte.Screen(columns, 400)
    pyte.Stream(drawn).feed(seen.text.replace("\n", "\r\n"))
    return [line.rstrip() for line in drawn.display]


@pytest.mark.slow
@pytest.mark.parametrize("columns", [60, 110])
def test_from_nothing_to_a_commit(service: Emulator, repository: Path, columns: int) -> None:
    questions = [
        ("For whom", "\r"),
        ("Client id", "client-id\r"),
        ("Client key", f"{KEY}\r"),
        ("Realm", "acme\r"),
        ("Agent for stackspot-ai-code", f"{UP}\r"),
        ("Agent for stackspot-ai-chat", "\r"),
        ("Agent for stackspot-ai ", "\r"),
    ]
    seen = at_a_terminal("init", typed=questions, columns=columns)
    assert seen.status == 0, seen.text
    lines_of_text = [re.sub(r"\x1b\[[0-9;?]*[a-z]", "", line) for line in MOVES.split(seen.text)]
    too_long = [line for line in lines_of_text if len(line) > columns and " " in line.strip()]
    assert too_long == [], "the terminal breaks these within a word"
    lines = screen(seen, columns)
    for line in (
        "For whom: you, in every project",
        "Client id: client-id",
        "Client key, not shown:",
        "Realm (the account's slug) [stackspot]: acme",
        "StackSpot accepts the credentials.",
        "Agent for stackspot-ai-code: Reviewer of the team (gpt-4.1)",
        "Agent for stackspot-ai: Reviewer of the team (gpt-4.1)",
        f"  aider-stackspot agents measure {AGENT}",
        "aider --model stackspot-ai-code",
    ):
        assert line in lines, "\n".join(lines)
    menu = "\n".join(seen.screens[4])
    assert "? Agent for stackspot-ai-code (arrow keys, Enter)\n   Reviewer of the team (gpt-4.1)\n » none: the" in menu
    assert KEY not in seen.text
    assert len(service.chat_requests) == 1
    arguments = ("--model", "stackspot-ai-code", *QUIET, "--message", "add must add", "calc.py")
    first = at_a_terminal(*arguments, program=[AIDER], columns=columns)
    assert first.status == 0, first.text
    assert (repository / "calc.py").read_text(encoding="utf-8") == "def add(a, b):\n    return a + b\n"
    shown = screen(first, columns)
    assert "Applied edit to calc.py" in shown, "\n".join(shown)
    assert any(line.startswith("Commit ") and line.endswith("fix: add adds") for line in shown)
    assert "Warning" not in first.text
    log = subprocess.run(["git", "log", "--format=%s"], cwd=repository, capture_output=True, text=True, check=True)
    assert log.stdout.splitlines() == ["fix: add adds", "A calculator"]
    assert {request.path for request in service.chat_requests} == {f"/v1/agent/{AGENT}/chat"}


PROBLEMS = {
    "No StackSpot credentials for the provider": ("stackspot-ai-code", ""),
    "There is no StackSpot model": ("stackspot-ai-cod", ""),
    "unknown key; did you mean `client_id`?": ("stackspot-ai-code", "stackspot: {client_idd: x}"),
    "the file came with the project": ("lab/m", "lab: {base_url: 'http://10.1.2.3:8000/v1', models: [m]}"),
}


@pytest.mark.slow
@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_the_start_of_aider_has_said_is_not_said_again(repository: Path, problem: str) -> None:
    model, providers = PROBLEMS[problem]
    (repository / ".aider.litellm.yml").write_text(f"providers: {{{providers}}}", encoding="utf-8")
    seen = at_a_terminal("--model", model, *QUIET, "--message", "add must add", program=[AIDER], columns=110)
    text = " ".join(" ".join(screen(seen, 110)).split())
    assert text.count(problem) == 1, text
    assert text.endswith("Nothing was sent, for the reason above.")
