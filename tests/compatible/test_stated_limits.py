"""Limits that an entry states, wherever in it they stand and however the field is spelled."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aider_stackspot.compatible import limits, listing
from aider_stackspot.compatible.chat_models import chat_verdict
from aider_stackspot.compatible.limits import StatedLimits, context
from aider_stackspot.compatible.model import ListedModel, TokenLimit

NOTHING = StatedLimits(None, None, None)


def stated(entry: dict[str, Any]) -> StatedLimits:
    return limits.stated_limits({"id": "made-up", **entry})


def served(entry: dict[str, Any]) -> tuple[int, str] | None:
    limit = stated(entry).served
    return (limit.value, limit.origin) if limit else None


VENICE = {
    "id": "llama-3.3-70b",
    "type": "text",
    "object": "model",
    "created": 1699000000,
    "owned_by": "venice.ai",
    "model_spec": {
        "availableContextTokens": 65536,
        "maxCompletionTokens": 16384,
        "capabilities": {"supportsFunctionCalling": True, "supportsVision": False, "supportsReasoning": False},
        "constraints": {"temperature": {"default": 0.8}, "top_p": {"default": 0.9}},
        "pricing": {"input": {"usd": 0.7, "diem": 7}, "output": {"usd": 2.8, "diem": 28}},
        "name": "Llama 3.3 70B",
        "offline": False,
        "traits": ["default"],
    },
}
COPILOT = {
    "id": "gpt-4o",
    "name": "GPT-4o",
    "object": "model",
    "vendor": "Azure OpenAI",
    "model_picker_enabled": True,
    "policy": {"state": "enabled", "terms": "…"},
    "capabilities": {
        "family": "gpt-4o",
        "type": "chat",
        "object": "model_capabilities",
        "tokenizer": "o200k_base",
        "limits": {
            "max_context_window_tokens": 128000,
            "max_output_tokens": 4096,
            "max_prompt_tokens": 64000,
            "vision": {"max_prompt_image_size": 3145728, "max_prompt_images": 1},
        },
        "supports": {"streaming": True, "tool_calls": True, "vision": True},
    },
}
DEEPINFRA = {
    "id": "Qwen/Qwen2.5-72B-Instruct",
    "object": "model",
    "owned_by": "deepinfra",
    "root": "Qwen/Qwen2.5-72B-Instruct",
    "parent": None,
    "metadata": {
        "description": "…",
        "context_length": 32768,
        "max_tokens": 32768,
        "pricing": {"input_tokens": 0.23, "output_tokens": 0.4},
        "tags": ["chat"],
    },
}


def router(*arguments: str, **status: Any) -> dict[str, Any]:
    return {
        "id": "ggml-org/gemma-3-4b-it-GGUF:Q4_K_M",
        "owned_by": "llamacpp",
        "in_cache": True,
        "status": {"value": "loaded", "args": ["llama-server", "--port", "42559", *arguments], **status},
    }


class TestServers:
    """Entries as servers were seen to send them (docs/servers.md, "Served and trained context")."""

    def test_venice(self) -> None:
        (model,) = listing.read([VENICE])
        assert model.served == TokenLimit(65536, "model_spec.availableContextTokens")
        assert model.output == TokenLimit(16384, "model_spec.maxCompletionTokens")
        assert (model.capabilities.tools, model.capabilities.vision) == (True, False)
        assert chat_verdict(model).chat

    def test_github_copilot_counts_what_a_prompt_may_hold(self) -> None:
        (model,) = listing.read([COPILOT])
        assert model.served == TokenLimit(64000, "capabilities.limits.max_prompt_tokens")
        assert model.advertised == TokenLimit(128000, "capabilities.limits.max_context_window_tokens")
        assert model.output == TokenLimit(4096, "capabilities.limits.max_output_tokens")
        assert (model.capabilities.tools, model.capabilities.vision) == (True, True)
        assert chat_verdict(model).reason == "capabilities.type: chat"

    def test_github_copilot_without_a_prompt_limit(self) -> None:
        limits = {"max_context_window_tokens": 128000, "max_output_tokens": 4096}
        expected = (128000, "capabilities.limits.max_context_window_tokens")
        assert served({"capabilities": {"limits": limits}}) == expected
        assert served({"limits": limits}) == (128000, "limits.max_context_window_tokens")

    def test_deepinfra_means_the_output_by_max_tokens_beside_a_context(self) -> None:
        (model,) = listing.read([DEEPINFRA])
        assert model.served == TokenLimit(32768, "metadata.context_length")
        assert model.output == TokenLimit(32768, "metadata.max_tokens")

    @pytest.mark.parametrize(
        ("arguments", "tokens"),
        [
            (("--ctx-size", "8192"), 8192),
            (("--ctx-size=8192",), 8192),
            (("-c", "8192"), 8192),
            (("-c=8192",), 8192),
            (("-ctx", "4096"), 4096),
            (("-c", "1024", "--ctx-size", "8192"), 8192),
            (("-c", "8192", "--parallel", "4"), 2048),
            (("-np", "2", "-c", "8192"), 4096),
            (("-c", "8192", "-np", "4", "--kv-unified"), 8192),
            (("-c", "8192", "--parallel", "-1"), 8192),
            (("-c", "0"), None),
            (("-c",), None),
            (("--ctx-size-other", "8192"), None),
            (("-C", "8192"), None),
            ((), None),
        ],
    )
    def test_the_arguments_that_llama_cpps_router_starts_a_model_with(
        self, arguments: tuple[str, ...], tokens: int | None
    ) -> None:
        assert served(router(*arguments)) == ((tokens, "status.args") if tokens else None)

    def test_the_preset_of_a_model_that_llama_cpps_router_has_not_started(self) -> None:
        preset = "[gemma]\nmodel = /models/8192.gguf\nctx-size = 16384\nparallel = 2\n"
        assert served(router(value="unloaded", args=[], preset=preset)) == (8192, "status.preset")
        assert served(router("-c", "4096", preset=preset)) == (4096, "status.args")

    @pytest.mark.parametrize("nonsense", [None, "-c 8192", [None, 8192, {}], {"-c": 8192}])
    def test_arguments_that_are_no_list_of_texts(self, nonsense: object) -> None:
        assert served({"status": {"args": nonsense}}) is None

    def test_of_several_hosts_behind_one_name_the_smallest_counts(self) -> None:
        """Hugging Face's router may lead a request to any of them."""
        hosts = [
            {"provider": "one", "context_length": 131072, "pricing": {"input": 1, "output": 3}},
            {"provider": "two", "context_length": 32768},
            {"provider": "three"},
        ]
        assert served({"providers": hosts}) == (32768, "providers.context_length")


# No server is known to send these: a field is known by its last name.
MADE_UP: dict[str, tuple[dict[str, Any], int]] = {
    "limits": ({"limits": {"context_length": 9000}}, 9000),
    "camel case": ({"limits": {"contextLength": 9000}}, 9000),
    "kebab case": ({"limits": {"context-length": 9000}}, 9000),
    "capabilities": ({"capabilities": {"chat": True, "maxContextTokens": 9000}}, 9000),
    "metadata": ({"metadata": {"max_context_length": 9000}}, 9000),
    "model_spec": ({"model_spec": {"contextWindow": 9000}}, 9000),
    "info": ({"info": {"context_window": 9000}}, 9000),
    "details": ({"details": {"max_model_len": 9000}}, 9000),
    "spec": ({"spec": {"maxModelLen": 9000}}, 9000),
    "deep": ({"info": {"runtime": {"limits": {"max_prompt_tokens": 9000}}}}, 9000),
    "a list of variants": ({"variants": [{"context_length": 20000}, {"context_length": 9000}]}, 9000),
    "text": ({"limits": {"maxInputTokens": "9000"}}, 9000),
    "float": ({"limits": {"max_input_tokens": 9000.0}}, 9000),
    "gemini's words": ({"inputTokenLimit": 9000, "outputTokenLimit": 2000}, 9000),
    "models.dev's words": ({"limit": {"context": 9000, "output": 2000}}, 9000),
    "models.dev's input": ({"limit": {"context": 20000, "input": 9000, "output": 2000}}, 9000),
    "window tokens": ({"contextWindowTokens": 9000}, 9000),
    "window size": ({"context_window_size": 9000}, 9000),
    "available": ({"available_context_length": 9000}, 9000),
    "running beats made for": ({"n_ctx": 9000, "max_context_length": 4000}, 9000),
    "running in an object": ({"runtime": {"num_ctx": 9000}, "context_length": 131072}, 9000),
    "effective": ({"effective_context_length": 9000, "context_length": 131072}, 9000),
    "prompt within running": ({"n_ctx": 20000, "limits": {"max_prompt_tokens": 9000}}, 9000),
    "prompt within context": ({"context_window": 20000, "limits": {"maxPromptTokens": 9000}}, 9000),
    "context within prompt": ({"limits": {"max_prompt_tokens": 20000}, "context_window": 9000}, 9000),
    "two that disagree": ({"context_length": 20000, "meta": {"context_size": 9000}}, 9000),
    "sequence length": ({"config": {"max_seq_len": 9000}}, 9000),
    "a state": ({"state": "active", "max_context_length": 9000}, 9000),
    "total": ({"info": {"max_total_tokens": 9000}}, 9000),
    "beside a price": ({"pricing": {"context_length": 2000}, "context_length": 9000}, 9000),
    "beside an image's": ({"vision": {"max_input_tokens": 2000}, "max_input_tokens": 9000}, 9000),
    "beside a draft model's": ({"draft_model": {"n_ctx": 2000}, "meta": {"n_ctx": 9000}}, 9000),
}


@pytest.mark.parametrize(("entry", "tokens"), MADE_UP.values(), ids=MADE_UP)
def test_a_field_is_known_by_its_last_name(entry: dict[str, Any], tokens: int) -> None:
    limit = stated(entry).served
    assert limit is not None
    assert limit.value == tokens


@pytest.mark.parametrize("object_", ["limits", "capabilities", "metadata", "model_spec", "info", "details", "spec"])
@pytest.mark.parametrize(
    "name",
    [
        "context_length",
        "max_context_length",
        "context_window",
        "max_model_len",
        "max_prompt_tokens",
        "max_input_tokens",
    ],
)
def test_every_object_with_every_name(object_: str, name: str) -> None:
    first, *rest = name.split("_")
    camel = first + "".join(part.title() for part in rest)
    assert served({object_: {name: 9000}}) == (9000, f"{object_}.{name}")
    assert served({object_: {camel: 9000}}) == (9000, f"{object_}.{camel}")


NO_LIMITS: dict[str, dict[str, Any]] = {
    "max_tokens alone": {"max_tokens": 9000},
    "max_tokens alone in an object": {"limits": {"max_tokens": 9000}, "max_len": 9000},
    "a price": {"pricing": {"context_length": 9000, "max_input_tokens": 3}},
    "a price for long prompts": {"pricing_tiers": [{"max_input_tokens": 128000, "usd": 2}]},
    "the cost of a window": {"cost": {"context_window": 9000}},
    "a rate": {"rate_limits": {"max_input_tokens": 9000}},
    "a quota": {"quota": {"max_prompt_tokens": 9000}},
    "what was used": {"usage": {"context_tokens": 9000}},
    "tokens a minute": {"limits": {"tokens_per_minute": 9000, "input_tokens": 9000}},
    "an image's": {"vision_config": {"max_position_embeddings": 577, "context_length": 77}},
    "ids and dates": {"created": 1700000000, "permission": [{"id": 9000, "created": 9000}], "version": 9000},
    "sizes": {"size": 9000, "n_params": 9000, "meta": {"n_vocab": 9000, "n_embd": 64}},
    "a field that is turned off": {"context_length": 0, "max_model_len": -1, "context_window": True},
    "words": {"context_length": "128k", "context_window": "large"},
    "numbers that are no tokens": {"context_length": [9000], "max_model_len": 10**30, "n_ctx": 0.5},
    "a name with more in it": {"context_length_price": 9000, "min_context_length": 9000, "context_lengths": 9000},
    "a name of data": {"scores": {"x" * 65: {"context_length": 9000}}},
    "a key that steers the terminal": {"\x1b[2J": {"context_length": 9000}},
    "a key of a GGUF file": {"model_info": {"llama.context_length": 9000}},
}


@pytest.mark.parametrize("entry", NO_LIMITS.values(), ids=NO_LIMITS)
def test_what_is_no_limit(entry: dict[str, Any]) -> None:
    assert stated(entry) == NOTHING


@pytest.mark.parametrize(
    ("entry", "tokens"),
    [
        ({"meta": {"n_ctx_train": 131072}}, 131072),
        ({"nCtxTrain": 131072}, 131072),
        ({"config": {"max_position_embeddings": 131072}}, 131072),
        ({"native_context_length": 131072}, 131072),
        ({"state": "not-loaded", "max_context_length": 131072}, 131072),
        ({"loaded_instances": [], "max_context_length": 131072}, 131072),
    ],
)
def test_what_a_model_was_made_for_is_not_what_is_served(entry: dict[str, Any], tokens: int) -> None:
    limits = stated(entry)
    assert limits.served is None
    assert limits.advertised is not None
    assert limits.advertised.value == tokens


@pytest.mark.parametrize(
    ("entry", "output"),
    [
        ({"limits": {"context_length": 9000, "max_tokens": 500}}, (500, "limits.max_tokens")),
        ({"info": {"maxInputTokens": 9000, "maxTokens": 500}}, (500, "info.maxTokens")),
        ({"context_length": 9000, "defaults": {"max_tokens": 500}}, None),
        ({"context_length": 9000, "info": {"max_tokens": 500}}, None),
        ({"max_tokens": 9000, "max_output_tokens": 500, "max_input_tokens": 1000}, (500, "max_output_tokens")),
        ({"limits": {"maxOutputTokens": 500}}, (500, "limits.maxOutputTokens")),
        ({"limit": {"output": 500}}, (500, "limit.output")),
        ({"outputTokenLimit": 500}, (500, "outputTokenLimit")),
        ({"providers": [{"max_completion_tokens": 800}, {"max_completion_tokens": 500}]}, (500, None)),
        ({"pricing": {"max_output_tokens": 500}}, None),
    ],
)
def test_the_longest_answer(entry: dict[str, Any], output: tuple[int, str | None] | None) -> None:
    limit = stated(entry).output
    assert (limit.value if limit else None) == (output[0] if output else None)
    if limit and output and output[1]:
        assert limit.origin == output[1]


def test_of_two_fields_with_one_number_the_more_specific_gives_its_name() -> None:
    assert served({"context_length": 9000, "top_provider": {"context_length": 9000}}) == (
        9000,
        "top_provider.context_length",
    )
    assert served({"context_window": 9000, "max_prompt_tokens": 9000}) == (9000, "max_prompt_tokens")


@pytest.mark.parametrize("model_id", ["llama-3.1-8b", "mystery-128k"])
def test_a_name_is_asked_only_where_nothing_is_stated(model_id: str) -> None:
    (told,) = listing.read([{"id": model_id, "model_spec": {"availableContextTokens": 9000}}])
    assert context(model_id, listed=told) == TokenLimit(9000, "served: model_spec.availableContextTokens")
    guess = context(model_id, listed=ListedModel(model_id))
    assert guess is not None
    assert (guess.value, guess.estimated) == (131072, True)


def test_an_entry_that_is_deeper_than_any_sensible_one_costs_nothing() -> None:
    entry: dict[str, Any] = {"context_length": 9000}
    for _ in range(500):
        entry = {"info": entry}
    assert stated(entry) == NOTHING


_NAMES = st.sampled_from(
    ["contextLength", "context_length", "n_ctx", "max_tokens", "limits", "status", "args", "preset", "state", "pricing"]
)
_ENTRIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.sampled_from(["-c", "4096"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES | st.text(max_size=4), inner, max_size=5),
    max_leaves=20,
)


@settings(deadline=None)
@given(st.dictionaries(_NAMES, _ENTRIES, max_size=6))
def test_no_entry_raises_and_every_limit_is_a_number_of_tokens(entry: dict[str, Any]) -> None:
    for limit in stated(entry):
        assert limit is None or (limit.value > 0 and limit.origin.isprintable())
