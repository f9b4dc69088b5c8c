"""`docs/errors.md` names every class, and quotes only what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import litellm
import pytest

from aider_stackspot import errors
from aider_stackspot.hosts.litellm.exceptions import litellm_error

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "aider_stackspot").rglob("*.py"))
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if line.startswith("| ")]
ROWS = [row for row in ROWS if row[-1].startswith("`")]
GROUPS = ("StackSpotError", "StatusError", "TransportError")
"""These have no row: nothing is of exactly these classes."""


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("name", errors.__all__)
def test_every_class_is_on_the_page(name: str) -> None:
    assert f"`{name}`" in PAGE or (name in GROUPS and name in PAGE)
    assert name in GROUPS or any(name in quoted(row[-1]) for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(re.sub(r"\W+", " ", cell) for cell in row[:2]))
def test_a_row_is_true(row: list[str]) -> None:
    """Its class becomes one of LiteLLM's that stand beside it, and its words are in the source."""
    kind = getattr(errors, quoted(row[-1])[0])
    classes, words = (row[0], row[1]) if quoted(row[0]) else (row[1], row[2])
    statuses = [int(found) for found in re.findall(r"\b[1-5]\d\d\b", row[0])] or [500]
    given = {"status": statuses[0]} if issubclass(kind, errors.StatusError) else {}
    assert type(litellm_error(kind("text", **given), "model", "stackspot")).__name__ in quoted(classes)
    flat = re.sub(r'"\s*\n\s*f?"', "", SOURCES)
    flat = re.sub(r"\{[^{}\n\"]*\}", "{}", flat)
    for part in quoted(words):
        told = re.sub(r"^StackSpot\b|\b\d{3}\b", "{}", part)  # whose answer it is, and its status, are filled in
        assert part in flat or told in flat, part


def test_what_is_marked_is_repeated() -> None:
    from aider_stackspot.pipeline.call import wait_before_retry

    for row in ROWS:
        marked = "↻" in row[0] + row[1]
        kind = getattr(errors, quoted(row[-1])[0])
        statuses = [int(found) for found in re.findall(r"\b[1-5]\d\d\b", row[0] + row[2])] or [200]
        given = {"status": statuses[0]} if issubclass(kind, errors.StatusError) else {}
        given |= {"connecting": marked} if kind is errors.TimedOut else {}
        assert (wait_before_retry(kind("text", **given), 1) is not None) is marked, row


def test_litellms_classes_exist() -> None:
    for row in ROWS:
        for name in quoted(row[0]) or quoted(row[1]):
            assert issubclass(getattr(litellm, name), Exception)
