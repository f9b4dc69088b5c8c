"""A project's file may give its own provider's models other names. It takes no name from anybody with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from aider_stackspot.config import current
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.trust.preview import preview_of
from aider_stackspot.hosts.names import Names
from tests.config.config_support import FILE, AtStart, Places, ignored

pytest_plugins = ["tests.config.config_support", "tests.config.trust.trust_support"]

SERVER = "lab: {base_url: 'http://localhost:1/v1', aliases: {fast: qwen}}"
WORK = "work: {type: stackspot, client_id: mine, models: {reviewer: {}}, aliases: {quick: stackspot-ai}}"


def found_by_litellm(name: str) -> str | None:
    names = Names()
    names.learn(current(), vendors=["openai", "ollama"], known_models=["gpt-4o", "stackspot-ai-code"])
    route = names.find(name)
    return None if route is None else route.public


def test_it_may_name_a_model_of_its_own_provider(project: Path, places: Places) -> None:
    (project / FILE).write_text("providers: {stackspot: {aliases: {fast: stackspot-ai, rev: agent/01HZ}}}")
    assert (current().problem, current().notices) == (None, ())
    assert found_by_litellm("fast") == found_by_litellm("stackspot/fast") == "stackspot/stackspot-ai"
    assert current().model("rev").agent_id == "01HZ"


@pytest.mark.parametrize("model", ["lab/qwen", "openai/gpt-4o", "gpt-4o", "work/reviewer", "reviewer", "../lab/qwen"])
def test_it_cannot_name_another_providers(project: Path, places: Places, model: str) -> None:
    (places.home / FILE).write_text(f"providers: {{{WORK}, {SERVER}}}")
    path = project / FILE
    path.write_text(f"providers:\n  stackspot:\n    aliases:\n      fast: {model}\n")
    assert str(current().problem).startswith(f"{path}, line 4: providers.stackspot.aliases.fast: this provider has no")


@pytest.mark.parametrize("provider", ["stackspot", "evil"])
@pytest.mark.parametrize("alias", ["stackspot-ai-code", "stackspot-ai", "openai/gpt-4o", "lab/qwen", "m/gpt-4o"])
def test_it_cannot_take_these_at_all(project: Path, places: Places, provider: str, alias: str) -> None:
    (places.home / FILE).write_text(f"providers: {{{SERVER}}}")
    path = project / FILE
    path.write_text(
        f"providers:\n  {provider}:\n    type: stackspot\n    models: [theirs]\n    aliases:\n      {alias}: theirs\n"
    )
    assert str(current().problem).startswith(f"{path}, line 6: providers.{provider}.aliases.{alias}: ")


@pytest.mark.parametrize("provider", ["stackspot", "evil"])
def test_a_vendors_model_stays_the_vendors(project: Path, places: Places, provider: str) -> None:
    text = f"providers: {{{provider}: {{type: stackspot, aliases: {{gpt-4o: stackspot-ai, openai: stackspot-ai}}}}}}"
    (project / FILE).write_text(text)
    assert found_by_litellm("gpt-4o") is None
    assert found_by_litellm("openai") is None
    assert found_by_litellm(f"{provider}/gpt-4o") == f"{provider}/stackspot-ai"
    places.trust(project / FILE)
    assert found_by_litellm("gpt-4o") == f"{provider}/stackspot-ai"


def test_what_begins_with_a_vendors_name_stays_the_vendors(project: Path, places: Places) -> None:
    """Also where LiteLLM knows no such model: it would send it there."""
    text = "providers: {stackspot: {models: {openai/brand-new: {}}}}"
    (project / FILE).write_text(text)
    assert found_by_litellm("openai/brand-new") is None
    places.trust(project / FILE)
    assert found_by_litellm("openai/brand-new") == "stackspot/openai/brand-new"


@pytest.mark.parametrize("alias", ["reviewer", "quick"])
@pytest.mark.parametrize("provider", ["stackspot", "evil"])
def test_a_name_of_another_account_of_the_users_stays_theirs(
    project: Path, places: Places, provider: str, alias: str
) -> None:
    (places.home / FILE).write_text(f"providers: {{{WORK}}}")
    before = current().models[alias].route
    (project / FILE).write_text(
        f"providers: {{{provider}: {{type: stackspot, aliases: {{{alias}: stackspot-ai-chat}}}}}}"
    )
    assert current().models[alias].route == before
    assert found_by_litellm(alias) == before
    assert found_by_litellm(f"{provider}/{alias}") == f"{provider}/stackspot-ai-chat"


@pytest.mark.parametrize(
    "users", ["models: {mine: {agent_id: a}}", "aliases: {mine: stackspot-ai-code}", "aliases: {mine: agent/01HZ}"]
)
def test_a_name_of_the_same_account_gets_no_other_meaning(project: Path, places: Places, users: str) -> None:
    (places.home / FILE).write_text(f"providers: {{stackspot: {{{users}}}}}")
    (project / FILE).write_text(
        "providers:\n  stackspot:\n    client_id: theirs\n    aliases: {mine: stackspot-ai, other: stackspot-ai}\n"
    )
    assert not {"mine", "stackspot/mine"} & set(current().models)
    assert current().models["other"].name == "stackspot-ai"
    ignored(project / FILE, f"{project / FILE}, line 4: the alias `mine` of the provider `stackspot`")
    places.trust(project / FILE)
    assert (current().models["mine"].name, current().notices) == ("stackspot-ai", ())


def test_the_same_meaning_does_no_harm(project: Path, places: Places) -> None:
    for directory in (places.home, project):
        (directory / FILE).write_text("providers: {stackspot: {aliases: {fast: stackspot-ai}}}")
    assert (current().models["fast"].name, current().notices) == ("stackspot-ai", ())


@pytest.mark.parametrize("name", ["models: {lab: {}}", "aliases: {lab: stackspot-ai}"])
def test_the_name_of_a_server_of_the_users_stays_the_servers(project: Path, places: Places, name: str) -> None:
    (places.home / FILE).write_text(f"providers: {{{SERVER}}}")
    (project / FILE).write_text(f"providers: {{stackspot: {{{name}}}}}")
    assert (current().problem, "lab" in current().models) == (None, False)
    assert found_by_litellm("lab") == "lab/"
    assert found_by_litellm("lab/fast") == "lab/qwen"


@pytest.mark.parametrize("name", ["stackspot-ai-code", "fast", "mine"])
def test_what_it_calls_its_account_takes_no_name_from_the_user(project: Path, places: Places, name: str) -> None:
    (places.home / FILE).write_text(
        "providers: {work: {type: stackspot, models: {mine: {}}, aliases: {fast: stackspot-ai}}}"
    )
    before = found_by_litellm(name)
    (project / FILE).write_text(f"providers: {{stackspot: {{}}, {name}: {{type: stackspot, client_id: theirs}}}}")
    assert (current().problem, found_by_litellm(name)) == (None, before)
    assert before is not None


def test_the_three_names_are_nobody_elses(places: Places) -> None:
    (places.home / FILE).write_text("providers: {stackspot-ai-code: {base_url: 'http://localhost:1/v1'}}")
    assert found_by_litellm("stackspot-ai-code") == "stackspot/stackspot-ai-code"
    assert found_by_litellm("stackspot-ai-code/m") == "stackspot-ai-code/m"


def test_its_variables_do_not_choose_what_the_users_alias_means(
    project: Path, places: Places, at_start: AtStart
) -> None:
    (places.home / FILE).write_text(
        "providers:\n  stackspot: {aliases: {fast: '${FAST:-stackspot-ai}'}}\n"
        "  lab: {base_url: 'http://localhost:1/v1', aliases: {fast: '${FAST:-qwen}'}}\n"
    )
    (project / ".env").write_text("FAST=agent/theirs\n")
    assert current().models["fast"].name == "stackspot-ai"
    assert current().compatible["lab"].aliases == {"fast": "qwen"}
    assert len(current().notices) == 2
    assert all(f"aider-stackspot trust {project / '.env'}" in line for line in current().notices)
    at_start(FAST="agent/mine")
    assert current().models["fast"].name == "agent/mine"


def test_a_weak_model_may_be_named_by_it(project: Path, places: Places) -> None:
    (project / FILE).write_text(
        "providers: {stackspot: {aliases: {fast: stackspot-ai}, models: {m: {weak_model: fast}}}}"
    )
    assert (current().model("m").weak_model, current().notices) == ("stackspot/fast", ())


def test_before_they_trust_it_the_user_sees_what_names_mean(project: Path, places: Places) -> None:
    (project / FILE).write_text("providers:\n  stackspot:\n    aliases: {gpt-4o: stackspot-ai}\n")
    assert preview_of(project / FILE, Environment()).allows == ("line 3: stackspot.aliases = gpt-4o → stackspot-ai",)
