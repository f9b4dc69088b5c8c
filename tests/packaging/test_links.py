"""The package's links on the index."""

from __future__ import annotations

from typing import Any

import pytest

from hatch_build import Links


def urls(repository: str) -> Any:
    metadata: dict[str, Any] = {}
    Links("", {"repository": repository}).update(metadata)
    return metadata["urls"]


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
