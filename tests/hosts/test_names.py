"""Which model a name means, before and after LiteLLM has split it."""

from __future__ import annotations

from pathlib import Path

import pytest

from aider_stackspot.config import current
from aider_stackspot.hosts.names import Names

FILE = """
providers:
  local: {api_base: 'http://127.0.0.1:1/v1'}
  ollama: {api_base: 'http://127.0.0.1:2/v1'}
  team: {api_base: 'http://127.0.0.1:3/v1'}
  work: {type: stackspot, client_id: id, api_key: key, models: {gpt-4o: {}}}
"""
IDS = ["m", "org/m:7b", "gpt-4o", "local/m", "local/local/m", "ollama/m", "aider-stackspot-ollama/m", "/m", "m/", "m/m"]


@pytest.fixture
def names(tmp_path: Path) -> Names:
    (tmp_path / "home" / ".aider.litellm.yml").write_text(FILE, encoding="utf-8")
    found = Names()
    found.learn(current(), vendors=["openai", "ollama"], known_models=["gpt-4o", "team"])
    return found


@pytest.mark.parametrize("provider", ["local", "ollama", "team"])
@pytest.mark.parametrize("model_id", IDS)
def test_a_servers_id_survives_every_way_through_litellm(names: Names, provider: str, model_id: str) -> None:
    route = names.find(f"{provider}/{model_id}")
    assert route is not None
    assert (route.provider, route.model, route.public) == (provider, model_id, f"{provider}/{model_id}")
    assert not route.is_stackspot
    again = names.find(route.dispatched, route.slug)
    assert again == route
    assert names.find(again.dispatched, again.slug) == route
    assert names.find(f"{provider}/{model_id}", route.slug) == route


@pytest.mark.parametrize("name", ["stackspot-ai-code", "stackspot/stackspot-ai-code", "work/gpt-4o", "work/any"])
def test_a_stackspot_models_name_survives_too(names: Names, name: str) -> None:
    route = names.find(name)
    assert route is not None
    assert route.is_stackspot
    assert route.model == name.rpartition("/")[2]
    assert names.find(route.dispatched, route.slug) == route
    assert names.find(f"{route.slug}/{route.dispatched}") == route


@pytest.mark.parametrize("name", ["local", "local/", "ollama", "ollama/", "work", "work/", "stackspot", "stackspot/"])
def test_a_provider_without_a_model_is_the_providers_all_the_same(names: Names, name: str) -> None:
    """To LiteLLM an empty id is OpenAI's."""
    route = names.find(name)
    assert route is not None
    assert (route.provider, route.model) == (name.rstrip("/"), "")


@pytest.mark.parametrize("name", ["stackspot-ai-cod", "stackspot-ai-code2", "stackspot-ai_chat", "stackspot-ai."])
def test_a_misspelled_bare_name_is_stackspots(names: Names, name: str) -> None:
    """Its refusal names what there is; LiteLLM would ask for a provider."""
    route = names.find(name)
    assert route is not None
    assert (route.provider, route.model, route.is_stackspot) == ("stackspot", name, True)


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-4o-mini", None),
        ("stackspot-tools/gpt-4o", None),
        ("stackspot-ai/gpt-4o", None),
        ("stackspot-a", None),
        ("team", None),  # LiteLLM has a model of this very name
        ("localx/m", None),
        ("m", "openai"),
        ("gpt-4o", "ollama"),
        ("", None),
        (None, None),
        (7, "local-not"),
    ],
)
def test_everybody_elses_names_are_not_ours(names: Names, model: object, provider: str | None) -> None:
    assert names.find(model, provider) is None


def test_a_name_of_litellms_own_is_another_one_for_its_dispatcher(names: Names) -> None:
    assert names.servers == {"local": "local", "ollama": "aider-stackspot-ollama", "team": "team"}
    assert names.accounts == {"stackspot": "stackspot", "work": "work"}


def test_names_of_a_file_that_cannot_be_used_stay_ours(names: Names, tmp_path: Path) -> None:
    (tmp_path / "home" / ".aider.litellm.yml").write_text(
        "providers:\n  new: {api_base: 5x\n  other:", encoding="utf-8"
    )
    names.learn(current(), vendors=[], known_models=[])
    for name in ("local/m", "local/", "new/m", "new"):
        route = names.find(name)
        assert route is not None, name
        assert not route.is_stackspot


def test_a_list_of_names_that_a_project_chose_takes_none_of_this_packages(isolated: Path) -> None:
    """`LITELLM_MODEL_COST_MAP_URL` in its `.env` leads LiteLLM to one."""
    (isolated / ".aider.litellm.yml").write_text("providers: {stackspot: {models: {gpt-4o: {}}}}", encoding="utf-8")
    names = Names()
    names.learn(current(), vendors=["openai"], known_models=["stackspot-ai-code", "stackspot/stackspot-ai", "gpt-4o"])
    for name in ("stackspot-ai-code", "stackspot/stackspot-ai"):
        route = names.find(name)
        assert route is not None and route.provider == "stackspot"
    assert names.find("gpt-4o") is None
