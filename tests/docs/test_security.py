"""The table of promises names rooms and tests that are there, and every attack of the trust has its row."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = [line for line in (ROOT / "docs" / "security.md").read_text(encoding="utf-8").splitlines() if "| `" in line]


def test_there_are_rows() -> None:
    assert len(ROWS) > 20


@pytest.mark.parametrize("row", ROWS)
def test_a_row_names_its_rooms_and_tests(row: str) -> None:
    _, promise, rooms, tests, _ = row.split("|")
    assert promise.strip().endswith(".")
    for room in re.findall("`([^`]+)`", rooms):
        assert (ROOT / "aider_stackspot" / room).exists(), room
    names = re.findall("`([^`]+)`", tests)
    assert names
    for name in names:
        assert "def test_" in (ROOT / name).read_text(encoding="utf-8"), name
