"""The profiles: the seeds' tables, how servers are recognised, and which endpoints are worth asking."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aider_stackspot.compatible import listing
from aider_stackspot.compatible.model import KindField, ListedModel, TokenLimit
from aider_stackspot.compatible.profiles import GENERIC, PRESETS, PROFILES, ServerProfile, named, recognise


def profile(name: str) -> ServerProfile:
    found = named(name)
    assert found is not None
    return found


class TestSeedCommonBaseUrls:
    """The seed `statcode-openai-compatible.md`, "Common Base URLs", row by row."""

    @pytest.mark.parametrize(
        ("title", "url"),
        [
            ("LM Studio", "http://localhost:1234/v1"),
            ("LocalAI", "http://localhost:8080/v1"),
            ("text-generation-webui", "http://localhost:5000/v1"),
            ("vLLM", "http://localhost:8000/v1"),
            ("Ollama", "http://localhost:11434/v1"),
        ],
    )
    def test_row(self, title: str, url: str) -> None:
        assert profile(title).base_url == url
        assert profile(title) in PRESETS

    @pytest.mark.parametrize(
        ("title", "url"),
        [
            ("llama-cpp-python", "http://localhost:8000/v1"),
            ("SGLang", "http://localhost:30000/v1"),
            ("LiteLLM Proxy", "http://localhost:4000/v1"),
            ("Text Generation Inference", None),
            ("Scalytics Connect", None),
        ],
    )
    def test_what_the_seed_does_not_list_is_known_but_not_offered(self, title: str, url: str | None) -> None:
        assert profile(title).base_url == url
        assert profile(title) not in PRESETS

    def test_llama_cpp_is_offered_too(self) -> None:
        assert profile("llama.cpp").base_url == "http://localhost:8080/v1"
        assert [preset.name for preset in PRESETS][-1] == "llama.cpp"


class TestSeedScalyticsConnect:
    """The seed `scalytics-connect.md`, statement by statement, with what the server's source adds.

    The source: docs/servers.md, "Scalytics Connect".
    """

    scalytics = profile("scalytics")

    def test_text_based_interactions_only(self) -> None:
        assert self.scalytics.text_only

    def test_the_list_of_parameters_is_closed(self) -> None:
        parameters = self.scalytics.parameters
        assert parameters is not None
        assert parameters == frozenset(
            {"messages", "stream", "model", "temperature", "max_tokens", "top_p", "stream_options"}
            | {"frequency_penalty", "presence_penalty"}
        )
        assert parameters.isdisjoint(
            {"stop", "tools", "n", "seed", "user", "response_format", "max_completion_tokens", "reasoning_effort"}
        )
        assert self.scalytics.stream_options == frozenset({"include_usage"})

    def test_roles_and_names(self) -> None:
        assert self.scalytics.roles == frozenset({"user", "assistant", "system"})
        assert not self.scalytics.message_name

    def test_streams_end_with_done_and_with_a_finish_reason_only_on_request(self) -> None:
        assert self.scalytics.end_marker == "done"
        assert self.scalytics.finish_needs_usage

    def test_the_rate_limit_is_shared_so_the_list_is_kept_longer(self) -> None:
        assert self.scalytics.cache_seconds > GENERIC.cache_seconds == 3600


def test_everything_is_allowed_by_an_ordinary_server() -> None:
    assert (GENERIC.parameters, GENERIC.roles, GENERIC.stream_options) == (None, None, None)
    assert GENERIC.message_name and not GENERIC.text_only
    assert GENERIC.end_marker == "finish_reason"
    assert GENERIC.endpoints == ()


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("LM-Studio", "lmstudio"),
        ("lm_studio", "lmstudio"),
        ("oobabooga", "text-generation-webui"),
        ("llama-server", "llama.cpp"),
        ("llamacpp", "llama.cpp"),
        ("VLLM", "vllm"),
        ("Scalytics Copilot", "scalytics"),
        ("openai-compatible", "generic"),
    ],
)
def test_profiles_are_found_however_they_are_spelled(written: str, name: str) -> None:
    assert profile(written).name == name


def test_an_unknown_name_is_no_profile_and_no_name_means_two() -> None:
    assert named("something else") is None
    assert named("") is None
    assert named("??") is None
    names = [each for listed in PROFILES for each in {listed.name, *listed.also}]
    assert len(names) == len(set(names))


def data(*entries: Any) -> dict[str, Any]:
    return {"object": "list", "data": list(entries)}


class TestRecognition:
    """Which server it is, from the list's shape, a header, or the port."""

    @pytest.mark.parametrize(
        ("document", "name"),
        [
            (data({"id": "a", "owned_by": "vllm"}, {"id": "lora", "owned_by": "vllm"}), "vllm"),
            (data({"id": "a", "owned_by": "sglang"}), "sglang"),
            (data({"id": "a", "owned_by": "llamacpp", "created": 1}), "llama.cpp"),
            (data({"id": "a", "object": "model", "owned_by": "me", "permissions": []}), "llama-cpp-python"),
            (data({"id": "a", "object": "model", "owned_by": "organization_owner"}), "lmstudio"),
            (data({"id": "a:7b", "owned_by": "library"}, {"id": "me/b", "owned_by": "me"}), "ollama"),
            (data({"id": "org/m", "created": 0, "owned_by": "org/m"}), "tgi"),
            (data({"id": "a", "object": "model"}, {"id": "b", "object": "model"}), "localai"),
            (data({"id": "gpt-3.5-turbo", "created": 0, "owned_by": "user"}), "text-generation-webui"),
            (data({"id": "x", "created": 1677610602, "owned_by": "openai", "mode": "chat"}), "litellm"),
            (data({"id": "3", "name": "DeepSeek", "created": 1, "owned_by": "system"}), "scalytics"),
            (data({"id": 3, "name": "DeepSeek", "created": 1, "owned_by": "someone"}), "scalytics"),
            (data({"id": "gpt-4o", "created": 1715367049, "owned_by": "system", "object": "model"}), "generic"),
            (data({"id": "3", "name": "a"}, {"id": "other", "name": "b"}), "generic"),
            (data({"id": "org/m", "created": 0, "owned_by": "org/m"}, {"id": "x", "owned_by": "y"}), "generic"),
            (data(), "generic"),
            ([{"id": "Qwen/x", "type": "chat"}], "generic"),
            ({"error": "no"}, "generic"),
            (None, "generic"),
        ],
    )
    def test_by_the_list(self, document: object, name: str) -> None:
        assert recognise(document).name == name

    def test_by_a_header(self) -> None:
        assert recognise(data(), {"Server": "llama.cpp"}).name == "llama.cpp"
        assert recognise(data(), {"X-LiteLLM-Version": "1.81.10"}).name == "litellm"
        assert recognise(data(), {"Server": "uvicorn"}) is GENERIC

    def test_by_the_port_only_where_the_list_says_nothing(self) -> None:
        assert recognise({"object": "list", "data": None}, base_url="http://localhost:11434/v1").name == "ollama"
        assert recognise(data(), base_url="http://127.0.0.1:1234").name == "lmstudio"
        assert recognise(data({"id": "a", "owned_by": "vllm"}), base_url="http://localhost:1234/v1").name == "vllm"
        assert recognise(data(), base_url="http://localhost:8080/v1") is GENERIC
        assert recognise(data(), base_url="http://localhost:notaport/v1") is GENERIC

    @settings(deadline=None)
    @given(
        st.recursive(
            st.none() | st.integers() | st.text(max_size=4),
            lambda inner: (
                st.lists(inner) | st.dictionaries(st.sampled_from(["data", "id", "owned_by", "created", "name"]), inner)
            ),
        )
    )
    def test_nothing_breaks_it(self, document: object) -> None:
        assert recognise(document) in PROFILES


class TestEndpoints:
    """The extra endpoints: their addresses, and when they add something."""

    @pytest.mark.parametrize(
        "base", ["http://h:1234/v1", "http://h:1234/v1/", "http://h:1234", "http://h:1234/", " http://h:1234/v1// "]
    )
    def test_addresses_hang_below_the_root(self, base: str) -> None:
        paths = [endpoint.url(base) for endpoint in profile("lmstudio").endpoints]
        assert paths == ["http://h:1234/api/v1/models", "http://h:1234/api/v0/models"]

    def test_a_prefix_before_v1_stays(self) -> None:
        (endpoint,) = profile("localai").endpoints
        assert endpoint.url("https://h/ai/v1") == "https://h/ai/v1/models/capabilities"

    def test_what_is_known_is_not_asked_for(self) -> None:
        (props,) = profile("llama.cpp").endpoints
        assert props.wanted([ListedModel("a")])
        assert props.wanted([ListedModel("a", served=TokenLimit(1, "x")), ListedModel("b")])
        assert not props.wanted([ListedModel("a", served=TokenLimit(1, "x"))])
        assert not props.wanted([])

    def test_models_that_do_not_chat_are_not_worth_a_request(self) -> None:
        (props,) = profile("llama.cpp").endpoints
        assert not props.wanted([ListedModel("nomic-embed-text")])

    @pytest.mark.parametrize(
        ("name", "lacking"),
        [("tgi", "output"), ("litellm", "kind"), ("ollama", "advertised"), ("text-generation-webui", "root")],
    )
    def test_each_gap_alone_is_a_reason(self, name: str, lacking: str) -> None:
        full: dict[str, Any] = {
            "served": TokenLimit(1, "x"),
            "advertised": TokenLimit(1, "x"),
            "output": TokenLimit(1, "x"),
            "kind": (KindField("type", ("llm",)),),
            "root": "r",
        }
        endpoint = profile(name).endpoints[0]
        assert not endpoint.wanted([ListedModel("a", **full)])
        full.pop(lacking)
        assert endpoint.wanted([ListedModel("a", **full)])

    def test_what_an_endpoint_answers_is_read_by_the_reader_it_names(self) -> None:
        """An endpoint for one model is no list, and the other way round."""
        for listed in PROFILES:
            for endpoint in listed.endpoints:
                assert endpoint.per_model or not endpoint.post
                assert endpoint.path.startswith("/") and not endpoint.path.endswith("/")
        assert listing.read({"models": [{"key": "a", "loaded_instances": []}]})[0].id == "a"
