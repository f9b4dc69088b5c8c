"""What the extra endpoints of single servers add to their model lists."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aider_stackspot.compatible.entries import details_of
from aider_stackspot.compatible.model import Capabilities, ListedModel, TokenLimit


def test_llama_cpp_props_give_the_context_of_one_slot() -> None:
    props = {
        "default_generation_settings": {"id": 0, "n_ctx": 512, "params": {"n_predict": -1}},
        "total_slots": 2,
        "model_path": "/models/Qwen2.5-7B.gguf",
        "modalities": {"vision": True, "audio": False},
    }
    model = details_of(props, "tiny")
    assert model.served == TokenLimit(512, "default_generation_settings.n_ctx")
    assert model.root == "/models/Qwen2.5-7B.gguf"
    assert model.capabilities.vision is True


def test_older_llama_cpp_props_have_the_context_at_the_top() -> None:
    assert details_of({"total_slots": 1, "n_ctx": 768}, "m").served == TokenLimit(768, "n_ctx")
    both = {"n_ctx": 2048, "default_generation_settings": {"n_ctx": 512}}
    assert details_of(both, "m").served == TokenLimit(512, "default_generation_settings.n_ctx")
    empty = {"n_ctx": 2048, "default_generation_settings": {"n_ctx": 0}}
    assert details_of(empty, "m").served == TokenLimit(2048, "n_ctx")


@pytest.mark.parametrize("name", ["max_input_tokens", "max_input_length"])
def test_tgi_info_gives_the_total_and_what_is_left_for_the_answer(name: str) -> None:
    info = {
        "model_id": "bigcode/starcoder2-15b",
        "model_pipeline_tag": "text-generation",
        "max_total_tokens": 8192,
        name: 7168,
    }
    model = details_of(info, "starcoder")
    assert model.served == TokenLimit(8192, "max_total_tokens")
    assert model.output == TokenLimit(1024, "max_total_tokens - max_input_tokens")
    assert model.root == "bigcode/starcoder2-15b"
    assert model.kind[0].words == ("text-generation",)


def test_tgi_without_an_input_limit_promises_no_output() -> None:
    assert details_of({"max_total_tokens": 8192, "max_input_tokens": 8192}, "m").output is None
    assert details_of({"max_total_tokens": 8192}, "m").output is None


SHOWN: dict[str, Any] = {
    "parameters": 'stop                           "<|eot_id|>"\nnum_ctx                        8192\ntemperature   0.6',
    "model_info": {
        "general.architecture": "llama",
        "general.parameter_count": 3212749888,
        "clip.vision.context_length": 77,
        "llama.context_length": 131072,
    },
    "capabilities": ["completion", "tools", "thinking"],
}


def test_ollama_show_serves_num_ctx_and_advertises_the_architecture() -> None:
    model = details_of(SHOWN, "llama3.2:3b")
    assert model.served == TokenLimit(8192, "parameters.num_ctx")
    assert model.advertised == TokenLimit(131072, "model_info.llama.context_length")
    assert model.capabilities == Capabilities(tools=True, reasoning=True)
    assert model.kind[0].words == ("completion", "tools", "thinking")


def test_ollama_show_without_num_ctx_serves_nobody_knows_what() -> None:
    model = details_of({**SHOWN, "parameters": 'stop "num_ctx 42"'}, "llama3.2:3b")
    assert model.served is None
    assert model.advertised is not None


def test_ollama_show_is_recognised_by_either_part() -> None:
    facts = {"model_info": {"gemma3.context_length": 32768}}
    assert details_of(facts, "m").advertised == TokenLimit(32768, "model_info.gemma3.context_length")
    assert details_of({"capabilities": ["embedding"]}, "m").kind[0].words == ("embedding",)


def test_the_last_num_ctx_of_a_model_file_wins() -> None:
    model = details_of({"parameters": "num_ctx 2048\nnum_ctx 4096"}, "m")
    assert model.served == TokenLimit(4096, "parameters.num_ctx")


def test_sglang_and_text_generation_webui() -> None:
    sglang = details_of({"model_path": "BAAI/bge-m3", "is_generation": False}, "m")
    assert (sglang.root, sglang.kind[0].words) == ("BAAI/bge-m3", ("false",))
    webui = details_of({"model_name": "qwen2.5-7b", "lora_names": [], "loader": "llama.cpp"}, "gpt-3.5-turbo")
    assert (webui.id, webui.root) == ("gpt-3.5-turbo", "qwen2.5-7b")


def test_an_object_of_another_kind_adds_nothing() -> None:
    assert details_of({"version": "1.2"}, "m") == ListedModel("m")
    assert details_of([], "m") == details_of(None, "m") == ListedModel("m")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("num_ctx 99999999999999"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["n_ctx", "vision", "general.architecture", "x.context_length", "a"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)
marks = st.sampled_from(
    [
        "default_generation_settings",
        "modalities",
        "max_total_tokens",
        "max_input_tokens",
        "model_info",
        "parameters",
        "capabilities",
        "is_generation",
        "loader",
        "model_path",
        "model_name",
        "model_id",
    ]
)


@settings(deadline=None)
@given(st.dictionaries(marks, values, max_size=6), st.text(max_size=4))
def test_no_document_raises(document: dict[str, Any], model_id: str) -> None:
    assert details_of(document, model_id).id == model_id
