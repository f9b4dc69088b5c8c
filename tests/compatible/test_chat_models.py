"""Which models chat: what the server says first, whole words of the name last."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aider_stackspot.compatible import listing
from aider_stackspot.compatible.chat_models import ChatVerdict, chat_verdict
from aider_stackspot.compatible.model import KindField, ListedModel


def kind(**entry: Any) -> ChatVerdict:
    (model,) = listing.read([{"id": "mystery", **entry}])
    return chat_verdict(model)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"mode": "embedding"}, "mode: embedding"),
        ({"mode": "rerank"}, "mode: rerank"),
        ({"mode": "image_generation"}, "mode: image_generation"),
        ({"mode": "audio_transcription"}, "mode: audio_transcription"),
        ({"mode": "audio_speech"}, "mode: audio_speech"),
        ({"mode": "moderation"}, "mode: moderation"),
        ({"mode": "ocr"}, "mode: ocr"),
        ({"mode": "realtime"}, "mode: realtime"),
        ({"mode": "video_generation"}, "mode: video_generation"),
        ({"model_info": {"mode": "embedding"}}, "model_info.mode: embedding"),
        ({"type": "embeddings"}, "type: embeddings"),
        ({"type": "Embedding"}, "type: embedding"),
        ({"type": "image"}, "type: image"),
        ({"type": "transcribe"}, "type: transcribe"),
        ({"capabilities": ["embedding"]}, "capabilities: embedding"),
        ({"capabilities": ["tts"], "output_modalities": ["audio"]}, "capabilities: tts"),
        ({"capabilities": {"completion_chat": False, "vision": True}}, "capabilities.completion_chat: false"),
        ({"architecture": {"output_modalities": ["image"]}}, "architecture.output_modalities: image"),
        ({"architecture": {"output_modalities": ["embeddings"]}}, "architecture.output_modalities: embeddings"),
        ({"input_modalities": ["audio"], "output_modalities": ["text"]}, "input_modalities: audio"),
        ({"model_pipeline_tag": "text-to-image"}, "model_pipeline_tag: text-to-image"),
        ({"pipeline_tag": "fill-mask"}, "pipeline_tag: fill-mask"),
        ({"owned_by": "sglang", "pipeline_name": "FluxPipeline"}, "pipeline_name: fluxpipeline"),
        ({"architecture": {"input_modalities": ["depth"]}}, "architecture.input_modalities: depth"),
        ({"input_modalities": ["depth"]}, "input_modalities: depth"),
        ({"output_modalities": ["mesh"]}, "output_modalities: mesh"),
        ({"supported_operations": ["embeddings"]}, "supported_operations: embeddings"),
        ({"supported_endpoints": ["/v1/embeddings"]}, "supported_endpoints: /v1/embeddings"),
        ({"model_info": {"supported_endpoints": ["/x"]}}, "model_info.supported_endpoints: /x"),
        ({"is_generation": False}, "is_generation: false"),
        ({"model_pipeline_tag": "fill-mask"}, "model_pipeline_tag: fill-mask"),
        ({"active": False}, "active: false"),
        ({"active": False, "type": "chat"}, "active: false"),
        ({"supports_chat": False}, "supports_chat: false"),
        ({"supportsChat": False}, "supportsChat: false"),
        ({"capabilities": {"chat": False, "embeddings": True}}, "capabilities.chat: false"),
        ({"capabilities": {"chat_completion": False, "completion": True}}, "capabilities.chat_completion: false"),
        ({"capabilities": {"supports": {"chat": False}}}, "capabilities.supports.chat: false"),
        (
            {"model_spec": {"capabilities": {"supportsChatCompletion": False}}},
            "model_spec.capabilities.supportsChatCompletion: false",
        ),
        ({"model_info": {"supports_chat_completions": False}}, "model_info.supports_chat_completions: false"),
        ({"chat": "false"}, "chat: false"),
        ({"is_chat_model": False, "type": "llm"}, "is_chat_model: false"),
        ({"is_embedding_model": True}, "is_embedding_model: true"),
        ({"kind": "webSearch"}, "kind: websearch"),
        ({"kind": "imageGeneration"}, "kind: imagegeneration"),
        ({"kind": "TextEmbedding"}, "kind: textembedding"),
        ({"type": "text-embedding-model"}, "type: text-embedding-model"),
        ({"task": "feature-extraction"}, "task: feature-extraction"),
        ({"task": "text-to-speech"}, "task: text-to-speech"),
        ({"task_type": "sentence-similarity"}, "task_type: sentence-similarity"),
        ({"model_type": "Reranker"}, "model_type: reranker"),
        ({"metadata": {"type": "embedding"}}, "metadata.type: embedding"),
        ({"capabilities": {"type": "embeddings", "limits": {"max_inputs": 512}}}, "capabilities.type: embeddings"),
        ({"category": "Speech to Text"}, "category: speech to text"),
        ({"offline": True, "type": "chat"}, "offline: true"),
        ({"model_spec": {"offline": True}, "type": "text"}, "model_spec.offline: true"),
        ({"available": False, "mode": "chat"}, "available: false"),
        ({"is_active": False}, "is_active: false"),
        ({"info": {"enabled": False}}, "info.enabled: false"),
        ({"disabled": True, "capabilities": ["chat"]}, "disabled: true"),
        ({"retired": True}, "retired: true"),
        ({"status": "offline"}, "status: offline"),
        ({"state": "Disabled", "type": "chat"}, "state: disabled"),
        ({"policy": {"state": "disabled"}}, "policy.state: disabled"),
        ({"availability": "unavailable"}, "availability: unavailable"),
    ],
)
def test_fields_that_speak_against(entry: dict[str, Any], reason: str) -> None:
    assert kind(**entry) == ChatVerdict(False, reason)


CHAT_WORDS = """
any-to-any chat chat-completion chat.completions chat_completion chat_completions completion completions conversational
image-text-to-text responses text-generation text2text-generation
"""
OTHER_WORDS = """
asr audio audio_speech audio_transcription embed embedding embeddings image image_edit image_generation moderation
moderations ocr realtime rerank reranker search speech stt transcribe transcript transcription tts vad video
video_generation
"""


@pytest.mark.parametrize("word", CHAT_WORDS.split())
def test_words_for_chat(word: str) -> None:
    assert kind(id="text-embedding-3-small", type=word) == ChatVerdict(True, f"type: {word}")
    assert kind(id="text-embedding-3-small", capabilities=["embedding", word]).chat
    assert kind(id="text-embedding-3-small", pipeline_tag=word).chat


@pytest.mark.parametrize("word", OTHER_WORDS.split())
def test_words_for_other_kinds(word: str) -> None:
    assert kind(type=word) == ChatVerdict(False, f"type: {word}")
    assert kind(capabilities=[word, "some-feature"]) == ChatVerdict(True, "nothing says otherwise")


# The name says otherwise in each of these, and is not asked.
@pytest.mark.parametrize(
    "entry",
    [
        {"mode": "chat"},
        {"mode": "responses"},
        {"mode": "completion"},
        {"type": "chat"},
        {"capabilities": ["completion", "tools", "embedding"]},
        {"capabilities": {"completion_chat": True}},
        {"model_pipeline_tag": "image-text-to-text"},
        {"architecture": {"input_modalities": ["text"], "output_modalities": ["text", "image"]}},
        {"supported_endpoints": ["/v1/chat/completions", "/v1/embeddings"]},
        {"active": True, "type": "chat"},
    ],
)
def test_fields_that_speak_for_beat_the_name(entry: dict[str, Any]) -> None:
    verdict = kind(**{**entry, "id": "text-embedding-3-small"})
    assert verdict.chat
    assert verdict.reason.split(":")[0] in ".".join(
        [*entry, "capabilities.completion_chat", "architecture.output_modalities"]
    )


@pytest.mark.parametrize(
    "entry",
    [
        {"type": "model"},
        {"type": "language"},
        {"type": "llm"},
        {"type": "vlm"},
        {"type": "text"},
        {"type": "text+image"},
        {"capabilities": ["tools"]},
        {"capabilities": ["web_search"]},
        {"capabilities": ["image", "audio", "realtime"]},
        {"capabilities": {"embeddings": False, "chat": None}},
        {"capabilities": {"completion": False}},
        {"reasoning": {"enabled": False}},
        {"quantization": {"type": "embedding"}},
        {"providers": [{"status": "offline", "type": "image"}]},
        {"permission": [{"active": False}]},
        {"state": "not-loaded"},
        {"status": {"value": "unloaded", "failed": True}},
        {"loaded": False},
        {"deprecated": True},
        {"mode": None},
        {"active": True},
        {"offline": False},
        {"is_embedding": False},
        {},
    ],
)
def test_fields_that_say_nothing_leave_it_to_the_name(entry: dict[str, Any]) -> None:
    assert kind(**{**entry, "id": "qwen2.5-7b"}) == ChatVerdict(True, "nothing says otherwise")
    assert kind(**{**entry, "id": "nomic-embed-text"}) == ChatVerdict(False, "the name: embed")


@pytest.mark.parametrize("type_", ["llm", "vlm"])
@pytest.mark.parametrize("model_id", ["text-embedding-embeddinggemma-300m", "embeddinggemma", "bge-reranker-v2-m3"])
def test_the_name_of_an_architecture_does_not_make_an_embedding_model_chat(type_: str, model_id: str) -> None:
    """LM Studio calls what it does not recognise as an embedding model `llm`."""
    assert not kind(id=model_id, type=type_).chat
    assert kind(id="gemma-3-4b-it", type=type_).chat


def test_what_is_stated_first_is_not_what_counts_but_what_tells_most() -> None:
    assert kind(type="chat", offline=True) == kind(offline=True, type="chat") == ChatVerdict(False, "offline: true")
    assert kind(output_modalities=["image"], mode="chat") == ChatVerdict(True, "mode: chat")


def test_llama_server_calls_everything_a_completion_and_is_not_believed() -> None:
    claims = {"capabilities": ["completion"], "architecture": {"output_modalities": ["text"]}, "owned_by": "llamacpp"}
    assert not kind(**claims, id="nomic-embed-text-v1.5.gguf").chat
    assert kind(**claims, id="qwen2.5-7b.gguf").chat


# Section 2 of the research sheet: what a naive filter keeps and should not.
@pytest.mark.parametrize(
    "model_id",
    [
        "nomic-embed-text",
        "mxbai-embed-large",
        "snowflake-arctic-embed",
        "Qwen3-Embedding-0.6B",
        "text-embedding-ada-002",
        "BAAI/bge-m3",
        "all-minilm",
        "sentence-transformers/all-MiniLM-L6-v2",
        "intfloat/e5-mistral-7b-instruct",
        "gte-Qwen2-7B-instruct",
        "embeddinggemma",
        "embeddinggemma-300m-qat",
        "google/EmbeddingGemma-300M",
        "gemini-embedding-001",
        "granite-embedding:278m",
        "nv-embedqa-e5-v5",
        "all-mpnet-base-v2",
        "jina-clip-v2",
        "colqwen2-v1.0",
        "paraphrase-multilingual",
        "voyage-code-2",
        "amazon.titan-embed-text-v1",
        "bge-reranker-v2-m3",
        "Qwen3-Reranker-4B",
        "jina-reranker-v2",
        "semantic-ranker",
        "tts-1-hd",
        "xtts-v2",
        "kokoro",
        "piper-en",
        "elevenlabs/eleven_v3",
        "aws_polly/neural",
        "whisper-1",
        "openai/whisper-large-v3",
        "faster-whisper-small",
        "gpt-4o-transcribe",
        "gpt-live-transcribe",
        "parakeet-tdt-0.6b",
        "deepgram/nova-2",
        "dall-e-3",
        "gpt-image-1",
        "chatgpt-image-latest",
        "stable-diffusion-3.5",
        "sdxl-turbo",
        "FLUX.1-dev",
        "imagen-4",
        "recraftv3",
        "qwen-image",
        "nano-banana-pro",
        "grok-2-image-1212",
        "xai/grok-2-image",
        "stablediffusion",
        "stablediffusion3",
        "stable_diffusion_xl",
        "sd3.5-large",
        "sd-xl-turbo",
        "qwen-image-edit",
        "HunyuanImage-3.0",
        "z-image-turbo",
        "amazon.titan-image-generator-v2:0",
        "text-to-image-small",
        "dreamshaper-8",
        "seedream-4",
        "sora-2",
        "veo-3",
        "wan2.1-t2v-14b",
        "happyhorse-1.0-t2v",
        "omni-moderation-latest",
        "llama-guard-3-8b",
        "shieldgemma-2b",
        "gpt-4o-realtime-preview",
        "gemini-2.0-flash-live-001",
        "gemini-2.5-flash-native-audio",
        "mistral-ocr-latest",
        "davinci-002",
        "babbage-002",
        "gpt-3.5-turbo-instruct",
        "deepseek-coder-6.7b-base",
        "deepseek-coder-6.7b-base-q4_K_M.gguf",
        "/models/bge-m3/model.gguf",
    ],
)
def test_names_of_other_kinds(model_id: str) -> None:
    verdict = chat_verdict(ListedModel(model_id))
    assert not verdict.chat
    assert verdict.reason.startswith("the name: ")
    assert verdict.reason.removeprefix("the name: ").strip("-")


# And what a naive filter drops and should keep.
@pytest.mark.parametrize(
    "model_id",
    [
        "mattshumer/Reflection-70B",
        "NousResearch/Hermes-3-Llama-3.1-8B",
        "o4-mini-deep-research",
        "gpt-4o-search-preview",
        "voyager-13b",
        "gte3-chat",
        "amazon.nova-pro-v1:0",
        "whisperer-13b-chat",
        "Llama-3.2-11B-Vision-Instruct",
        "gemini-2.5-flash-image",
        "google/gemini-3-pro-image-preview",
        "llava-image-chat",
        "internvl-image-text-7b",
        "imagine-7b-chat",
        "reimage-writer",
        "eclipse-7b",
        "stable-code-3b",
        "stablelm-2-12b-chat",
        "granite-guardian-3.1-8b",
        "gpt-audio",
        "gpt-4o-audio-preview",
        "qwen2-audio-7b-instruct",
        "ultravox",
        "deepseek-ocr",
        "Mistral-7B-Instruct-v0.3",
        "deepseek-ai/deepseek-coder-6.7b-instruct",
        "command-r",
        "baseten/llama",
        "gpt-4o",
        "embedded-systems-coder-7b",
        "3",
    ],
)
def test_names_of_chat_models(model_id: str) -> None:
    assert chat_verdict(ListedModel(model_id)).chat


def test_a_display_name_or_the_model_behind_an_alias_may_give_it_away() -> None:
    assert chat_verdict(ListedModel("4", name="BGE M3")) == ChatVerdict(False, "the name: bge")
    assert not chat_verdict(ListedModel("5", name="Stable Diffusion 3.5")).chat
    assert not chat_verdict(ListedModel("my-vectors", root="openai/text-embedding-3-small")).chat


@settings(deadline=None)
@given(st.text(max_size=40), st.lists(st.builds(KindField, st.text(max_size=9), st.just(("x", "")))))
def test_every_model_has_a_kind_and_a_reason(name: str, said: list[KindField]) -> None:
    assert chat_verdict(ListedModel(name, kind=tuple(said))).reason
