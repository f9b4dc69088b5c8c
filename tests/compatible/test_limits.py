"""Context and output: the seed's tables row by row, their order among other sources, and robust reading of names.

"The seed" is `OPENAI_COMPATIBLE_PROVIDER.md` of StatCode AI, section "Intelligent Model Detection".
"""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aider_stackspot.api.answer import token_count
from aider_stackspot.compatible.limits import context, output
from aider_stackspot.compatible.model import ListedModel, TokenLimit

K = 1024


def tokens(model_id: str) -> int | None:
    figure = context(model_id)
    return figure.value if figure else None


class TestSeedContextWindowEstimation:
    """The seed's list "Context Window Estimation", one test for each row."""

    @pytest.mark.parametrize(
        "model_id",
        ["llama-3.3-70b-instruct", "llama3.3", "Llama-3_3-70B", "llama-3.2-3b", "llama3.2:3b", "llama-v3p2-11b-vision"],
    )
    def test_row_1_llama_3_3_and_3_2_are_128k(self, model_id: str) -> None:
        assert tokens(model_id) == 128 * K

    @pytest.mark.parametrize(
        "model_id",
        [
            "Meta-Llama-3.1-405B-Instruct-FP8",
            "llama3.1",
            "llama3.1:8b-instruct-q4_0",
            "meta.llama3-1-8b-instruct-v1:0",
            "accounts/fireworks/models/llama-v3p1-405b-instruct",
            "NousResearch/Hermes-3-Llama-3.1-8B",
            "llama31-8b",
        ],
    )
    def test_row_2_llama_3_1_is_128k(self, model_id: str) -> None:
        assert tokens(model_id) == 128 * K

    @pytest.mark.parametrize(
        "model_id",
        [
            "llama-3.0-8b",
            "Meta-Llama-3-70B-Instruct",
            "llama3",
            "llama3:8b",
            "llama_3_8b_instruct",
            "Llama 3 8B",
            "llama-3-1b",
        ],
    )
    def test_row_3_llama_3_0_is_8k(self, model_id: str) -> None:
        assert tokens(model_id) == 8 * K

    @pytest.mark.parametrize(
        "model_id", ["mistral-large-2411", "mistral-large-latest", "mistral-large:123b", "Mistral-Large-Instruct-2407"]
    )
    def test_row_4_mistral_large_is_128k(self, model_id: str) -> None:
        assert tokens(model_id) == 128 * K

    @pytest.mark.parametrize(
        "model_id",
        [
            "mistral-small-latest",
            "mistral-small3.1:24b",
            "Mistral-Small-24B-Instruct-2501",
            "mistral-medium-2505",
            "mistral medium",
        ],
    )
    def test_row_5_mistral_small_and_medium_are_32k(self, model_id: str) -> None:
        assert tokens(model_id) == 32 * K

    @pytest.mark.parametrize(
        "model_id", ["mixtral-8x22b", "mistralai/Mixtral-8x22B-Instruct-v0.1", "mixtral:8x22b-instruct-v0.1-q4_0"]
    )
    def test_row_6_mixtral_8x22b_is_64k(self, model_id: str) -> None:
        assert tokens(model_id) == 64 * K

    @pytest.mark.parametrize(
        "model_id",
        [
            "mixtral-8x7b-32768",
            "mistralai/Mixtral-8x7B-Instruct-v0.1",
            "mistral.mixtral-8x7b-instruct-v0:1",
            "/models/mixtral-8x7b-instruct-v0.1.Q5_K_M.gguf",
            "mixtral",
            "mixtral:8x7b",
        ],
    )
    def test_row_7_mixtral_8x7b_is_32k(self, model_id: str) -> None:
        assert tokens(model_id) == 32 * K

    @pytest.mark.parametrize(
        "model_id",
        [
            "qwen2.5-coder-7b",
            "Qwen/Qwen2.5-Coder-32B-Instruct",
            "qwen-2.5-72b-instruct",
            "qwen2.5:14b",
            "qwen2p5-72b",
            "Qwen2.5-VL-7B",
        ],
    )
    def test_row_8_qwen_2_5_is_128k(self, model_id: str) -> None:
        assert tokens(model_id) == 128 * K

    @pytest.mark.parametrize(
        "model_id",
        [
            "deepseek-chat",
            "deepseek-r1:70b",
            "deepseek-ai/DeepSeek-V3",
            "deepseek-coder-v2:16b",
            "DeepSeek-R1-Distill-Llama-8B",
        ],
    )
    def test_row_9_deepseek_is_64k(self, model_id: str) -> None:
        assert tokens(model_id) == 64 * K

    @pytest.mark.parametrize(
        ("model_id", "expected"),
        [
            ("some-model-32k", 32 * K),
            ("some-model-64k", 64 * K),
            ("some-model-128K-instruct", 128 * K),
            ("LLaMA-2-7B-32K", 32 * K),
            ("Yarn-Mistral-7b-128k", 128 * K),
            ("gpt-4o-mini-32k-context-proxy", 32 * K),
            ("phi3:14b-medium-128k-instruct-q4_0", 128 * K),
            ("deepseek-coder-6.7b-32k", 32 * K),
            ("llama-3.1-8b-64k.Q4_K_M.gguf", 64 * K),
        ],
    )
    def test_row_10_explicit_indicators_are_respected(self, model_id: str, expected: int) -> None:
        figure = context(model_id)
        assert figure is not None
        assert figure.value == expected
        assert figure.origin.startswith("in the name: ")


class TestSeedMaxOutputTokens:
    """The seed's list "Max Output Tokens", one test for each row."""

    @pytest.mark.parametrize(
        "model_id",
        [
            "deepseek-chat",
            "qwen2.5-7b",
            "qwen-2.5-7b",
            "mistral-large-2411",
            "llama3",
            "llama-3.0-8b",
            "llama3.1:8b",
            "llama3.2",
            "Llama-3.3",
        ],
    )
    def test_row_1_modern_models_answer_8k(self, model_id: str) -> None:
        assert output(model_id).value == 8 * K

    @pytest.mark.parametrize(
        "model_id", ["mixtral-8x22b", "mistral-small", "llama-2-7b", "gemma-3-27b-it", "gpt-4o", "entirely-unknown", ""]
    )
    def test_row_2_everything_else_answers_4k(self, model_id: str) -> None:
        assert output(model_id).value == 4 * K

    def test_an_estimate_says_that_it_is_one(self) -> None:
        assert output("qwen2.5-7b") == TokenLimit(8 * K, "estimated: Qwen 2.5", estimated=True)
        assert output("mystery") == TokenLimit(4 * K, "estimated: usual", estimated=True)

    def test_no_answer_is_estimated_longer_than_the_context(self) -> None:
        small = TokenLimit(2048, "configured")
        assert output("qwen2.5-7b", context=small) == TokenLimit(2048, "estimated: the context", estimated=True)
        assert output("qwen2.5-7b", context=TokenLimit(8 * K, "configured")).value == 8 * K


@pytest.mark.parametrize(
    ("model_id", "expected", "family"),
    [
        ("deepseek-ai/deepseek-coder-6.7b-instruct", 16 * K, "DeepSeek-Coder v1"),
        ("deepseek-coder:33b", 16 * K, "DeepSeek-Coder v1"),
        ("deepseek-coder-7b-instruct-v1.5", 4 * K, "DeepSeek-Coder v1.5"),
        ("deepseek-llm-67b-chat", 4 * K, "DeepSeek-LLM"),
        ("deepseek-llm:7b", 4 * K, "DeepSeek-LLM"),
        ("deepseek-math-7b-instruct", 4 * K, "DeepSeek-Math v1"),
        ("deepseek-moe-16b-chat", 4 * K, "DeepSeek-MoE"),
        ("deepseek-vl2", 4 * K, "DeepSeek-VL"),
        ("DeepSeek-V2-Lite-Chat", 32 * K, "DeepSeek-V2-Lite"),
        ("Qwen2.5-Math-7B-Instruct", 4 * K, "Qwen 2.5 Math"),
        ("mistral-large-2402", 32 * K, "Mistral Large 2402"),
    ],
)
def test_named_releases_for_which_the_seed_is_far_too_high(model_id: str, expected: int, family: str) -> None:
    assert context(model_id) == TokenLimit(expected, f"family: {family}", estimated=True)


@pytest.mark.parametrize(
    ("model_id", "expected"),
    [
        ("Llama-3.1-Nemotron-70B-Instruct-HF", 128 * K),
        ("llama-2-7b-chat", 4 * K),
        ("codellama:13b", 16 * K),
        ("Qwen2-7B-Instruct", 32 * K),
        ("qwen2-57b-a14b", 32 * K),
        ("qwen3:8b", 32 * K),
        ("qwen3-coder:30b", 256 * K),
        ("Qwen3-30B-A3B-Instruct-2507", 256 * K),
        ("Mistral-Nemo-Instruct-2407", 128 * K),
        ("mistralai/Mistral-7B-Instruct-v0.3", 32 * K),
        ("devstral-small-2507", 128 * K),
        ("gemma-2-9b-it", 8 * K),
        ("gemma-2b", 8 * K),
        ("gemma3:1b", 32 * K),
        ("gemma-3-27b-it", 128 * K),
        ("phi4", 16 * K),
        ("phi-4-mini-instruct", 128 * K),
        ("openai/gpt-oss-20b", 128 * K),
        ("command-r7b", 128 * K),
        ("starcoder2:15b", 16 * K),
        ("tinyllama:1.1b", 2 * K),
        ("Qwen3-Next-80B-A3B-Instruct", 256 * K),
        ("qwen3-vl:8b", 256 * K),
        ("qwq:32b", 32 * K),
        ("CodeQwen1.5-7B-Chat", 64 * K),
        ("Qwen2-Math-7B", 4 * K),
        ("qwen1.5-14b-chat", 32 * K),
        ("Mistral-7B-Instruct-v0.1", 8 * K),
        ("codestral-2501", 256_000),
        ("codestral:22b", 32 * K),
        ("pixtral-12b", 128 * K),
        ("mathstral-7b", 32 * K),
        ("phi3.5:3.8b", 128 * K),
        ("phi-2", 2 * K),
        ("GLM-4.6", 200_000),
        ("glm-4.5-air", 128 * K),
        ("kimi-k2-instruct", 128 * K),
        ("granite3.1-dense:8b", 128 * K),
        ("granite-3.0-8b-instruct", 4 * K),
        ("yi-coder:9b", 128 * K),
        ("SmolLM3-3B", 64 * K),
        ("smollm2:1.7b", 8 * K),
        ("olmo2:13b", 4 * K),
    ],
)
def test_families_the_seed_does_not_know(model_id: str, expected: int) -> None:
    assert tokens(model_id) == expected


@pytest.mark.parametrize(
    "model_id",
    [
        "gpt-4o",
        "gpt-3.5-turbo",
        "mystery-13b",
        "llama-30b",
        "llama-3b",
        "llama-13b",
        "open_llama_3b",
        "llama-guard-3-8b",
        "llama-4-scout",
        "gemma-4-31b",
        "qwen3.5-9b",
        "qwen-32b",
        "codellama-70b",
        "medgemma-27b",
        "dolphi-4",
        "mattshumer/Reflection-70B",
        "deepseek-ai/other",
        "mistralai/other",
        "3",
        "",
        "/",
        "..",
    ],
)
def test_unknown_stays_unknown(model_id: str) -> None:
    assert context(model_id) is None


class TestSizesInNames:
    """Numbers that are sizes, and the many that are not."""

    @pytest.mark.parametrize(
        ("model_id", "expected"),
        [
            ("moonshot-v1-8k", 8 * K),
            ("yi-34b-chat-200k", 200_000),
            ("Llama-3-8B-Instruct-262k", 262_000),
            ("Llama-3-8B-Instruct-Gradient-1048k", 1_048_000),
            ("glm-4-9b-chat-1m", 1_000_000),
            ("llama3-8b-8192", 8192),
            ("mixtral-8x7b-32768", 32768),
            ("foo-32k-ctx", 32 * K),
            ("foo-ctx32k", 32 * K),
            ("foo-16k_context", 16 * K),
            ("foo_extended_from_8k_to_32k", 8 * K),
        ],
    )
    def test_sizes(self, model_id: str, expected: int) -> None:
        assert tokens(model_id) == expected

    @pytest.mark.parametrize(
        "model_id",
        [
            "foo-8b-q4k",
            "foo-q5_k_m",
            "smollm-135m",
            "foo-270m",
            "stories260K",
            "TinyStories-1M",
            "zephyr-7b-ultrachat-200k",
            "foo-alpaca-52k",
            "foo-step-100k",
            "foo-32k-vocab",
            "foo-4khd",
            "foo-v1.5k",
            "foo-1k",
            "foo-8x7",
            "foo-99999k",
            "foo-81920",
            "foo-128kb",
        ],
    )
    def test_no_sizes(self, model_id: str) -> None:
        assert context(model_id) is None


class TestPaths:
    """llama-server lists the path of a file, vLLM may list a directory of Hugging Face's cache."""

    @pytest.mark.parametrize(
        "model_id",
        [
            "/models/Qwen2.5-Coder-7B-Instruct-Q4_K_M.gguf",
            "/models/qwen2.5-7b/model.gguf",
            "/models/qwen2.5-7b/ggml-model-q4_0.gguf",
            "/models/qwen2.5-72b/model-00001-of-00003.gguf",
            r"C:\models\qwen2.5-7b-q8_0.gguf",
            "./qwen2.5-7b.gguf",
            "models--Qwen--Qwen2.5-7B-Instruct/snapshots/a09a35458c702b33eeacc393d103063234e8bc28",
            "/data/hub/models--Qwen--Qwen2.5-7B-Instruct/snapshots/a09a35458c702b33eeacc393d103063234e8bc28/",
            "hf.co/someone/Qwen2.5-7B-Instruct-GGUF:Q4_K_M",
            "registry.example.com:5000/library/qwen2.5:7b",
        ],
    )
    def test_the_part_that_names_the_model_counts(self, model_id: str) -> None:
        assert tokens(model_id) == 128 * K

    def test_a_directory_that_is_named_like_a_size_or_vendor_does_not_count(self) -> None:
        assert context("/srv/128k/mystery-7b.gguf") is None
        assert context("/srv/mixtral/mystery-7b.gguf") is None
        assert context(r"C:\mixtral\mystery-7b.gguf") is None
        assert context("models--deepseek-ai--mystery/snapshots/a09a35458c702b33eeacc393d103063234e8bc28") is None


class TestPrecedence:
    """Configured beats learned beats served beats advertised beats the name."""

    listed = ListedModel(
        "llama-3.1-8b-32k",
        served=TokenLimit(4096, "max_model_len"),
        advertised=TokenLimit(16384, "meta.n_ctx_train"),
        output=TokenLimit(1024, "max_output_tokens"),
    )

    def test_from_the_top(self) -> None:
        name, listed = self.listed.id, self.listed
        only_advertised = ListedModel(name, advertised=listed.advertised)
        assert context(name, configured=100, listed=listed, learned=200) == TokenLimit(100, "configured")
        assert context(name, listed=listed, learned=200) == TokenLimit(200, "learned: the server's own error")
        assert context(name, listed=listed) == TokenLimit(4096, "served: max_model_len")
        assert context(name, listed=only_advertised) == TokenLimit(16384, "advertised: meta.n_ctx_train")
        assert context(name) == TokenLimit(32768, "in the name: 32k", estimated=True)
        assert context("llama-3.1-8b") == TokenLimit(131072, "family: Llama 3.1", estimated=True)
        assert context("mystery") is None

    def test_output(self) -> None:
        assert output("x", configured=77, listed=self.listed) == TokenLimit(77, "configured")
        assert output("x", listed=self.listed) == TokenLimit(1024, "reported: max_output_tokens")

    @pytest.mark.parametrize("nonsense", [0, -1])
    def test_minus_one_means_not_configured(self, nonsense: int) -> None:
        """The seed `scalytics-connect.md` lets "Max Output Tokens" stand at -1."""
        assert output("mystery", configured=nonsense).estimated
        assert context("mystery", configured=nonsense) is None

    def test_a_bare_number_is_guessed_by_what_is_behind_it(self) -> None:
        scalytics = ListedModel("3", name="DeepSeek Coder V2", aliases=("DeepSeek Coder V2",))
        assert context("3", listed=scalytics) == TokenLimit(65536, "family: DeepSeek", estimated=True)
        assert output("3", listed=scalytics).value == 8192
        served_name = ListedModel("coder", root="Qwen/Qwen2.5-Coder-32B-Instruct")
        assert context("coder", listed=served_name) == TokenLimit(131072, "family: Qwen 2.5", estimated=True)
        adapter = ListedModel("sql", root="/adapters/sql", parent="meta-llama/Llama-3.1-8B")
        assert context("sql", listed=adapter) == TokenLimit(131072, "family: Llama 3.1", estimated=True)

    def test_a_size_in_any_name_beats_a_family_in_any_other(self) -> None:
        listed = ListedModel("qwen2.5-7b", root="qwen2.5-7b-32k")
        assert context("qwen2.5-7b", listed=listed) == TokenLimit(32768, "in the name: 32k", estimated=True)


FAMILIES = {
    ("llama", "3.3", "-70b"): 128 * K,
    ("llama", "3.2", "-3b"): 128 * K,
    ("llama", "3.1", "-8b"): 128 * K,
    ("llama", "3", "-8b"): 8 * K,
    ("mistral", "large", "-2411"): 128 * K,
    ("mistral", "small", "-24b"): 32 * K,
    ("mistral", "medium", ""): 32 * K,
    ("mixtral", "8x22b", ""): 64 * K,
    ("mixtral", "8x7b", ""): 32 * K,
    ("qwen", "2.5", "-coder-7b"): 128 * K,
    ("deepseek", "r1", "-671b"): 64 * K,
    ("deepseek", "coder", "-6.7b"): 16 * K,
    ("qwen", "2.5", "-math-7b"): 4 * K,
    ("gemma", "3", "-27b"): 128 * K,
}


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, int]:
    """Draw a way to write a family's name, and the context that must come out."""
    family, version, rest = draw(st.sampled_from(sorted(FAMILIES)))
    name = family + draw(st.sampled_from(["-", "_", "", " ", "."])) + version + rest
    if draw(st.booleans()):
        name = name.upper()
    prefix = draw(
        st.sampled_from(
            ["", "meta-llama/", "mistralai/", "deepseek-ai/", "hf.co/TheBloke/", "accounts/x/models/", "Meta-"]
        )
    )
    quantised = draw(
        st.sampled_from(
            ["", "-Instruct", "-GGUF", "-AWQ", "-FP8", "-4bit", ":latest", "-q4_0", "-q4k", "@q8_0", "-IQ2_XXS"]
        )
    )
    return prefix + name + quantised, FAMILIES[family, version, rest]


@settings(deadline=None)
@given(spellings(), st.sampled_from(["", "/models/", "C:\\models\\", "./"]))
@example(("mistralai/mixtral8x22b", 64 * K), "")
@example(("llama3.2-3b:latest", 128 * K), "")
def test_spelling_keeps_the_figure(spelled: tuple[str, int], directory: str) -> None:
    name, expected = spelled
    model_id = f"{directory}{name}.gguf" if directory else name
    assert tokens(model_id) == expected, model_id


@settings(deadline=None)
@given(spellings(), st.sampled_from([16, 32, 64, 128]), st.sampled_from(["-{}k", "-{}K-instruct", "_{}k"]))
def test_an_explicit_size_wins_in_any_spelling(spelled: tuple[str, int], size: int, written: str) -> None:
    assert tokens(spelled[0] + written.format(size)) == size * K


def test_an_endless_name_costs_no_time() -> None:
    started = time.monotonic()
    context("gemma-3" * 20_000)
    assert time.monotonic() - started < 2


@settings(deadline=None)
@given(st.text(max_size=60))
@example("llama-3.1" * 200)
def test_any_name_is_read_without_an_error(name: str) -> None:
    figure = context(name)
    assert figure is None or (figure.estimated and token_count(figure.value) == figure.value)
    assert output(name, context=figure).estimated
