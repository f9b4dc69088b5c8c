"""Choosing, with the arrow keys where the terminal can, and by typing where it cannot."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence

import pytest

from tests.cli.person import DOWN, INTERRUPT, UP, Seen, at_a_terminal

ASK = """
import sys
from aider_stackspot.cli.choice import FreeAnswer, Option, choose
names = sys.argv[2:]
options = [Option(f"id-{name}", name, str(number)) for number, name in enumerate(names, start=1)]
other = FreeAnswer("another, by its id", "Its id", lambda text: None if text.startswith("id-") else "No such id.")
print("answer", choose("Agent", options, sys.argv[1], other))
"""
MANY = [f"agent number {number}" for number in range(1, 41)]


def choose(
    typed: Sequence[tuple[str, str]], *names: str, default: str = "", columns: int = 80, **variables: str
) -> Seen:
    return at_a_terminal(
        default, *names, program=[sys.executable, "-c", ASK], typed=typed, columns=columns, **variables
    )


def answer(seen: Seen) -> str:
    assert seen.status == 0, seen.text
    return seen.text.splitlines()[-1].partition("answer ")[2]


@pytest.mark.parametrize(
    ("keys", "default", "chosen"),
    [
        pytest.param("\r", "", "id-a", marks=pytest.mark.thorough),
        ("\r", "id-b", "id-b"),
        pytest.param(f"{DOWN}\r", "", "id-b", marks=pytest.mark.thorough),
        (f"{UP}{UP}\r", "", "id-c"),
        pytest.param("jq\r", "", "id-a", marks=pytest.mark.thorough),
        pytest.param("\r", "id-of-before", "id-of-before", marks=pytest.mark.thorough),
    ],
)
def test_the_arrow_keys_move_and_enter_takes(keys: str, default: str, chosen: str) -> None:
    assert answer(choose([("Agent", keys)], "a", "b", "c", default=default)) == chosen


def test_a_menu_is_gone_afterwards_but_for_the_answer() -> None:
    seen = choose([("Agent", f"{UP}\r"), ("Its id", "id-x\r")], "a", "b")
    assert seen.screens[0][:4] == ("? Agent (arrow keys, Enter)", " » a", "   b", "   another, by its id")
    assert seen.screens[1][:2] == ("Its id (Enter goes back):", "")
    assert answer(seen) == "id-x"


def test_what_is_typed_in_a_menu_can_be_gone_back_from() -> None:
    typed = [("Agent", f"{UP}\r"), ("Its id", "wrong\r"), ("No such id.*Its id", "\r"), ("Agent", f"{DOWN}\r")]
    assert answer(choose(typed, "a", "b")) == "id-b"


@pytest.mark.thorough
def test_many_are_filtered_by_typing_and_scroll() -> None:
    seen = choose([("Agent", "number 37\r")], *MANY)
    assert "(arrow keys, Enter; type to filter)" in seen.screens[0][0]
    assert answer(seen) == "id-agent number 37"
    assert answer(choose([("Agent", f"{DOWN * 30}\r")], *MANY)) == "id-agent number 31"


@pytest.mark.parametrize("columns", [60, 110])
def test_a_line_that_is_too_long_is_cut_with_a_mark(columns: int) -> None:
    seen = choose([("Agent", "\r")], "wide 漢字 " * 20, "a\nb", columns=columns)
    assert seen.screens[0][1].endswith("…")
    assert seen.screens[0][2] == "   a\\nb", "a control character breaks no line"


def test_an_interruption_is_no_answer() -> None:
    seen = choose([("Agent", INTERRUPT)], "a", "b")
    assert seen.status != 0
    assert "answer" not in seen.text


def test_a_terminal_that_can_draw_nothing_is_typed_at() -> None:
    typed = [("Agent", "4\r"), ("No such id.*Agent", "2\r")]
    seen = choose(typed, "a", "b", default="id-a", TERM="dumb")
    assert "    1  a\n    2  b\nAgent [id-a]: " in seen.text
    assert answer(seen) == "id-b"
    assert answer(choose([("Agent", "id-z\r")], "a", TERM="dumb")) == "id-z"


def test_without_colours_the_keys_work_all_the_same() -> None:
    seen = choose([("Agent", f"{DOWN}\r")], "a", "b", NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-8][0-9;]*m", seen.text)
    assert answer(seen) == "id-b"


def test_a_pipe_is_typed_at() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK, "id-a", "a", "b"], input="2\n", capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.returncode) == (" answer id-b\n", 0)
    assert done.stderr.rstrip() == "    1  a\n    2  b\nAgent [id-a]:"


@pytest.mark.thorough
def test_nothing_is_loaded_for_a_menu_before_somebody_is_asked() -> None:
    code = (
        "import sys, aider_stackspot.cli.server_options, aider_stackspot.cli.init\n"
        "print({'prompt_toolkit', 'questionary'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("set()\n", "")
