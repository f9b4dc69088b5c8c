"""A provider, or one key of a model, in a file that people write: everything else stays as it is."""

from __future__ import annotations

import pytest
import yaml

from aider_stackspot.config.edit_yaml import with_model_key, with_provider, without_model_key, without_provider
from aider_stackspot.errors import ConfigurationError

ID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


def used(text: str, model: str = "reviewer", provider: str = "stackspot") -> str:
    return with_model_key(text, provider, model, "agent_id", ID)


CHANGES = {
    "": f'providers:\n  stackspot:\n    models:\n      reviewer:\n        agent_id: "{ID}"\n',
    "# mine\n": f'# mine\nproviders:\n  stackspot:\n    models:\n      reviewer:\n        agent_id: "{ID}"\n',
    "providers:\n  stackspot:\n    rpm: 5  # few\n  lan:\n    base_url: http://localhost:1/v1\n": (
        f'providers:\n  stackspot:\n    rpm: 5  # few\n    models:\n      reviewer:\n        agent_id: "{ID}"\n'
        "  lan:\n    base_url: http://localhost:1/v1\n"
    ),
    "providers:\n  stackspot:\n    models:\n      reviewer:\n        agent_id: old  # one\n        vision: true\n": (
        f'providers:\n  stackspot:\n    models:\n      reviewer:\n        agent_id: "{ID}"  # one\n'
        "        vision: true\n"
    ),
    "providers:\n  stackspot:\n    models:\n      other:\n        tools: false\n    # about the rest\n    rpm: 5\n": (
        "providers:\n  stackspot:\n    models:\n      other:\n        tools: false\n"
        f'      reviewer:\n        agent_id: "{ID}"\n    # about the rest\n    rpm: 5\n'
    ),
    "providers:\n  stackspot:\n    models:\n      reviewer:\n    rpm: 5\n": (
        f'providers:\n  stackspot:\n    models:\n      reviewer:\n        agent_id: "{ID}"\n    rpm: 5\n'
    ),
    "providers:\n  stackspot:\n    models:\n      reviewer: {}\n": (
        f'providers:\n  stackspot:\n    models:\n      reviewer: {{"agent_id": "{ID}"}}\n'
    ),
    "providers: {stackspot: {models: {other: {tools: false}}}}": (
        f'providers: {{stackspot: {{models: {{other: {{tools: false}}, "reviewer": {{"agent_id": "{ID}"}}}}}}}}'
    ),
    "providers:\n  stackspot:\n    models:\n      reviewer:\n        tools: false": (
        f'providers:\n  stackspot:\n    models:\n      reviewer:\n        tools: false\n        agent_id: "{ID}"\n'
    ),
    "providers:\n  stackspot: ~  # nothing yet\n": (
        f'providers:\n  stackspot:   # nothing yet\n    models:\n      reviewer:\n        agent_id: "{ID}"\n'
    ),
    "providers:\n  stackspot:\n    models:\n      reviewer:\n        agent_id:\n": (
        f'providers:\n  stackspot:\n    models:\n      reviewer:\n        agent_id: "{ID}"\n'
    ),
    "providers:\n  stackspot:\n    models:\n      reviewer:\n        edit_format: |\n          diff\n    rpm: 5\n": (
        "providers:\n  stackspot:\n    models:\n      reviewer:\n        edit_format: |\n          diff\n"
        f'        agent_id: "{ID}"\n    rpm: 5\n'
    ),
}


@pytest.mark.parametrize(("text", "expected"), CHANGES.items())
def test_a_change(text: str, expected: str) -> None:
    assert used(text) == expected
    assert yaml.safe_load(expected)["providers"]["stackspot"]["models"]["reviewer"]["agent_id"] == ID
    assert used(expected) == expected


@pytest.mark.parametrize("name", ["123", "on", "a:b", "null", "1e3", "~", "a#b", "é"])
def test_a_name_stays_a_text(name: str) -> None:
    assert yaml.safe_load(used("", name))["providers"]["stackspot"]["models"] == {name: {"agent_id": ID}}


@pytest.mark.parametrize(
    "text",
    [
        "providers:\n  stackspot:\n    models: [reviewer]\n",
        "providers:\n  stackspot:\n    models:\n      reviewer:\n        agent_id: [a]\n",
        "a: &a {models: {}}\nproviders:\n  stackspot: *a\n",
    ],
)
def test_what_cannot_be_changed_safely_is_not(text: str) -> None:
    with pytest.raises(ConfigurationError, match="by hand"):
        used(text)


KEYS: dict[str, str | bool] = {"api_base": "http://localhost:1234/v1", "api_key": "${LMSTUDIO_API_KEY}"}


ENTRY = '  lmstudio:\n    api_base: "http://localhost:1234/v1"\n    api_key: "${LMSTUDIO_API_KEY}"\n'


FILES = {
    "none": ("", "providers:\n" + ENTRY),
    "only a comment": ("# mine\n", "# mine\nproviders:\n" + ENTRY),
    "no line end": ("# mine", "# mine\nproviders:\n" + ENTRY),
    "nothing in it": ("providers:\n", "providers:\n" + ENTRY),
    "empty braces": ("providers: {}  # none yet\n", "providers:  # none yet\n" + ENTRY),
    "another one": (
        "providers:\n  vllm: # the big one\n    api_base: http://gpu/v1 # fast\n    # key: none\n\n# the end\n",
        "providers:\n  vllm: # the big one\n    api_base: http://gpu/v1 # fast\n    # key: none\n"
        + ENTRY
        + "\n# the end\n",
    ),
    "with models, more deeply indented": (
        "providers:\n    vllm:\n        models:\n            a: {max_tokens: 5}\n            b:\n",
        "providers:\n    vllm:\n        models:\n            a: {max_tokens: 5}\n            b:\n"
        '    lmstudio:\n      api_base: "http://localhost:1234/v1"\n      api_key: "${LMSTUDIO_API_KEY}"\n',
    ),
    "a list of models": (
        "providers:\n  vllm:\n    models:\n      - a\n      - b\n",
        "providers:\n  vllm:\n    models:\n      - a\n      - b\n" + ENTRY,
    ),
    "a block of text at the end": (
        "providers:\n  vllm:\n    api_key: |\n      k\n",
        "providers:\n  vllm:\n    api_key: |\n      k\n" + ENTRY,
    ),
}


@pytest.mark.parametrize(("before", "after"), FILES.values(), ids=FILES)
def test_a_provider_is_added_and_everything_else_stays(before: str, after: str) -> None:
    assert with_provider(before, "lmstudio", KEYS) == after


@pytest.mark.parametrize(("before", "after"), FILES.values(), ids=FILES)
def test_removing_it_gives_the_file_before(before: str, after: str) -> None:
    removed = without_provider(after, "lmstudio")
    assert (yaml.safe_load(removed) or {}).get("providers") == ((yaml.safe_load(before) or {}).get("providers") or None)
    assert [line for line in before.splitlines() if "#" in line and "{}" not in line] == [
        line for line in removed.splitlines() if "#" in line and "none yet" not in line
    ]


def test_the_first_of_two_is_removed() -> None:
    text = "providers:\n  # one\n  a:\n    api_base: http://a\n    # deep\n  # two\n  b:\n    api_base: http://b\n"
    assert without_provider(text, "a") == "providers:\n  # one\n  # two\n  b:\n    api_base: http://b\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("providers: {a: {api_base: http://a}}\n", "braces"),
        ("providers:\n  lmstudio:\n    api_base: http://a\n", "already"),
        ("providers: [a]\n", "no mapping"),
        ("- a\n", "no mapping"),
        ("a: [\n", "not valid YAML"),
    ],
)
def test_what_cannot_be_changed_is_left_alone(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        with_provider(text, "lmstudio", KEYS)


def test_a_provider_that_another_one_refers_to_is_not_removed() -> None:
    text = "providers:\n  a: &a\n    api_base: http://a\n  b: *a\n"
    with pytest.raises(ConfigurationError, match="by hand"):
        without_provider(text, "a")


@pytest.mark.parametrize("name", ["123", "on", "1.0", "2026-01-01"])
def test_a_name_that_yaml_takes_for_something_else_is_quoted(name: str) -> None:
    added = with_provider("", name, KEYS)
    assert yaml.safe_load(added) == {"providers": {name: KEYS}}
    assert yaml.safe_load(without_provider(added, name)) == {"providers": None}


BLOCK = """# mine
providers:
  stackspot:
    api_key: "${KEY}"  # mine, too
    models:
      stackspot-ai-code:
        # the reviewer
        agent_id: "01ARZ3NDEKTSV4RRFFQ69G5FAV"  # fast
        tools: false
      stackspot-ai:
        agent_id: x

# the end
"""


def without_agent(text: str, model: str = "stackspot-ai-code") -> str:
    return without_model_key(text, "stackspot", model, "agent_id")


@pytest.mark.parametrize(
    ("line", "model"),
    [
        ('        agent_id: "01ARZ3NDEKTSV4RRFFQ69G5FAV"  # fast\n', "stackspot-ai-code"),
        ("        agent_id: x\n", "stackspot-ai"),
    ],
)
def test_a_models_key_is_taken_out_and_everything_else_stays(line: str, model: str) -> None:
    assert without_agent(BLOCK, model) == BLOCK.replace(line, "")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{agent_id: x}", "{}"),
        ("{agent_id: x, tools: false}", "{tools: false}"),
        ("{tools: false, agent_id: x}", "{tools: false}"),
        ("{tools: false, agent_id: x, rpm: 1}", "{tools: false, rpm: 1}"),
        ("{tools: false,\n  agent_id: x,\n}", "{tools: false,\n  }"),
    ],
)
def test_a_models_key_in_braces_is_taken_out(before: str, after: str) -> None:
    head = "providers: {stackspot: {models: {stackspot-ai-code: "
    assert without_agent(f"{head}{before}}}}}}} # mine") == f"{head}{after}}}}}}} # mine"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# mine\n",
        "providers:\n",
        "providers:\n  stackspot:\n    models:\n",
        "providers: {stackspot: {models: [a]}}",
    ],
)
def test_where_a_model_has_no_such_key_nothing_changes(text: str) -> None:
    assert without_agent(text) == text
    assert without_agent(BLOCK, "another") == BLOCK


def test_a_key_that_two_models_share_is_left_to_its_owner() -> None:
    shared = (
        "providers: {stackspot: {models: {stackspot-ai: &one {agent_id: x, tools: false}, stackspot-ai-code: *one}}}"
    )
    with pytest.raises(ConfigurationError, match="by hand"):
        without_agent(shared)
