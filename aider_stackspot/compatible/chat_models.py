"""Whether a model chats: by what the server says of it, and only where that tells nothing, by its name.

The answer serves to hide entries from lists. It never refuses a model that the user named (docs/servers.md, "What is
no chat model").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from aider_stackspot.compatible.families import telling_part
from aider_stackspot.compatible.model import KindField, ListedModel, snake_case

Words: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChatVerdict:
    """Whether a model answers chats, and why that is believed ("type: embeddings", "the name: embed")."""

    chat: bool
    reason: str


def chat_verdict(model: ListedModel) -> ChatVerdict:
    """Return whether a model chats. The first field that says anything decides; without one the names do."""
    for field in model.kind:
        chat = chat_by_field(field)
        if chat is False or (chat and not _says_so_of_everything(model, field)):
            return ChatVerdict(chat, f"{field.path}: {', '.join(field.words[:3]).lower()}")
    for name in filter(None, (model.id, model.name, model.root)):
        if found := _NOT_CHAT.search(_spelled(name)) or _VENDORS.match(name.lower()):
            return ChatVerdict(False, f"the name: {found.group().strip('-_./: ')}")
    return ChatVerdict(True, "nothing says otherwise")


def chat_by_field(field: KindField) -> bool | None:
    """Return whether a field says that its model chats; `None` where it says nothing about that."""
    read = KIND_FIELDS.get(snake_case(field.path.rpartition(".")[2]))
    return read(tuple(map(snake_case, field.words))) if read else None


# Words are compared in snake case, whole or cut at everything that is no letter or digit.
_CHAT_WORDS = frozenset({"any_to_any", "image_text_to_text", "text2text_generation", "text_generation"})
_CHAT_TOKENS = frozenset({"chat", "completion", "completions", "conversation", "conversational", "responses"})
_OTHER_TASKS = re.compile(
    "asr|classification|classifier|diarization|embed|embeddings?|extraction|inpaint|moderations?|ocr|rerank|reranker"
    "|reranking|ranking|segmentation|similarity|stt|transcribe|transcript|transcription|tts|upscale|vad"
)
_MEDIA = frozenset({"audio", "image", "images", "music", "realtime", "retrieval", "search", "speech", "video", "voice"})
"""As a model's type another task; in a list of capabilities something that a model that chats may do as well."""


def _means_chat(words: Words) -> bool:
    return any(word in _CHAT_WORDS or not _CHAT_TOKENS.isdisjoint(_tokens(word)) for word in words)


def _tokens(word: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", word))


def _by_type(words: Words) -> bool | None:
    """Return what words for a model's type mean: chat if one says so, not chat if all of them name something else.

    `llm` and `vlm` mean nothing: embedding models have the same architectures, and LM Studio calls them so as well.
    """
    if _means_chat(words):
        return True
    return False if all(_is_other_type(_tokens(word)) for word in words) else None


def _is_other_task(tokens: set[str]) -> bool:
    return any(map(_OTHER_TASKS.fullmatch, tokens))


def _is_other_type(tokens: set[str]) -> bool:
    if _is_other_task(tokens):
        return True
    # `text-to-image` makes pictures; `text+image` says what goes in.
    return not _MEDIA.isdisjoint(tokens) and ("text" not in tokens or "to" in tokens)


def _by_capabilities(words: Words) -> bool | None:
    """Return what a list of abilities means. That a model can search or see says nothing about whether it chats."""
    if _means_chat(words):
        return True
    return False if all(_is_other_task(_tokens(word)) for word in words) else None


def _by_pipeline(words: Words) -> bool | None:
    """Return what a Hugging Face pipeline means. The vocabulary is fixed: what is no text generation is no chat."""
    return _means_chat(words)


def _by_output(words: Words) -> bool | None:
    return "text" in words


def _by_input(words: Words) -> bool | None:
    """Return `False` for what takes no text: speech recognition, too, puts text out."""
    return None if "text" in words else False


def _by_endpoints(words: Words) -> bool | None:
    return any(word.rstrip("/").endswith(("chat/completions", "responses", "messages", "chat")) for word in words)


def _by_flag(words: Words) -> bool | None:
    return None if {"true", "false"}.isdisjoint(words) else "true" in words


def _unless_false(words: Words) -> bool | None:
    return False if "false" in words else None


def _unless_true(words: Words) -> bool | None:
    return False if "true" in words else None


def _unless_gone(words: Words) -> bool | None:
    return None if _GONE.isdisjoint(words) else False


def _never(words: Words) -> bool | None:
    return False


_GONE = frozenset(
    {"archived", "decommissioned", "deleted", "disabled", "inactive", "offline", "removed", "retired", "unavailable"}
)

_READERS: tuple[tuple[Callable[[Words], bool | None], str], ...] = (
    # A model that nobody can use chats with nobody.
    (_unless_false, "active is_active enabled is_enabled available is_available"),
    (_unless_true, "offline disabled is_disabled unavailable retired archived"),
    (_unless_gone, "state status availability"),
    (
        _by_flag,
        "chat is_chat is_chat_model can_chat chat_enabled completion_chat chat_completion chat_completions"
        " supports_chat supports_chat_completion supports_chat_completions",
    ),
    (_unless_false, "is_generation text_generation supports_generation supports_text_generation"),
    (_unless_true, "is_embedding is_embedding_model embedding_only is_reranker"),
    (_by_type, "mode type kind model_type model_kind task task_type category purpose"),
    (_by_pipeline, "model_pipeline_tag pipeline_tag"),
    (_never, "pipeline_name"),  # SGLang's diffusion server (docs/servers.md, "SGLang")
    (_by_capabilities, "capabilities supported_operations"),
    (_by_input, "input_modalities"),
    (_by_output, "output_modalities"),
    (_by_endpoints, "supported_endpoints"),
)
KIND_FIELDS: Mapping[str, Callable[[Words], bool | None]] = {
    name: read for read, names in _READERS for name in names.split()
}
"""The fields that tell what a model is for, in snake case, the most telling first, and how their words are read."""


def _says_so_of_everything(model: ListedModel, field: KindField) -> bool:
    """Tell whether a "yes" means nothing: llama-server calls every model, embeddings too, a completion of text."""
    return model.owned_by == "llamacpp" and field.path != "type"


def _spelled(name: str) -> str:
    spelled = telling_part(name).replace("_", "-").replace(" ", "-")
    # Gemini's image models answer chats, with text and pictures.
    return re.sub(r"(gemini-.*)-image(?![a-z])", r"\1", spelled)


# Anchored to whole tokens: `mattshumer/Reflection` contains "tts" and `Hermes-3-Llama` "search" without being either.
_NAME_TOKENS = (
    # embeddings
    r"embed(?:s|ding|dings|qa)?|embeddinggemma|bge|gte|e5|(?:all-)?minilm|mpnet|voyage|col(?:bert|pali|qwen)\w*"
    r"|paraphrase|text-similarity|text2vec|labse|(?:open)?clip|siglip\d*",
    # rerank
    r"rerank(?:er|ers|ing)?|ranker",
    # text to speech
    r"(?:x|chat|melo|oute|f5-?)?tts\d*|kokoro|piper|parler|cosyvoice|polly|eleven-v?\d\w*",
    # speech to text
    r"(?:faster-|distil-)?whisper(?:x|kit)?|transcribe|transcription|asr|stt|parakeet|diari[sz](?:e|ation)",
    # images; `image` alone too, unless it is what goes in
    r"dall-?e|(?:chat)?gpt-image|stable-?diffusion\w*|sd-?xl|sd-?[123](?:\.\d)?|flux\d*|imagen\d*|recraft\w*|ideogram"
    r"|(?:qwen-|hunyuan-?)?image(?:s|gen)?(?!-(?:text|to-text|chat|caption|understanding))|text-?(?:to|2)-?image"
    r"|seedream|nano-banana|dreamshaper|midjourney|hidream|kandinsky",
    # video
    r"sora|veo\d*|wan-?2|kling|[tir]2v|seedance",
    # moderation
    r"moderation|llama-?guard\d*|shieldgemma|prompt-guard",
    # realtime
    r"realtime|native-audio|(?<=-)live(?=-)",
    # completion only: OpenAI's last two, whose `-instruct` is no chat, although everyone else's is
    r"davinci|babbage|gpt-3\.5-turbo-instruct",
    # OCR, but DeepSeek's answers chats
    r"(?<!deepseek-)ocr",
)
_NOT_CHAT = re.compile(
    rf"(?<![a-z0-9])(?:{'|'.join(_NAME_TOKENS)})(?![a-z0-9])"
    # A base model, as far as its file's quantisation may follow.
    r"|-base(?=$|[-.:@](?:i?q\d|gguf|ggml|awq|gptq|fp?\d|bf16|\d-?bit|mlx))"
)
_VENDORS = re.compile(r"(?:elevenlabs|aws[-_]polly|deepgram)/")
