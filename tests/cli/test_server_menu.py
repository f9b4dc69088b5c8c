"""The menu of `providers add`, at narrow and wide terminals, and where a terminal can show no menu."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aider_stackspot.config import current
from tests.cli.person import DOWN, INTERRUPT, UP, Seen, at_a_terminal
from tests.compatible.openai_server import OpenAIServer, models

KEY = "secret-of-the-server"
MENU = """
import dataclasses, sys
from aider_stackspot.compatible import profiles
places = dict(zip(("lmstudio", "localai", "vllm"), sys.argv[1:4]))
profiles.PRESETS = tuple(dataclasses.replace(profiles.named(name), base_url=url) for name, url in places.items())
sys.argv[:] = ["aider-stackspot", "providers", "add"]
from aider_stackspot.cli import main, server_menu
server_menu.LOCAL_TIMEOUT = 10.0
main()
"""
"""The command, with other places for the well-known servers than this machine's usual ports."""
NOBODY = "http://127.0.0.1:9/v1"


@pytest.fixture
def running() -> Iterator[OpenAIServer]:
    """An LM Studio, by its list."""
    with OpenAIServer(models("qwen3-8b", "llama-3.2-3b", owned_by="organization_owner")) as server:
        yield server


@pytest.fixture
def locked() -> Iterator[OpenAIServer]:
    """A server that lists its models for a key."""
    with OpenAIServer(models("Qwen2.5-Coder-32B", max_model_len=32768), key=KEY) as server:
        yield server


@pytest.fixture
def home(isolated: Path) -> Path:
    return isolated.parent / "home"


def add(*typed: tuple[str, str], places: tuple[str, str, str], columns: int = 80, **variables: str) -> Seen:
    return at_a_terminal(*places, program=[sys.executable, "-c", MENU], typed=typed, columns=columns, **variables)


def shown(screen: tuple[str, ...]) -> str:
    return "\n".join(screen)


@pytest.mark.slow
@pytest.mark.parametrize("columns", [60, 110])
def test_a_server_of_this_machine_is_picked_and_saved(
    running: OpenAIServer, locked: OpenAIServer, home: Path, columns: int
) -> None:
    places = (running.base, NOBODY, locked.base)
    seen = add(("Which server", "\r"), ("Name", "\r"), ("Save lmstudio", "\r"), places=places, columns=columns)
    assert seen.status == 0, seen.text
    which, name, save = map(shown, seen.screens)
    assert "? Which server (arrow keys, Enter)" in which
    assert re.search(r"^ » LM Studio +port \d+ +running, 2 models$", which, re.MULTILINE), which
    assert re.search(r"^   LocalAI +port 9 +not running$", which, re.MULTILINE)
    assert re.search(r"^   vLLM +port \d+ +wants a key$", which, re.MULTILINE)
    assert "   another server (type its URL)\n   leave, and write nothing\n" in which
    assert name.startswith("Which server: LM Studio\nName, as in NAME/model (< goes back) [lmstudio]:\n")
    assert "lmstudio/qwen3-8b" in save
    assert re.search(r"Context +Output", save), "with their limits"
    assert " » save it\n   back\n   leave, and write nothing" in save
    assert seen.text.endswith("Use it: aider --model lmstudio/qwen3-8b\n")
    assert current().compatible["lmstudio"].api_base == running.base
    assert not (home / ".env").exists(), "a server that lists its models without a key is not asked for one"
    assert max(len(line) for screen in seen.screens for line in screen) <= columns


@pytest.mark.slow
def test_another_server_with_steps_back(running: OpenAIServer, locked: OpenAIServer, home: Path) -> None:
    seen = add(
        ("Which server", f"{UP}{UP}\r"),
        ("Base URL", "<\r"),
        ("Which server", "\r"),  # where it was left
        ("Base URL", f"{locked.url}/\r"),
        ("Name", "stackspot\r"),
        ("means StackSpot AI.*Name", "gpu\r"),
        ("Key, not shown", "wrong\r"),
        ("another key.*Save gpu", "\r"),  # back is what Enter takes for a server that does not answer
        ("Key, not shown", "<\r"),
        ("Name", "box\r"),
        ("Key, not shown", f"{KEY}\r"),
        ("Save box", "\r"),
        places=(running.base, NOBODY, NOBODY),
    )
    assert seen.status == 0, seen.text
    assert "[gpu]:" in shown(seen.screens[9]), "what was typed before is the default"
    assert "32,768" in shown(seen.screens[-1])
    assert KEY not in seen.text
    assert set(current().compatible) == {"box"}
    assert f"BOX_API_KEY={KEY}" in (home / ".env").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_preset_elsewhere_wants_its_place(locked: OpenAIServer, home: Path) -> None:
    seen = add(
        ("Which server", f"{UP}\r"),
        ("Base URL", f"{locked.base}\r"),
        ("Name", "\r"),
        ("Key, not shown", f"{KEY}\r"),
        ("Save vllm", f"{DOWN}{DOWN}\r"),
        places=(NOBODY, NOBODY, "http://localhost:9/v1"),
    )
    assert "[http://localhost:9/v1]:" in shown(seen.screens[1])
    assert (seen.status, list(home.glob(".*ml"))) == (1, [])
    assert seen.text.endswith("\nNothing was written.\n")


@pytest.mark.slow
@pytest.mark.parametrize("at", ["Which server", "Base URL", "Name", "Key", "Save gpu"])
def test_an_interruption_writes_nothing(locked: OpenAIServer, home: Path, at: str) -> None:
    answers = [
        ("Which server", "\r"),
        ("Base URL", f"{locked.base}\r"),
        ("Name", "gpu\r"),
        ("Key", f"{KEY}\r"),
        ("Save gpu", "\r"),
    ]
    asked = [question for question, _ in answers].index(at)
    seen = add(*answers[:asked], (at, INTERRUPT), places=(NOBODY,) * 3)
    assert seen.status == 130
    assert seen.text.endswith("Nothing was written.\n")
    assert list(home.glob(".aider.litellm.yml")) + list(home.glob(".env")) == []


@pytest.mark.slow
def test_a_terminal_that_shows_no_menu_is_typed_at(running: OpenAIServer, home: Path) -> None:
    seen = add(
        ("Which server", "7\r"),
        ("Type one of 1, 2, 3, 4, <.*Which server", "\r"),
        ("Name", "<\r"),
        ("Which server", "1\r"),
        ("Name", "mine\r"),
        ("Save mine", "\r"),
        places=(running.base, NOBODY, NOBODY),
        TERM="dumb",
    )
    assert seen.status == 0, seen.text
    assert re.search(r"^    1  LM Studio +port \d+ +running, 2 models$", seen.text, re.MULTILINE)
    assert re.search(r"^    <  leave, and write nothing\nWhich server \[lmstudio\]: ", seen.text, re.MULTILINE)
    assert "»" not in seen.text
    assert set(current().compatible) == {"mine"}
