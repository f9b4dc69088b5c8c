"""Other names for models: what they mean, and which of them are refused with the line that they stand on."""

from __future__ import annotations

from pathlib import Path

import pytest

from aider_stackspot.config import Settings, current
from tests.config.config_support import FILE, Places

pytest_plugins = ["tests.config.config_support"]

MEANINGS = """\
providers:
  stackspot:
    aliases: {fast: stackspot-ai, review: reviewer, rev: agent/01HZ, 4o: stackspot-ai-code}
    models: {reviewer: {agent_id: one, max_input_tokens: 99}}
  work:
    type: stackspot
    aliases: {fast: stackspot-ai-chat, mine: stackspot-ai}
  lab:
    base_url: http://localhost:1/v1
    aliases: {fast: org/qwen:7b}
"""


@pytest.fixture
def settings(places: Places) -> Settings:
    (places.home / FILE).write_text(MEANINGS)
    settings = current()
    assert (settings.problem, settings.notices) == (None, ())
    return settings


@pytest.mark.parametrize(
    ("alias", "route"),
    [
        ("fast", "stackspot/stackspot-ai"),
        ("stackspot/fast", "stackspot/stackspot-ai"),
        ("4o", "stackspot/stackspot-ai-code"),
        ("review", "stackspot/reviewer"),
        ("rev", "stackspot/agent/01HZ"),
        ("work/fast", "work/stackspot-ai-chat"),
        ("mine", "work/stackspot-ai"),
        ("work/mine", "work/stackspot-ai"),
    ],
)
def test_a_name_with_the_account_in_front_and_a_bare_one(settings: Settings, alias: str, route: str) -> None:
    assert settings.model(alias).route == route
    assert settings.model(alias) == settings.model(route)


def test_a_servers_are_the_servers_alone(settings: Settings) -> None:
    assert dict(settings.compatible["lab"].aliases) == {"fast": "org/qwen:7b"}
    assert "lab/fast" not in settings.models


def test_each_is_listed_once_by_its_shortest_name(settings: Settings) -> None:
    accounts = {name: model.account.name for name, model in settings.listed_models().items()}
    of_stackspot = {"stackspot-ai", "stackspot-ai-chat", "stackspot-ai-code", "reviewer", "fast", "review", "rev", "4o"}
    of_work = {"work/stackspot-ai", "work/stackspot-ai-chat", "work/stackspot-ai-code", "work/fast", "mine"}
    assert accounts == {**dict.fromkeys(of_stackspot, "stackspot"), **dict.fromkeys(of_work, "work")}
    assert settings.aliases()["stackspot/stackspot-ai"] == ["fast"]
    assert settings.aliases()["work/stackspot-ai-chat"] == ["work/fast"]


def test_a_model_comes_before_another_accounts_alias(places: Places) -> None:
    places.trust(_written(places.root / FILE, "providers: {work: {type: stackspot, models: {quick: {}}}}"))
    (places.home / FILE).write_text("providers: {stackspot: {aliases: {quick: stackspot-ai}}}")
    names = current().models
    assert (names["quick"].route, names["stackspot/quick"].route) == ("work/quick", "stackspot/stackspot-ai")


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


A_PROVIDERS = "this is a provider's name; give the alias another one."
A_MODELS = "this is a model's name; give the alias another one."
REFUSED = [
    (
        "fast: gpt-9",
        "this provider has no model `gpt-9`; it has stackspot-ai, stackspot-ai-chat, stackspot-ai-code, m,",
    ),
    ("fast: ''", "this provider has no model ``; it has"),
    ("fast: agent/", "this provider has no model `agent/`; it has"),
    ("fast: lab/qwen", "this provider has no model `lab/qwen`; it has"),
    ("fast: work/other", "this provider has no model `work/other`; it has"),
    ("stackspot-ai-code: m", A_MODELS),
    ("m: stackspot-ai", A_MODELS),
    ("other: stackspot-ai", A_MODELS),
    ("lab: m", A_PROVIDERS),
    ("stackspot: m", A_PROVIDERS),
    ("a: a", "`a` is an alias itself; name the model that it means."),
    ("fast: slow, slow: fast", "`slow` is an alias itself; name the model that it means."),
    ("a: b, b: c, c: m", "`b` is an alias itself; name the model that it means."),
    ("openai/gpt-4o: m", "an alias has letters, digits, `.`, `_` and `-` only."),
    ("'a b': m", "an alias has letters, digits, `.`, `_` and `-` only."),
    ("'ft:gpt-4o:acme': m", "an alias has letters, digits, `.`, `_` and `-` only."),
    ("'': m", "an alias has letters, digits, `.`, `_` and `-` only."),
    ("fast: 4", "a text is expected; put a number or a date in quotes."),
    ("fast: [m]", "a text is expected; put a number or a date in quotes."),
    ("fast: {model: m}", "a text is expected; put a number or a date in quotes."),
    ("fast:", "a text is expected; put a number or a date in quotes."),
]


@pytest.mark.parametrize(("aliases", "said"), REFUSED)
def test_what_is_refused_names_the_line(places: Places, aliases: str, said: str) -> None:
    first = aliases.partition(":")[0] if not aliases.startswith("'ft") else "'ft:gpt-4o:acme'"
    lines = [f"      {line.strip()}" for line in aliases.split(",")]
    path = _written(
        places.home / FILE,
        "providers:\n  lab: {base_url: 'http://localhost:1/v1', models: [qwen]}\n"
        "  work: {type: stackspot, models: [other]}\n  stackspot:\n    models: [m]\n    aliases:\n"
        + "\n".join(lines)
        + "\n",
    )
    problem = str(current().problem)
    assert problem.startswith(f"{path}, line 7: providers.stackspot.aliases.{first.strip(chr(39))}: {said}"), problem
    assert "\n" not in problem


@pytest.mark.parametrize(
    ("aliases", "said"),
    [
        ("qwen: x", A_MODELS),
        ("lab: x", A_PROVIDERS),
        ("stackspot: x", A_PROVIDERS),
        ("a: b, b: a", "`b` is an alias itself; name the model that it means."),
        ("fast: ''", "a model's name has no spaces, and is not empty."),
        ("fast: a b", "a model's name has no spaces, and is not empty."),
    ],
)
def test_of_a_server_too(places: Places, aliases: str, said: str) -> None:
    (places.home / FILE).write_text(
        f"providers: {{lab: {{base_url: 'http://localhost:1/v1', models: [qwen], aliases: {{{aliases}}}}}}}"
    )
    assert said in str(current().problem)


@pytest.mark.parametrize("aliases", ["[fast]", "fast", "7", "true"])
def test_a_mapping_is_expected(places: Places, aliases: str) -> None:
    path = _written(places.home / FILE, f"providers:\n  stackspot:\n    aliases: {aliases}\n")
    assert current().problem == (
        f"{path}, line 3: providers.stackspot.aliases: a mapping of keys to values is expected."
    )


def test_nothing_behind_the_key_is_none(places: Places) -> None:
    (places.home / FILE).write_text("providers:\n  stackspot:\n    aliases:\n")
    assert (current().problem, current().accounts["stackspot"].aliases) == (None, {})


def test_a_providers_name_of_another_file_of_the_users_is_refused_too(places: Places) -> None:
    (places.home / FILE).write_text("providers: {lab: {base_url: 'http://localhost:1/v1'}}")
    path = _written(places.root / FILE, "providers:\n  stackspot:\n    aliases:\n      lab: stackspot-ai\n")
    places.trust(path)
    assert current().problem == f"{path}, line 4: providers.stackspot.aliases.lab: {A_PROVIDERS}"


def test_the_name_stays_known_while_the_file_is_broken_elsewhere(places: Places) -> None:
    """Else a call by it would go to the vendor that has such a model."""
    (places.home / FILE).write_text("providers: {stackspot: {aliases: {gpt-4o: stackspot-ai}, tymeout: 3}}")
    settings = current()
    assert settings.problem is not None and "tymeout" in settings.problem
    assert settings.models["gpt-4o"].account.name == "stackspot"
