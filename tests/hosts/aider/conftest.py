"""What aider is given to work on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hosts.aider.unmodified import commit_all


@pytest.fixture
def repository(isolated: Path) -> Path:
    """A git repository with a calculator that has one fault."""
    (isolated / "calc.py").write_text("def add(a, b):\n    return a - b\n", encoding="utf-8")
    commit_all("A calculator")
    return isolated
