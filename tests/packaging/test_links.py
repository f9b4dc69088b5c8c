"""The package's links on the index."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hatch_build import Links

ROOT = Path(__file__).parents[2]


def metadata_of(repository: str, root: Path = ROOT) -> Any:
    metadata: dict[str, Any] = {}
    Links(str(root), {"repository": repository}).update(metadata)
    return metadata


def urls(repository: str) -> Any:
    return metadata_of(repository)["urls"]


def test_there_are_none_as_long_as_the_repository_has_no_place() -> None:
    assert urls("") == {}


@pytest.mark.parametrize("end", ["", "/"])
def test_all_are_made_of_its_place(end: str) -> None:
    found = urls(f"https://git.example/team/aider-stackspot{end}")
    assert found["Homepage"] == "https://git.example/team/aider-stackspot"
    assert found["Changelog"] == "https://git.example/team/aider-stackspot/blob/main/CHANGELOG.md"
    assert all(url.startswith("https://git.example/team/aider-stackspot") for url in found.values())


@pytest.mark.parametrize("place", ["team/aider-stackspot", "http://git.example/x", "git@git.example:x"])
def test_a_place_that_is_no_web_address_is_named(place: str) -> None:
    with pytest.raises(ValueError, match=r"pyproject\.toml: `repository`"):
        urls(place)


PAGE = "See [a page](docs/a.md), [another place](https://x.example/), [below](#below).\n\n![A picture](docs/a.svg)\n"


def test_a_link_of_the_readme_leads_to_the_repository(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(PAGE, encoding="utf-8")
    assert metadata_of("https://git.example/us/it", tmp_path)["readme"]["text"] == (
        "See [a page](https://git.example/us/it/blob/main/docs/a.md), [another place](https://x.example/), "
        "[below](#below).\n\n![A picture](https://git.example/us/it/raw/main/docs/a.svg)\n"
    )


def test_without_a_place_the_readme_has_no_link_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(PAGE, encoding="utf-8")
    text = metadata_of("", tmp_path)["readme"]["text"]
    assert text == "See a page, [another place](https://x.example/), [below](#below).\n\n\n"
