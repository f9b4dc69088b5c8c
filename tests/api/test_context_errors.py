"""The servers' own words for "too long", and texts that only sound like them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aider_stackspot.api.context_errors import Overflow, overflow_of

LLAMA_CPP = {
    "error": {
        "code": 400,
        "message": "request (3022 tokens) exceeds the available context size (1024 tokens), try increasing it",
        "type": "exceed_context_size_error",
        "n_prompt_tokens": 3022,
        "n_ctx": 1024,
    }
}
VLLM = (
    "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens "
    "(4000 in the messages, 1000 in the completion). Please reduce the length of the messages or completion."
)


def openai_error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None, **more}}


@pytest.mark.parametrize(
    ("body", "limit", "requested"),
    [
        pytest.param(LLAMA_CPP, 1024, 3022, id="llama.cpp"),
        pytest.param(
            openai_error("the request exceeds the available context size. try increasing the context size"),
            None,
            None,
            id="llama.cpp, older",
        ),
        pytest.param(
            {"error": {"message": "the request exceeds the available context size", "n_prompt_tokens": 9, "n_ctx": 8}},
            8,
            9,
            id="llama.cpp, older, with figures",
        ),
        pytest.param(
            {"error": {"message": "Context size has been exceeded.", "code": 500}},
            None,
            None,
            id="llama.cpp, mid-answer",
        ),
        pytest.param(
            openai_error(
                "This model's maximum context length is 512 tokens. However, your messages resulted in 600 tokens.",
                code="context_length_exceeded",
            ),
            512,
            600,
            id="llama-cpp-python and OpenAI",
        ),
        pytest.param(
            openai_error("Requested tokens (600) exceed context window of 512"), 512, 600, id="llama-cpp-python, older"
        ),
        pytest.param(
            {"object": "error", "message": VLLM, "type": "BadRequestError", "code": 400}, 4096, 5000, id="vLLM, flat"
        ),
        pytest.param(
            openai_error(
                "You passed 4097 input tokens and requested 100 output tokens. However, the model's context length is "
                "only 4096 tokens, resulting in a maximum input length of 3996 tokens. Please reduce the length of the "
                "input prompt. (parameter=input_tokens, value=4097)"
            ),
            4096,
            4197,
            id="vLLM, tokens passed",
        ),
        pytest.param(
            openai_error(
                "This model's maximum context length is 262144 tokens. However, you requested 128000 output tokens and "
                "your prompt contains at least 134145 input tokens, for a total of at least 262145 tokens."
            ),
            262144,
            262145,
            id="vLLM, newest",
        ),
        pytest.param(
            openai_error(
                "'max_tokens' or 'max_completion_tokens' is too large: 1000. This model's maximum context length is "
                "1000 tokens and your request has 203 input tokens (1000 > 1000 - 203)."
            ),
            1000,
            1203,
            id="vLLM, answer too long",
        ),
        pytest.param(
            openai_error(
                "This model's maximum context length is 200 tokens. However, your request has 203 input tokens. "
                "Please reduce the length of the input messages."
            ),
            200,
            203,
            id="vLLM, input alone",
        ),
        pytest.param(
            openai_error(
                "You passed 30 input tokens and requested 10 output tokens. However, the model's context length is "
                "only 32 tokens."
            ),
            32,
            40,
            id="vLLM, without advice",
        ),
        pytest.param(
            openai_error(
                "The prompt (total length 25938) is too long to fit into the model (context length 4096). Make sure "
                "that `max_model_len` is no smaller than the number of text tokens."
            ),
            4096,
            25938,
            id="vLLM, engine",
        ),
        pytest.param(
            openai_error("The decoder prompt (length 5000) is longer than the maximum model length of 4096."),
            4096,
            5000,
            id="vLLM, decoder",
        ),
        pytest.param(
            openai_error("The input (516368 tokens) is longer than the model's context length (262144 tokens)."),
            262144,
            516368,
            id="SGLang",
        ),
        pytest.param(
            openai_error(
                "Requested token count exceeds the model's maximum context length of 131072 tokens. You requested "
                "a total of 140000 tokens: 130000 tokens from the input messages and 10000 tokens for the completion."
            ),
            131072,
            140000,
            id="SGLang, total",
        ),
        pytest.param(
            {
                "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. "
                "Given: 3474 `inputs` tokens and 60 `max_new_tokens`",
                "error_type": "validation",
            },
            2048,
            3534,
            id="TGI",
        ),
        pytest.param(
            {
                "error": "Input validation error: `inputs` must have less than 1024 tokens. Given: 1168",
                "error_type": "validation",
            },
            1024,
            1168,
            id="TGI, input",
        ),
        pytest.param(
            {
                "error": "Trying to keep the first 15857 tokens when context the overflows. However, the model is "
                "loaded with context length of only 4096 tokens, which is not enough. Try to load the model with a "
                "larger context length, or provide a shorter input."
            },
            4096,
            15857,
            id="LM Studio",
        ),
        pytest.param(
            {
                "error": "The number of tokens to keep from the initial prompt is greater than the context length "
                "(n_keep: 13055>= n_ctx: 4096). Try to load the model with a larger context length, or provide a "
                "shorter input."
            },
            4096,
            13055,
            id="LM Studio, newer",
        ),
        pytest.param(
            {
                "error": "The number of tokens to keep from the initial prompt is greater than the context length. "
                "Try to load the model with a larger context length, or provide a shorter input"
            },
            None,
            None,
            id="LM Studio, without figures",
        ),
        pytest.param(
            {"error": "Cannot truncate prompt with n_keep (15028) >= n_ctx (7424)"}, 7424, 15028, id="LM Studio, engine"
        ),
        pytest.param(
            {"error": "prompt too long; exceeded max context length by 100918 tokens"}, None, None, id="Ollama"
        ),
        pytest.param(
            {"error": {"message": "the input length exceeds the context length"}}, None, None, id="Ollama, OpenAI layer"
        ),
        pytest.param(
            {
                "error": {
                    "code": 500,
                    "message": "rpc error: code = Unknown desc = request (5000 tokens) "
                    "exceeds the available context size (4096 tokens)",
                }
            },
            4096,
            5000,
            id="LocalAI",
        ),
        pytest.param(
            openai_error(
                "This model maximum context length is 2048 tokens. However, your messages resulted in over 3000 tokens."
            ),
            2048,
            3000,
            id="text-generation-webui",
        ),
        pytest.param(
            {
                "error": {
                    "message": f"litellm.ContextWindowExceededError: OpenAIException - {VLLM}",
                    "type": None,
                    "code": "400",
                }
            },
            4096,
            5000,
            id="LiteLLM Proxy",
        ),
        pytest.param(
            {"success": False, "error": {"message": VLLM, "type": "invalid_request_error"}},
            4096,
            5000,
            id="Scalytics, error object",
        ),
        pytest.param({"success": False, "message": VLLM}, 4096, 5000, id="Scalytics, flat"),
        pytest.param({"detail": [{"loc": ["body"], "msg": VLLM, "type": "value_error"}]}, 4096, 5000, id="FastAPI"),
        pytest.param(
            {
                "error": {
                    "message": "Provider returned error",
                    "code": 400,
                    "metadata": {"raw": json.dumps(LLAMA_CPP), "provider_name": "Somewhere"},
                }
            },
            1024,
            3022,
            id="OpenRouter, passed on",
        ),
        pytest.param(
            openai_error(
                "This endpoint's maximum context length is 131072 tokens. However, you requested about 200000 tokens "
                "(199000 of text input, 1000 in the output)."
            ),
            131072,
            200000,
            id="OpenRouter",
        ),
        pytest.param(
            openai_error(
                "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length"
            ),
            32768,
            40000,
            id="Mistral",
        ),
        pytest.param(
            openai_error("Please reduce the length of the messages or completion.", code="context_length_exceeded"),
            None,
            None,
            id="Groq",
        ),
        pytest.param(
            openai_error("prompt is too long: 202,609 tokens > 200,000 maximum"),
            200000,
            202609,
            id="Anthropic, relayed",
        ),
        pytest.param(
            openai_error(
                "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length"
            ),
            200000,
            210000,
            id="Anthropic, relayed, sum",
        ),
        pytest.param(
            openai_error("Please reduce the length of the messages or completion."),
            None,
            None,
            id="Groq, without a code",
        ),
        pytest.param(
            openai_error("litellm.ContextWindowExceededError: input is too big"), None, None, id="LiteLLM, class alone"
        ),
        pytest.param(
            {
                "type": "BadRequestError",
                "code": "INFERENCE_6001_LLM_MODEL_BAD_REQUEST",
                "details": "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in "
                "300123 tokens. Please reduce the length of the messages.",
            },
            272000,
            300123,
            id="StackSpot",
        ),
        pytest.param({"details": {"message": VLLM}}, 4096, 5000, id="details that are an object"),
        pytest.param({"error": "x", "error_description": VLLM}, 4096, 5000, id="a description beside the error"),
        pytest.param({"text": VLLM, "error_code": 40303}, 4096, 5000, id="FastChat"),
        pytest.param(openai_error("Input is too long for requested model."), None, None, id="Amazon Bedrock"),
        pytest.param(
            openai_error("Your input exceeds the context window of this model. Please adjust your input."),
            None,
            None,
            id="OpenAI, newest",
        ),
        pytest.param(
            openai_error(
                "The input token count (1189574) exceeds the maximum number of tokens allowed (1048576).",
                status="INVALID_ARGUMENT",
            ),
            1048576,
            1189574,
            id="Gemini",
        ),
        pytest.param(
            openai_error("This model's maximum prompt length is 131072 but the request contains 537812 tokens."),
            131072,
            537812,
            id="xAI",
        ),
        pytest.param(
            openai_error("prompt token count of 80000 exceeds the limit of 64000"), 64000, 80000, id="GitHub Copilot"
        ),
        pytest.param(
            openai_error("Prompt length (5000) exceeds maximum input length (4096)."), 4096, 5000, id="TensorRT-LLM"
        ),
        pytest.param(openai_error("Prompt length 5000 is greater than max_seq_len 4096"), 4096, 5000, id="ExLlama"),
        pytest.param(
            openai_error("Prompt length 5000 exceeds the maximum sequence length of 4096"), 4096, 5000, id="TabbyAPI"
        ),
        pytest.param(
            openai_error("The input length 5000 exceeds the maximum session length 4096"), 4096, 5000, id="LMDeploy"
        ),
        pytest.param(
            openai_error("the number of input tokens 5000 cannot exceed the total tokens limit 4096 for this model"),
            4096,
            5000,
            id="watsonx",
        ),
        pytest.param(
            openai_error("The prompt is too long: 5000, model maximum context length: 4096"),
            4096,
            5000,
            id="Fireworks",
        ),
        pytest.param(
            openai_error("Invalid request: Your request exceeded model token limit: 4096"), 4096, None, id="Kimi"
        ),
        pytest.param(openai_error("Range of input length should be [1, 4096]"), 4096, None, id="Qwen"),
        pytest.param(openai_error("Prompt exceeds max length"), None, None, id="GLM"),
        pytest.param(openai_error("invalid params, context window exceeds limit (2013)"), None, None, id="MiniMax"),
        pytest.param(
            openai_error(
                "too many tokens: size limit exceeded by 904 tokens. Try using shorter or fewer inputs. The limit for "
                "this model is 4096 tokens."
            ),
            4096,
            None,
            id="Cohere",
        ),
        pytest.param(openai_error("zu lang", code="context_length_exceeded"), None, None, id="by its code alone"),
        pytest.param(openai_error("zu lang", type="exceed_context_size_error"), None, None, id="by its type alone"),
    ],
)
def test_what_servers_say(body: dict[str, Any], limit: int | None, requested: int | None) -> None:
    expected = Overflow(limit, requested)
    assert overflow_of(body, 400) == expected
    assert overflow_of(json.dumps(body)) == expected
    assert overflow_of(json.dumps(body).encode(), 500) == expected
    # A client's exception holds the body as Python prints it, or the bare message.
    assert overflow_of(f"litellm.BadRequestError: OpenAIException - Error code: 400 - {body}") == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "context deadline exceeded",
        "rpc error: code = Canceled desc = context canceled",
        "Rate limit reached for llama3 on tokens per minute (TPM): Limit 6000, Requested 7000",
        "Request too large for model `x` on tokens per min (TPM): please reduce the length of the messages",
        "max_tokens is too large: 100000. This model supports at most 4096 completion tokens",
        "Input validation error: `max_new_tokens` must be <= 512. Given: 600",
        "Input validation error: `inputs` cannot be empty",
        "max_tokens must be at least 1, got 0",
        "This model's maximum context length is 4096 tokens.",
        "Invalid 'messages[0].content': string too long. Expected a string with maximum length 1048576",
        "prompt is too long: the description may have 1000 characters",
        "Request body too large. Max size is 1048576 bytes",
        "request entity too large",
        "Failed to load model: requested context length exceeds the model's context length (8192)",
        "num_ctx 131072 exceeds the model's maximum context length",
        "context length 131072 exceeds available memory",
        "You exceeded your current quota, please check your plan",
        '"context_length" is not allowed',
        "Unknown parameter: 'max_context_length'",
        "Model 'x' not found or is not active.",
        "The context window is a fine place",
        "rate limit of 1000 tokens per minute, your calls resulted in 2000 tokens",
        "The configured limit of 5 tokens is odd",
        "The prompt is too long, said the model, and went on",
        "INFERENCE_6001_LLM_MODEL_BAD_REQUEST",
    ],
)
def test_what_only_sounds_like_it(text: str) -> None:
    assert overflow_of(text, 400) is None
    assert overflow_of(openai_error(text), 400) is None
    assert overflow_of({"error": text, "error_type": "validation"}) is None


@pytest.mark.parametrize("status", [401, 403, 404, 407, 429])
def test_refusals_for_other_reasons_are_never_about_length(status: int) -> None:
    assert overflow_of(LLAMA_CPP, status) is None


def test_a_prompt_that_the_server_repeats_is_not_its_message() -> None:
    echoed = {"type": "missing", "msg": "Field required", "input": {"messages": [{"content": VLLM}]}}
    assert overflow_of({"detail": [echoed]}, 422) is None


def test_only_the_beginning_of_a_huge_message_is_read() -> None:
    assert overflow_of("x" * 10_000 + VLLM) is None
    assert overflow_of(VLLM + "x" * 1_000_000) == Overflow(4096, 5000)


@pytest.mark.parametrize(
    "body", [None, 5, 1.5, True, [], {}, b"\xff\xfe", "[" * 100_000, {"error": {"error": {"error": {}}}}]
)
def test_anything_else_is_no_overflow(body: object) -> None:
    assert overflow_of(body) is None


def test_an_absurd_figure_is_no_figure() -> None:
    body = {"error": {"type": "exceed_context_size_error", "message": "", "n_ctx": -1, "n_prompt_tokens": "many"}}
    assert overflow_of(body) == Overflow(None, None)


fragments = st.sampled_from(
    [VLLM, "n_ctx", "n_ctx: 99999999999999999", "must be <= ", "(", "0", "context_length_exceeded"]
)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | fragments,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "message", "code", "detail", "raw", "metadata", "n_ctx"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(documents | st.binary(max_size=80) | st.lists(fragments | st.text(max_size=6)).map("".join))
def test_no_answer_raises(body: object) -> None:
    found = overflow_of(body)
    assert found is None or all(value is None or value > 0 for value in (found.limit, found.requested))
