"""Which server a name means, before and after LiteLLM has split it."""

from __future__ import annotations

import pytest

from aider_stackspot.hosts.names import Route, Routes

ROUTES = Routes(["local", "ollama", "team/a", "team"], taken=["openai", "ollama"])
IDS = ["m", "org/m:7b", "gpt-4o", "local/m", "local/local/m", "ollama/m", "ollama-compatible/m", "/m", "m/"]


@pytest.mark.parametrize("provider", ["local", "ollama", "team"])
@pytest.mark.parametrize("model_id", IDS)
def test_an_id_survives_every_way_through_litellm(provider: str, model_id: str) -> None:
    route = ROUTES.find(f"{provider}/{model_id}")
    assert route is not None
    assert (route.provider, route.model, route.public) == (provider, model_id, f"{provider}/{model_id}")
    again = ROUTES.find(route.dispatched, route.slug)
    assert again == route
    assert ROUTES.find(again.dispatched, again.slug) == route
    assert ROUTES.find(f"{provider}/{model_id}", route.slug) == route


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-4o", None),
        ("local", None),
        ("local/", None),
        ("localx/m", None),
        ("m", "openai"),
        ("gpt-4o", "ollama"),
        (None, None),
        (7, "local-not"),
    ],
)
def test_everybody_elses_names_are_not_ours(model: object, provider: str | None) -> None:
    assert ROUTES.find(model, provider) is None


def test_the_longer_of_two_names_counts() -> None:
    assert ROUTES.find("team/a/m") == Route("team/a", "team/a", "m")
    assert ROUTES.find("team/b/m") == Route("team", "team", "b/m")


def test_a_name_of_litellms_own_is_another_one_for_its_dispatcher() -> None:
    assert ROUTES.slugs == {
        "local": "local",
        "ollama": "ollama-compatible",
        "team/a": "team/a",
        "team": "team",
    }
