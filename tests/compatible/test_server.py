"""Where a configured server is, and which of its models a name means."""

from __future__ import annotations

import pytest

from aider_stackspot.compatible.model import ListedModel
from aider_stackspot.compatible.server import ServerSnapshot, base_of, candidates, describe, id_of
from aider_stackspot.config import CompatibleProvider
from aider_stackspot.config.schema import ModelKeys


@pytest.mark.parametrize(
    ("base", "tried"),
    [
        ("http://h:1", ("http://h:1/v1", "http://h:1")),
        ("http://h:1/", ("http://h:1/v1", "http://h:1")),
        ("http://h:1/v1", ("http://h:1/v1",)),
        ("http://h:1/v1/", ("http://h:1/v1",)),
        ("https://h/api", ("https://h/api", "https://h/api/v1")),
        ("https://h/api/v1", ("https://h/api/v1",)),
        ("https://h/v2", ("https://h/v2", "https://h/v2/v1")),
    ],
)
def test_a_base_url_is_tried_as_it_stands_and_with_v1(base: str, tried: tuple[str, ...]) -> None:
    assert candidates(base) == tried
    assert base_of(CompatibleProvider("lab", base), None) == tried[0]


def test_the_base_url_that_answered_is_the_one_for_calls() -> None:
    provider = CompatibleProvider("lab", "http://h:1")
    assert base_of(provider, ServerSnapshot("http://h:1", fetched_at=5.0)) == "http://h:1"
    assert base_of(provider, ServerSnapshot("http://h:1", fetched_at=0.0)) == "http://h:1/v1", "it never answered"


@pytest.mark.parametrize("listed", [("the-one",), ("one", "two"), ()])
@pytest.mark.parametrize("name", ["something-else", "gpt-4o", "org/x:7b"])
def test_a_name_that_the_server_does_not_list_is_passed_on_as_typed(listed: tuple[str, ...], name: str) -> None:
    """Where one model is active a server ignores the name, or refuses it; either is its own decision."""
    provider = CompatibleProvider("lab", "http://h:1/v1")
    snapshot = ServerSnapshot("http://h:1/v1", models=tuple(map(ListedModel, listed)), fetched_at=5.0)
    assert id_of(provider, snapshot, name) == name
    assert not describe(provider, snapshot, name).listed


def test_a_configured_name_stands_for_the_model_that_it_names() -> None:
    provider = CompatibleProvider("lab", "http://h:1/v1", models={"mine": ModelKeys(model="a"), "b": ModelKeys()})
    snapshot = ServerSnapshot("http://h:1/v1", models=(ListedModel("a", aliases=("A",)),), fetched_at=5.0)
    assert [id_of(provider, snapshot, name) for name in ("mine", "b", "A", "a")] == ["a", "b", "a", "a"]
