"""`aider-stackspot docs`: the pages of the repository, where there is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.command import Run
from tests.cli.person import at_a_terminal

pytest_plugins = ["tests.cli.cli_fixtures"]

PAGES = sorted((Path(__file__).parents[2] / "docs").glob("*.md"))


def test_the_pages_are_listed_with_their_titles(run: Run) -> None:
    done = run("docs")
    assert [line.split()[0] for line in done.out.splitlines()] == [page.stem for page in PAGES]
    assert all(len(line.split()) > 1 for line in done.out.splitlines())


@pytest.mark.parametrize("name", ["errors", "errors.md", "docs/errors.md"])
def test_a_page_is_shown_by_any_of_its_names(run: Run, name: str) -> None:
    page = next(page for page in PAGES if page.stem == "errors")
    assert run("docs", name).out == page.read_text(encoding="utf-8")


def test_the_usual_pager_is_told_to_show_colours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without that it shows their codes."""
    pager = tmp_path / "less"
    pager.write_text('#!/bin/sh\n[ -t 0 ] || cat > /dev/null\necho "LESS is $LESS"\n', encoding="utf-8")
    pager.chmod(0o755)
    for name in ("LESS", "PAGER", "MANPAGER"):
        monkeypatch.delenv(name, raising=False)
    seen = at_a_terminal("docs", "errors", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert "LESS is -R" in seen.text


@pytest.mark.parametrize("name", ["absent", "../README", "\x1b[31m"])
def test_another_name_is_refused_with_those_that_there_are(run: Run, name: str) -> None:
    done = run("docs", name)
    assert done.status == 2
    assert "There are: " in done.err
    assert "troubleshooting" in done.err
    assert "\x1b" not in done.err
