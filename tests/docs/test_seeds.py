"""The tests that `docs/seeds.md` names are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "seeds.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)+)`", PAGE)))
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| what the guide")]


@cache
def names_in(path: str) -> frozenset[str]:
    """Return the tests, and the classes with tests, of a file; those of a class with its name in front."""
    found = set()
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            inner = [item.name for item in node.body if isinstance(item, ast.FunctionDef)]
            found |= {node.name, *(f"{node.name}::{name}" for name in inner if name.startswith("test_"))}
    return frozenset(found)


@pytest.mark.parametrize("name", NAMED)
def test_it_is_there(name: str) -> None:
    path, _, test = name.partition("::")
    assert test in names_in(path)


def test_every_row_names_a_test() -> None:
    assert len(ROWS) > 60
    assert [row for row in ROWS if not re.search(r"\| `tests/[\w/]+\.py::", row)] == []


def test_no_name_is_written_in_another_way() -> None:
    assert PAGE.count("`tests/") == len(re.findall(r"`tests/[\w/]+\.py(?:::\w+)+`", PAGE)) + PAGE.count(
        "test_seeds.py`"
    )
