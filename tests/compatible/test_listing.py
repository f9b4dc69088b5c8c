"""Model lists as each server writes them, and answers that are none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aider_stackspot.compatible import listing
from aider_stackspot.compatible.listing import NotAModelList, find
from aider_stackspot.compatible.model import Capabilities, ListedModel, Price, TokenLimit
from aider_stackspot.errors import StackSpotError


def only(document: Any) -> ListedModel:
    (model,) = listing.read(document)
    return model


def openai_list(*entries: Any) -> dict[str, Any]:
    return {"object": "list", "data": list(entries)}


class TestServers:
    """One recorded shape for each server of the research sheet, section 1."""

    def test_vllm_serves_max_model_len_and_names_what_is_behind_the_name(self) -> None:
        model = only(
            openai_list(
                {
                    "id": "coder",
                    "object": "model",
                    "created": 1700000000,
                    "owned_by": "vllm",
                    "root": "Qwen/Qwen2.5-Coder-32B-Instruct",
                    "parent": None,
                    "max_model_len": 32768,
                    "permission": [{"id": "modelperm-1", "allow_view": True}],
                }
            )
        )
        assert model.served == TokenLimit(32768, "max_model_len")
        assert model.root == "Qwen/Qwen2.5-Coder-32B-Instruct"
        assert model.owned_by == "vllm"

    def test_a_lora_entry_of_vllm_takes_the_context_of_its_base_model(self) -> None:
        base, adapter = listing.read(
            openai_list(
                {"id": "base", "owned_by": "vllm", "root": "base", "max_model_len": 8192},
                {
                    "id": "sql-lora",
                    "owned_by": "vllm",
                    "root": "/adapters/sql",
                    "parent": "base",
                    "max_model_len": None,
                },
            )
        )
        assert (base.served, base.root) == (TokenLimit(8192, "max_model_len"), None)
        assert adapter.served == TokenLimit(8192, "max_model_len of base")

    def test_adapters_that_are_each_others_parents_stay_unknown(self) -> None:
        models = listing.read(
            openai_list({"id": "a", "parent": "b"}, {"id": "b", "parent": "a"}, {"id": "c", "parent": "c"})
        )
        assert [model.served for model in models] == [None, None, None]

    def test_an_adapter_finds_its_base_by_the_model_behind_its_name(self) -> None:
        models = listing.read(
            openai_list(
                {"id": "lora", "parent": "Qwen/Qwen2.5-7B"},
                {"id": "coder", "root": "Qwen/Qwen2.5-7B", "max_model_len": 8192},
            )
        )
        assert models[0].served == TokenLimit(8192, "max_model_len of coder")

    def test_sglang(self) -> None:
        entry = {"id": "qwen", "object": "model", "owned_by": "sglang", "root": "qwen", "max_model_len": 40960}
        assert only(openai_list(entry)).served == TokenLimit(40960, "max_model_len")

    def test_llama_cpp_serves_n_ctx_and_keeps_what_the_model_was_trained_for_apart(self) -> None:
        meta = {"n_vocab": 354, "n_ctx": 1024, "n_ctx_train": 2048, "n_embd": 64, "n_params": 127552, "size": 510208}
        item = {
            "id": "tiny",
            "aliases": ["tiny-llama"],
            "tags": [],
            "object": "model",
            "owned_by": "llamacpp",
            "meta": meta,
        }
        ollama_like = {"name": "tiny", "model": "tiny", "type": "model", "capabilities": ["completion"], "digest": ""}
        model = only({"models": [ollama_like], "object": "list", "data": [item]})
        assert model.served == TokenLimit(1024, "meta.n_ctx")
        assert model.advertised == TokenLimit(2048, "meta.n_ctx_train")
        assert model.aliases == ("tiny-llama",)
        assert ("capabilities", ("completion",)) in [(said.path, said.words) for said in model.kind]

    def test_llama_cpp_while_loading_and_before_n_ctx_was_reported(self) -> None:
        loading, older = listing.read(
            openai_list(
                {"id": "/models/a.gguf", "owned_by": "llamacpp", "meta": None},
                {"id": "/models/b.gguf", "owned_by": "llamacpp", "meta": {"n_ctx_train": 131072}},
            )
        )
        assert (loading.served, loading.advertised) == (None, None)
        assert (older.served, older.advertised) == (None, TokenLimit(131072, "meta.n_ctx_train"))

    def test_llama_cpp_python_says_nothing_but_the_id(self) -> None:
        entry = {"id": "tiny", "object": "model", "owned_by": "me", "permissions": []}
        assert only(openai_list(entry)) == ListedModel("tiny", owned_by="me")

    def test_lm_studio_v0_serves_what_is_loaded_not_what_is_possible(self) -> None:
        shared = {
            "object": "model",
            "publisher": "qwen",
            "arch": "qwen2",
            "compatibility_type": "gguf",
            "quantization": "Q4_K_M",
        }
        loaded, cold, embedding = listing.read(
            openai_list(
                {
                    **shared,
                    "id": "qwen2.5-coder-7b",
                    "type": "llm",
                    "state": "loaded",
                    "max_context_length": 131072,
                    "loaded_context_length": 4096,
                },
                {**shared, "id": "qwen2-vl-7b", "type": "vlm", "state": "not-loaded", "max_context_length": 32768},
                {**shared, "id": "nomic", "type": "embeddings", "state": "not-loaded", "max_context_length": 2048},
            )
        )
        assert loaded.served == TokenLimit(4096, "loaded_context_length")
        assert loaded.advertised == TokenLimit(131072, "max_context_length")
        assert loaded.loaded is True
        assert (cold.served, cold.advertised) == (None, TokenLimit(32768, "max_context_length"))
        assert (cold.loaded, cold.capabilities.vision) == (False, True)
        assert [(said.path, said.words) for said in embedding.kind] == [("type", ("embeddings",))]

    def test_lm_studio_v1_has_keys_instead_of_ids_and_a_context_for_each_instance(self) -> None:
        document = {
            "models": [
                {
                    "type": "llm",
                    "publisher": "qwen",
                    "key": "qwen2.5-coder-7b-instruct",
                    "display_name": "Qwen2.5 Coder 7B Instruct",
                    "quantization": {"name": "Q4_K_M", "bits_per_weight": 4},
                    "params_string": "7B",
                    "loaded_instances": [
                        {"id": "coder", "config": {"context_length": 16384}},
                        {"id": "coder:2", "config": {"context_length": 4096}},
                    ],
                    "max_context_length": 131072,
                    "capabilities": {"vision": False, "trained_for_tool_use": True},
                },
                {"type": "llm", "key": "cold", "loaded_instances": [], "max_context_length": 8192},
            ]
        }
        model, cold = listing.read(document)
        assert model.id == "qwen2.5-coder-7b-instruct"
        assert model.name == "Qwen2.5 Coder 7B Instruct"
        assert model.served == TokenLimit(4096, "loaded_instances.config.context_length")
        assert model.advertised == TokenLimit(131072, "max_context_length")
        assert model.capabilities == Capabilities(tools=True, vision=False)
        assert find([model, cold], "coder:2") is model
        assert (cold.served, cold.loaded) == (None, False)

    def test_ollama_lists_ids_with_tags(self) -> None:
        model = only(openai_list({"id": "llama3.2:3b", "object": "model", "created": 1, "owned_by": "library"}))
        assert model == ListedModel("llama3.2:3b", owned_by="library")

    def test_ollama_without_models_sends_null(self) -> None:
        assert listing.parse(b'{"object":"list","data":null}') == []

    def test_ollama_tags_and_running_models(self) -> None:
        tag = {
            "name": "llama3.2:3b",
            "model": "llama3.2:3b",
            "modified_at": "2025-01-01T00:00:00Z",
            "size": 2019393189,
            "digest": "a80c4f17acd5",
            "details": {"format": "gguf", "family": "llama", "parameter_size": "3.2B"},
            "capabilities": ["completion", "tools"],
        }
        model = only({"models": [tag]})
        assert (model.id, model.aliases, model.capabilities.tools) == ("llama3.2:3b", (), True)
        running = only({"models": [{"name": "llama3.2:3b", "model": "llama3.2:3b", "context_length": 8192}]})
        assert running.served == TokenLimit(8192, "context_length")

    def test_tgi(self) -> None:
        entry = {"id": "bigcode/starcoder2", "object": "model", "created": 0, "owned_by": "bigcode/starcoder2"}
        assert only(openai_list(entry)).id == "bigcode/starcoder2"

    def test_localai(self) -> None:
        chat, tts = listing.read(
            openai_list({"id": "hermes", "object": "model"}, {"id": "voice-en", "object": "model"})
        )
        assert (chat.id, chat.owned_by, tts.id) == ("hermes", None, "voice-en")
        known = only(
            openai_list(
                {
                    "id": "hermes",
                    "object": "model",
                    "capabilities": ["chat", "completion"],
                    "input_modalities": ["text", "image"],
                    "output_modalities": ["text"],
                    "context_size": 4096,
                }
            )
        )
        assert known.served == TokenLimit(4096, "context_size")
        assert known.capabilities.vision is True

    def test_text_generation_webui(self) -> None:
        dummies = [{"id": name, "object": "model", "created": 0, "owned_by": "user"} for name in ("gpt-3.5-turbo", "x")]
        assert [model.id for model in listing.read(openai_list(*dummies))] == ["gpt-3.5-turbo", "x"]
        assert listing.read(openai_list()) == []
        assert [model.id for model in listing.read({"model_names": ["a", "b"]})] == ["a", "b"]

    def test_litellm_proxy_with_and_without_figures(self) -> None:
        shared = {"object": "model", "created": 1677610602, "owned_by": "openai"}
        known, unknown, embedding = listing.read(
            openai_list(
                {**shared, "id": "llama", "mode": "chat", "max_input_tokens": 131072, "max_output_tokens": 8192},
                {**shared, "id": "mystery"},
                {**shared, "id": "embed", "mode": "embedding", "max_input_tokens": 2048},
            )
        )
        assert known.served == TokenLimit(131072, "max_input_tokens")
        assert known.output == TokenLimit(8192, "max_output_tokens")
        assert (unknown.served, unknown.output) == (None, None)
        assert embedding.kind[0].words == ("embedding",)

    def test_litellm_model_info_takes_the_smallest_of_several_deployments(self) -> None:
        def deployment(context: float | None, **more: Any) -> dict[str, Any]:
            info = {"id": "3f2a", "mode": "chat", "max_input_tokens": context, "supports_vision": None, **more}
            return {"model_name": "coder", "litellm_params": {"model": "openai/qwen2.5-coder"}, "model_info": info}

        model = only(
            {
                "data": [
                    deployment(131072.0, supports_function_calling=True, max_output_tokens=None, max_tokens=4096),
                    deployment(32768.0, input_cost_per_token=2e-07, output_cost_per_token=4e-07),
                    deployment(None),
                ]
            }
        )
        assert model.served == TokenLimit(32768, "model_info.max_input_tokens")
        assert model.output == TokenLimit(4096, "model_info.max_tokens")
        assert model.root == "openai/qwen2.5-coder"
        assert model.capabilities == Capabilities(tools=True)
        assert model.price == Price(2e-07, 4e-07, "model_info")

    def test_litellm_model_info_reports_the_output(self) -> None:
        info = {"max_output_tokens": 8192, "max_tokens": 4096, "max_input_tokens": 9000}
        model = only({"data": [{"model_name": "a", "model_info": info}]})
        assert model.output == TokenLimit(8192, "model_info.max_output_tokens")

    def test_openrouter(self) -> None:
        model = only(
            {
                "data": [
                    {
                        "id": "meta-llama/llama-3.1-8b-instruct:free",
                        "canonical_slug": "meta-llama/llama-3.1-8b-instruct",
                        "name": "Meta: Llama 3.1 8B Instruct (free)",
                        "context_length": 131072,
                        "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
                        "pricing": {"prompt": "0.00000002", "completion": "0.00000005", "request": "0"},
                        "top_provider": {"context_length": 16384, "max_completion_tokens": 4096, "is_moderated": False},
                        "supported_parameters": ["max_tokens", "tools", "reasoning"],
                    }
                ]
            }
        )
        assert model.served == TokenLimit(16384, "top_provider.context_length")
        assert model.advertised == TokenLimit(131072, "context_length")
        assert model.output == TokenLimit(4096, "top_provider.max_completion_tokens")
        assert model.price == Price(2e-08, 5e-08, "pricing")
        assert model.capabilities == Capabilities(tools=True, vision=False, reasoning=True)

    @pytest.mark.parametrize("prompt", ["-1", "free", None, "nan", True])
    def test_a_price_that_is_no_price_is_left_out(self, prompt: object) -> None:
        assert only([{"id": "auto", "pricing": {"prompt": prompt, "completion": "0"}}]).price is None

    def test_scalytics_numbers_its_models_and_names_them_beside(self) -> None:
        models = listing.read(
            openai_list(
                {"id": "3", "name": "DeepSeek Coder 6.7B", "object": "model", "created": 1, "owned_by": "system"},
                {
                    "id": 7,
                    "name": "Mistral 7B",
                    "object": "model",
                    "created": 1,
                    "owned_by": "system",
                    "context_window": None,
                },
            )
        )
        assert [(model.id, model.name, model.aliases) for model in models] == [
            ("3", "DeepSeek Coder 6.7B", ("DeepSeek Coder 6.7B",)),
            ("7", "Mistral 7B", ("Mistral 7B",)),
        ]
        documented = only(openai_list({"id": "3", "name": "Coder", "context_window": 65536}))
        assert documented.served == TokenLimit(65536, "context_window")

    def test_mistral(self) -> None:
        model = only(
            openai_list(
                {
                    "id": "mistral-large-2411",
                    "name": "mistral-large-2411",
                    "aliases": ["mistral-large-latest"],
                    "max_context_length": 131072,
                    "capabilities": {"completion_chat": True, "function_calling": True, "vision": False},
                }
            )
        )
        assert model.served == TokenLimit(131072, "max_context_length")
        assert (model.name, model.aliases) == (None, ("mistral-large-latest",))
        assert model.capabilities == Capabilities(tools=True, vision=False)

    def test_groq(self) -> None:
        entry = {"id": "llama3", "active": True, "context_window": 8192, "max_completion_tokens": 2048}
        model = only(openai_list(entry))
        assert (model.served, model.output) == (
            TokenLimit(8192, "context_window"),
            TokenLimit(2048, "max_completion_tokens"),
        )

    def test_together_sends_a_bare_array(self) -> None:
        model = only([{"id": "Qwen/Qwen2.5-7B", "type": "chat", "context_length": 32768, "display_name": "Qwen2.5 7B"}])
        assert (model.served, model.name) == (TokenLimit(32768, "context_length"), "Qwen2.5 7B")

    def test_you_com_means_the_output_by_max_tokens_and_nobody_else_is_believed_to(self) -> None:
        assert only([{"id": "a", "max_input_tokens": 9000, "max_tokens": 500}]).output == TokenLimit(500, "max_tokens")
        zed = only([{"id": "a", "max_tokens": 128000}])
        assert (zed.output, zed.served) == (None, None)

    def test_of_contexts_that_disagree_the_smallest_holds(self) -> None:
        entry = {"id": "a", "context_length": 262144, "max_context_length": 208128, "native_context_length": 262144}
        model = only([{**entry, "loaded": False}])
        assert model.served == TokenLimit(208128, "max_context_length")
        assert model.advertised == TokenLimit(262144, "native_context_length")
        assert model.loaded is False


class TestOddEntries:
    """Values and ids that no server should send, and some do."""

    @pytest.mark.parametrize(
        "value", [True, 0, -1, "", "8k", "many", None, [], {}, 1.5, float("nan"), float("inf"), 10**30, "9" * 5000]
    )
    def test_what_is_no_number_of_tokens_is_not_one(self, value: object) -> None:
        assert only([{"id": "a", "max_model_len": value}]).served is None

    @pytest.mark.parametrize("value", [4096, 4096.0, "4096", " 4096 "])
    def test_what_is_one(self, value: object) -> None:
        assert only([{"id": "a", "max_model_len": value}]).served == TokenLimit(4096, "max_model_len")

    @pytest.mark.parametrize(
        "bad",
        [None, 1.5, True, [], {}, "", {"id": ""}, {"id": None}, {"id": "a\x1b[2J"}, {"id": "\ud800"}, {"name": 4.2}],
    )
    def test_one_bad_entry_never_costs_the_rest(self, bad: object) -> None:
        assert [model.id for model in listing.read({"data": [bad, {"id": "good"}, bad]})] == ["good"]

    def test_a_number_too_long_for_python_costs_only_itself(self) -> None:
        body = '{"data": [{"id": "a", "created": %s}, {"id": "b"}]}' % ("9" * 6000)
        assert [model.id for model in listing.parse(body)] == ["a", "b"]

    def test_plain_strings_are_ids(self) -> None:
        assert [model.id for model in listing.read({"data": ["gpt-4o", "org/model:tag"]})] == [
            "gpt-4o",
            "org/model:tag",
        ]

    def test_the_same_id_twice_is_one_model_with_the_knowledge_of_both(self) -> None:
        model = only([{"id": "a", "context_window": 8192}, {"id": "a", "owned_by": "x", "context_window": 4096}])
        assert (model.served, model.owned_by) == (TokenLimit(4096, "context_window"), "x")

    def test_a_display_name_cannot_steer_the_terminal(self) -> None:
        assert only([{"id": "a", "name": "A\x1b]0;pwned\x07 \u202eB"}]).name == "A]0;pwned B"

    def test_a_list_inside_a_list_answer(self) -> None:
        assert only({"success": True, "data": {"models": [{"id": "a"}]}}).id == "a"


class TestFind:
    """What a user types, to the model that is meant."""

    models = (
        ListedModel("3", aliases=("DeepSeek Coder", "Shared")),
        ListedModel("DeepSeek", aliases=("shared", "Shared")),
        ListedModel("7", aliases=("3",)),
    )

    @pytest.mark.parametrize(
        ("name", "found"),
        [
            ("3", "3"),
            ("DeepSeek Coder", "3"),
            ("deepseek coder", "3"),
            ("deepseek", "DeepSeek"),
            ("shared", "DeepSeek"),
        ],
    )
    def test_by_id_then_by_alias_then_without_regard_to_case(self, name: str, found: str) -> None:
        model = find(self.models, name)
        assert model is not None
        assert model.id == found

    @pytest.mark.parametrize("name", ["Shared", "nothing", ""])
    def test_an_alias_of_two_models_names_neither(self, name: str) -> None:
        assert find(self.models, name) is None


def test_another_endpoint_fills_gaps_and_adds_no_models() -> None:
    listed = [ListedModel("a", served=TokenLimit(1024, "max_model_len")), ListedModel("inst"), ListedModel("b")]
    extra = listing.read(
        [
            {"id": "a", "context_length": 4096, "type": "chat"},
            {"key": "k", "loaded_instances": [{"id": "inst", "config": {"context_length": 2048}}]},
            {"id": "unlisted", "context_length": 4096},
        ]
    )
    first, second, third = listing.enrich(listed, extra)
    assert (first.served, first.kind[0].words) == (TokenLimit(1024, "max_model_len"), ("chat",))
    assert (second.id, second.served) == ("inst", TokenLimit(2048, "loaded_instances.config.context_length"))
    assert third == ListedModel("b")


class TestWhatIsNoModelList:
    """Whatever else answers at a wrong address, or in place of the server."""

    @pytest.mark.parametrize(
        ("body", "what"),
        [
            ("", "an empty answer"),
            ("  \n", "an empty answer"),
            ("<!DOCTYPE html><html><head><title>Sign in\n to Proxy</title>", "an HTML page (Sign in to Proxy)"),
            ("\ufeff<html><body>hi", "an HTML page"),
            ("Ollama is running", 'plain text: "Ollama is running"'),
            ("Internal Server Error", 'plain text: "Internal Server Error"'),
            ('data: {"choices": []}', "an event stream"),
            ('{"data": [{"id": "a"}', 'damaged JSON: {"data": [{"id": "a"}'),
            ("null", "a JSON null"),
            ('"models"', "a JSON string"),
            ("42", "a JSON number"),
            ("{}", "an empty JSON object"),
            ('{"status": "ok", "version": 1}', "a JSON object with status, version"),
            ('{"data": {}}', "a JSON object with data"),
            ('{"data": "x"}', "a JSON object with data"),
            ('{"error": {"message": "no db", "type": "no_db_connection"}}', 'an error: "no db"'),
            ('{"error": "Input validation error", "error_type": "validation"}', 'an error: "Input validation error"'),
            ('{"success": false, "message": "API disabled"}', 'an error: "API disabled"'),
            ('{"object": "error", "message": "not found", "code": 404}', 'an error: "not found"'),
            ('{"detail": "Not Found"}', 'an error: "Not Found"'),
            ('{"data": null, "error": "boom"}', 'an error: "boom"'),
            ("[1.5, null, {}]", "a list of 3 entries, none of which names a model"),
        ],
    )
    def test_it_is_said_what_it_is_instead(self, body: str, what: str) -> None:
        with pytest.raises(NotAModelList) as raised:
            listing.parse(body)
        assert raised.value.what == what
        assert isinstance(raised.value, StackSpotError)

    @pytest.mark.parametrize(
        "text",
        [
            "Incorrect API key provided: sk-scalytics-a1b2c3d4e5f6.",
            "Bearer hunter2 was refused",
            "unknown key 0123456789abcdef0123456789abcdef",
            "Your key sk-ab****yz is invalid",
            "wrong password: hunter2",
            "token=hunter2 was refused",
            'not known: {"client_secret":"hunter2"}',
            "api_key='hunter2'",
        ],
    )
    def test_a_key_that_the_server_repeats_is_not_repeated(self, text: str) -> None:
        with pytest.raises(NotAModelList) as raised:
            listing.parse(json.dumps({"error": {"message": text}}))
        assert "[…]" in raised.value.what
        for secret in ("a1b2c3d4", "hunter2", "0123456789abcdef", "sk-ab"):
            assert secret not in str(raised.value)

    def test_a_long_answer_is_cut(self) -> None:
        with pytest.raises(NotAModelList) as raised:
            listing.parse("word " * 100_000)
        assert len(raised.value.what) < 200

    def test_deep_nesting_is_damage_not_a_crash(self) -> None:
        with pytest.raises(NotAModelList):
            listing.parse("[" * 200_000)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)

_KEYS = """
id key name display_name model model_name aliases owned_by root parent meta n_ctx top_provider context_length
max_model_len max_tokens max_input_tokens loaded_instances config state max_context_length capabilities
completion_chat type mode pricing prompt completion architecture output_modalities supported_parameters
model_info litellm_params active loaded is_generation data models model_names error success
"""
_KNOWN_KEYS = st.sampled_from(_KEYS.split())

like_entries = st.recursive(
    json_values,
    lambda inner: st.dictionaries(_KNOWN_KEYS, inner, max_size=6) | st.lists(inner, max_size=3),
    max_leaves=30,
)


@settings(deadline=None)
@given(like_entries)
def test_no_document_raises_anything_but_the_typed_error(document: object) -> None:
    try:
        models = listing.read(document)
    except NotAModelList as problem:
        assert problem.what
        return
    assert len({model.id for model in models}) == len(models)
    for model in models:
        assert model.id == model.id.strip() and model.id.isprintable()
        figures = [figure for figure in (model.served, model.advertised, model.output) if figure]
        assert all(figure.value > 0 for figure in figures)


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200))
def test_no_body_raises_anything_but_the_typed_error(body: bytes | str) -> None:
    try:
        listing.parse(body)
    except NotAModelList as problem:
        assert len(str(problem)) < 400


@settings(deadline=None)
@given(st.lists(st.fixed_dictionaries({"id": st.text("abc:/-.", min_size=1, max_size=6)}), max_size=8), like_entries)
def test_good_entries_survive_any_neighbour(good: list[dict[str, str]], neighbour: object) -> None:
    wanted = {entry["id"] for entry in good}
    if not wanted:
        return
    found = listing.read({"data": [neighbour, *good, neighbour]})
    assert wanted <= {model.id for model in found}
