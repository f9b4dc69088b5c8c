"""Whether a model chats: by what the server says, and only where it says nothing, by the name (docs/servers.md, "What is no chat model").

The answer serves to hide entries from lists. It never refuses a model that the user named.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from aider_stackspot.compatible.model import ListedModel, Stated
from aider_stackspot.compatible.names import telling_part


@dataclass(frozen=True, slots=True)
class Kind:
    """Whether a model answers chats, and why that is believed ("type: embeddings", "the name: embed")."""

    chat: bool
    reason: str


def kind_of(model: ListedModel) -> Kind:
    """Return whether a model chats. The first field that says anything decides; without one the names do."""
    for stated in model.kind:
        chat = _FIELDS.get(stated.field, _by_words)(stated.words)
        if chat is False or (chat and not _says_so_of_everything(model, stated)):
            return Kind(chat, f"{stated.field}: {', '.join(stated.words[:3])}")
    for name in filter(None, (model.id, model.name, model.root)):
        if found := _NOT_CHAT.search(_spelled(name)) or _VENDORS.match(name.lower()):
            return Kind(False, f"the name: {found.group().strip('-_./: ')}")
    return Kind(True, "nothing says otherwise")


_CHAT = frozenset(
    {
        "any-to-any",
        "chat",
        "chat-completion",
        "chat.completions",
        "chat_completion",
        "chat_completions",
        "completion",
        "completions",
        "conversational",
        "image-text-to-text",
        "llm",
        "responses",
        "text-generation",
        "text2text-generation",
        "vlm",
    }
)
_OTHER = frozenset(
    {
        "asr",
        "audio",
        "audio_speech",
        "audio_transcription",
        "embed",
        "embedding",
        "embeddings",
        "image",
        "image_edit",
        "image_generation",
        "moderation",
        "moderations",
        "ocr",
        "realtime",
        "rerank",
        "reranker",
        "search",
        "speech",
        "stt",
        "transcribe",
        "transcript",
        "transcription",
        "tts",
        "vad",
        "video",
        "video_generation",
    }
)


def _by_words(words: tuple[str, ...]) -> bool | None:
    """Return what words for a type mean: chat as soon as one says so, not chat if all of them name something else."""
    if not _CHAT.isdisjoint(words):
        return True
    return False if _OTHER.issuperset(words) else None


def _by_pipeline(words: tuple[str, ...]) -> bool | None:
    """Return what a Hugging Face pipeline means. The vocabulary is fixed: what is no text generation is no chat."""
    return not _CHAT.isdisjoint(words)


def _by_output(words: tuple[str, ...]) -> bool | None:
    return "text" in words


def _by_input(words: tuple[str, ...]) -> bool | None:
    """Return `False` for what takes no text: speech recognition, too, puts text out."""
    return None if "text" in words else False


def _by_endpoints(words: tuple[str, ...]) -> bool | None:
    return any(word.rstrip("/").endswith(("chat/completions", "responses", "messages", "chat")) for word in words)


def _unless_false(words: tuple[str, ...]) -> bool | None:
    return False if "false" in words else None


def _never(words: tuple[str, ...]) -> bool | None:
    return False


_FIELDS: dict[str, Callable[[tuple[str, ...]], bool | None]] = {
    "model_pipeline_tag": _by_pipeline,
    "pipeline_tag": _by_pipeline,
    "pipeline_name": _never,  # SGLang's diffusion server (docs/servers.md, "SGLang")
    "architecture.input_modalities": _by_input,
    "architecture.output_modalities": _by_output,
    "input_modalities": _by_input,
    "output_modalities": _by_output,
    "supported_endpoints": _by_endpoints,
    "model_info.supported_endpoints": _by_endpoints,
    "capabilities.completion_chat": lambda words: "true" in words,
    "is_generation": _unless_false,
    "active": _unless_false,
}
"""How a field's words are read; `_by_words` where none is named."""


def _says_so_of_everything(model: ListedModel, stated: Stated) -> bool:
    """Tell whether a "yes" means nothing: llama-server calls every model, embeddings too, a completion of text."""
    return model.owned_by == "llamacpp" and stated.field != "type"


def _spelled(name: str) -> str:
    return telling_part(name).replace("_", "-").replace(" ", "-")


# Anchored to whole tokens: `mattshumer/Reflection` contains "tts" and `Hermes-3-Llama` "search" without being either.
_TOKENS = (
    # embeddings
    r"embed(?:s|ding|dings)?|embeddinggemma|bge|gte|e5|(?:all-)?minilm|voyage|colbert|paraphrase|text-similarity",
    # rerank
    r"rerank(?:er|ers|ing)?|ranker",
    # text to speech
    r"(?:x|chat|melo|oute|f5-?)?tts\d*|kokoro|piper|parler|cosyvoice|polly|eleven-v?\d\w*",
    # speech to text
    r"(?:faster-|distil-)?whisper(?:x|kit)?|transcribe|transcription|asr|stt|parakeet|diari[sz](?:e|ation)",
    # images
    r"dall-?e|(?:chat)?gpt-image|stable-diffusion|sdxl|flux\d*|imagen\d*|recraft\w*|ideogram|qwen-image|seedream"
    r"|nano-banana",
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
    rf"(?<![a-z0-9])(?:{'|'.join(_TOKENS)})(?![a-z0-9])"
    # A base model, as far as its file's quantisation may follow.
    r"|-base(?=$|[-.:@](?:i?q\d|gguf|ggml|awq|gptq|fp?\d|bf16|\d-?bit|mlx))"
)
_VENDORS = re.compile(r"(?:elevenlabs|aws[-_]polly|deepgram)/")
