"""`aider-stackspot docs`: the pages of the repository, where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import Run

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


@pytest.mark.parametrize("name", ["absent", "../README", "\x1b[31m"])
def test_another_name_is_refused_with_those_that_there_are(run: Run, name: str) -> None:
    done = run("docs", name)
    assert done.status == 2
    assert "There are: " in done.err
    assert "troubleshooting" in done.err
    assert "\x1b" not in done.err
