"""Where a configured server is, and which of its models a name means."""

from __future__ import annotations

import pytest

from aider_stackspot.compatible.model import Capabilities, ListedModel
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


class TestToolsByName:
    """The seed `statcode-openai-compatible.md`: tool calling is on for its modern families. A name only guesses."""

    @pytest.mark.parametrize(
        ("name", "guess"),
        [
            ("deepseek-coder-v2", True),
            ("Qwen2.5-Coder-7B", True),
            ("mistral-large-2411", True),
            ("llama-3.1-8b", True),
            ("llama3:8b", True),
            ("llama-2-7b", None),
            ("mixtral-8x7b", None),
            ("mistral-small", None),
            ("phi-4", None),
            ("my-model", None),
        ],
    )
    def test_a_modern_family_calls_tools(self, name: str, guess: bool | None) -> None:
        model = describe(CompatibleProvider("lab", "http://localhost:1/v1"), None, name)
        assert (model.capabilities.tools, model.guessed) == (guess, frozenset({"tools"}) if guess else frozenset())

    @pytest.mark.parametrize(("said", "told"), [(True, True), (False, False)])
    def test_the_servers_word_is_no_guess(self, said: bool, told: bool) -> None:
        listed = ListedModel("qwen2.5", capabilities=Capabilities(tools=said))
        snapshot = ServerSnapshot("http://localhost:1/v1", models=(listed,), fetched_at=1)
        model = describe(CompatibleProvider("lab", "http://localhost:1/v1"), snapshot, "qwen2.5")
        assert (model.capabilities.tools, model.guessed) == (told, frozenset())

    @pytest.mark.parametrize(("said", "told"), [(True, True), (False, False), ("prompt", True)])
    def test_the_users_word_comes_first(self, said: bool | str, told: bool) -> None:
        keys = {"qwen2.5": ModelKeys.model_validate({"tools": said})}
        listed = ListedModel("qwen2.5", capabilities=Capabilities(tools=not told))
        snapshot = ServerSnapshot("http://localhost:1/v1", models=(listed,), fetched_at=1)
        model = describe(CompatibleProvider("lab", "http://localhost:1/v1", models=keys), snapshot, "qwen2.5")
        assert (model.capabilities.tools, model.guessed) == (told, frozenset())

    def test_a_kind_without_tools_has_them_by_way_of_the_prompt(self) -> None:
        model = describe(CompatibleProvider("scalytics", "http://localhost:1/v1"), None, "3")
        assert (model.capabilities.tools, model.guessed) == (True, frozenset())

    def test_an_embedding_model_calls_none(self) -> None:
        model = describe(CompatibleProvider("lab", "http://localhost:1/v1"), None, "qwen2.5-embedding")
        assert (model.chat, model.capabilities.tools) == (False, None)
