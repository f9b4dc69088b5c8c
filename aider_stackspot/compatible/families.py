"""What a model's name tells about its context, for servers that say nothing: a size in it, or its family.

The families are two tables in one. The first is the contract of `OPENAI_COMPATIBLE_PROVIDER.md` (StatCode AI), row by
row: where it speaks it wins, also over a newer member of the family that takes more. Above its rows stand the few named
releases for which it is known to be at least twice too high in every build: a prompt that is too long costs an error,
or, on Ollama, silently loses its head. The second covers families the contract does not know, each with the smallest
context that any published build of that name has; a family whose builds have nothing in common is left out, because an
unknown limit is better than a wrong one.

OpenAI's own names are left out too: LocalAI and text-generation-webui serve other models under them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

_GENERIC = re.compile(
    r"(?:ggml-?)?(?:model|weights|consolidated|main|snapshots?|blobs|gguf|latest)?[-_.]?"
    r"(?:i?q\d\w*|f(?:p|loat)?(?:8|16|32)|bf16|awq|gptq|int[48]|mxfp4)?"
    r"|(?:sha256[-:])?[0-9a-f]{12,}"
)
"""A file or directory name that tells nothing: `model.gguf`, `ggml-model-q4_0.gguf`, a snapshot's hash."""

_FILE_END = re.compile(r"(?:-\d{5}-of-\d{5})?\.(?:gguf|ggml|bin|safetensors)$")

_PATH = re.compile(r"[/.~]|[a-z]:/|.*(?:\.(?:gguf|ggml|bin|safetensors)$|models--)")

_STARTS = r"(?:(?<![a-z0-9])(?<!\d\.)|(?<=ctx)|(?<=context))"
_ENDS = r"(?=[-_ ]?(?:ctx|context|tokens?)(?![a-z])|(?![a-z0-9]))"

_SIZE = re.compile(
    rf"{_STARTS}(?:"
    r"(?P<thousands>\d{1,4})k|(?P<millions>1|2|10)m|(?P<plain>8192|16384|32768|65536|131072|262144|1048576)"
    rf"){_ENDS}"
)

# Data sets, training steps and vocabularies are counted in thousands too: `ultrachat-200k`, `alpaca-52k`.
_COUNTED_BEFORE = re.compile(
    r"(?:ultrachat|sharegpt|feedback|openorca|slimorca|alpaca|stories"
    r"|steps?|ckpt|checkpoint|iters?|epochs?|vocab|samples?)[-_ ]?$"
)
_COUNTED_AFTER = re.compile(r"[-_ ]?(?:steps?|vocab|samples?|iters?)(?![a-z])")

_POWERS_OF_TWO = frozenset({2, 4, 8, 16, 32, 64, 128, 256, 512})

_MAX_ID = 500
"""Characters of an id that are looked at. Longer ones are nonsense, and patterns would take their time over them."""


def telling_part(model_id: str) -> str:
    """Return the part of an id that names the model, in lower case.

    That is the last segment: a prefix names a vendor (`mistralai/Mixtral-8x7B`), not a family. Of a file's path it
    is the last segment that is not a mere `model.gguf` or hash; Hugging Face's cache directories are taken apart.
    """
    text = model_id[-_MAX_ID:].strip().lower().replace("\\", "/")
    segments = [segment for segment in text.split("/") if segment]
    if not segments:
        return ""
    if not _PATH.match(text):
        return segments[-1]
    for segment in reversed(segments):
        name = _FILE_END.sub("", segment).rpartition("--")[2]
        if not _GENERIC.fullmatch(name):
            return name
    return segments[-1]


def size_in(model_id: str) -> tuple[int, str] | None:
    """Return a context size that is written in an id, in tokens and as it is written.

    `32k` is 32,768 and `200k` is 200,000: where the author may have meant either, the smaller reading fails later.
    Of several sizes the smallest holds. Not sizes: parameter counts (`135m`, `8x7b`), quantisations (`q4k`),
    versions (`1.5k`) and what data sets and training steps are counted in.
    """
    text = telling_part(model_id)
    sizes = [
        (_tokens(match), match.group())
        for match in _SIZE.finditer(text)
        if not _COUNTED_BEFORE.search(text[: match.start()]) and not _COUNTED_AFTER.match(text, match.end())
    ]
    return min((size for size in sizes if size[0] >= 2000), default=None)


def _tokens(match: re.Match[str]) -> int:
    if match["plain"]:
        return int(match["plain"])
    if match["millions"]:
        return int(match["millions"]) * 1_000_000
    number = int(match["thousands"])
    return number * (1024 if number in _POWERS_OF_TWO else 1000)


_K = 1024


@dataclass(frozen=True)
class ModelFamily:
    """A row: how the family's names look, its context in tokens, and whether the contract calls it modern.

    In `names` a `~` is an optional separator.
    """

    title: str
    names: str
    context: int
    modern: bool = False

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What finds such a name, which never begins inside another word; made for the first name that is looked at."""
        return re.compile(rf"(?<![a-z])(?:{self.names})".replace("~", "[-_. ]?"))


def family_of(model_id: str) -> ModelFamily | None:
    """Return the family that an id names, or `None`."""
    name = telling_part(model_id)
    return next((family for family in FAMILIES if family.pattern.search(name)), None)


# `llama-3.1`, `llama3_1`, `llama-v3p1`, `llama3-1-8b`, `llama31-8b`; but `llama-30b`, `llama-3b` and `llama-3-1b` are
# parameter counts.
def _llama3(minor: str) -> str:
    return rf"llama~v?3(?:[.p]{minor}(?!\d|b(?![a-z]))|[-_ ]{minor}(?![a-z0-9.]))|llama3{minor}(?![a-z0-9.])"


_QWEN25 = r"qwen~v?(?:2[.p]5|2[-_ ]5(?!\.)|25)(?!\d|b(?![a-z]))"

_REFINED = (
    ModelFamily("DeepSeek-Coder v1.5", r"deepseek~coder.*v1[._]5", 4 * _K, modern=True),
    ModelFamily("DeepSeek-Coder v1", r"deepseek~coder(?![-_.: ]?(?:v[2-9]|2\.5))", 16 * _K, modern=True),
    ModelFamily("DeepSeek-LLM", r"deepseek~(?:llm|67b|7b)(?![a-z0-9])", 4 * _K, modern=True),
    ModelFamily("DeepSeek-Math v1", r"deepseek~math(?!~v2)", 4 * _K, modern=True),
    ModelFamily("DeepSeek-MoE", r"deepseek~moe(?![a-z])", 4 * _K, modern=True),
    ModelFamily("DeepSeek-VL", r"deepseek~vl", 4 * _K, modern=True),
    ModelFamily("DeepSeek-V2-Lite", r"deepseek~v2~lite", 32 * _K, modern=True),
    ModelFamily("Qwen 2.5 Math", rf"{_QWEN25}~math", 4 * _K, modern=True),
    ModelFamily("Mistral Large 2402", r"mistral~large~2402", 32 * _K, modern=True),
)

_CONTRACT = (
    ModelFamily("DeepSeek", r"deepseek", 64 * _K, modern=True),
    ModelFamily("Llama 3.3", _llama3("3"), 128 * _K, modern=True),
    ModelFamily("Llama 3.2", _llama3("2"), 128 * _K, modern=True),
    ModelFamily("Llama 3.1", _llama3("1"), 128 * _K, modern=True),
    ModelFamily("Llama 3.0", r"llama~v?3(?:[._p-]0(?!\d))?(?![a-z0-9]|[.p]\d)", 8 * _K, modern=True),
    ModelFamily("Mistral Large", r"mistral~large(?![a-z])", 128 * _K, modern=True),
    ModelFamily("Mistral Small", r"mistral~small(?![a-z])", 32 * _K),
    ModelFamily("Mistral Medium", r"mistral~medium(?![a-z])", 32 * _K),
    ModelFamily("Mixtral 8x22B", r"mixtral~8~x~22|8x22b", 64 * _K),
    ModelFamily("Mixtral 8x7B", r"mixtral~8~x~7b|8x7b|mixtral(?![-_.: ]?\d|[a-z])", 32 * _K),
    ModelFamily("Qwen 2.5", _QWEN25, 128 * _K, modern=True),
)

_UNKNOWN_TO_THE_CONTRACT = (
    ModelFamily("Llama 2", r"llama~v?2(?![0-9.]|b)", 4 * _K),
    ModelFamily("Code Llama", r"code~llama(?!.*70b)", 16 * _K),
    ModelFamily("TinyLlama", r"tiny~llama", 2 * _K),
    ModelFamily("Qwen 3 Coder", r"qwen~3~coder", 256 * _K),
    ModelFamily("Qwen 3 Next", r"qwen~3~next", 256 * _K),
    ModelFamily("Qwen 3 VL", r"qwen~3~vl", 256 * _K),
    ModelFamily("Qwen 3 2507", r"qwen~3(?![0-9.]).*2507", 256 * _K),
    ModelFamily("Qwen 3", r"qwen~3(?!\d|[._p]\d|b)", 32 * _K),
    ModelFamily("QwQ", r"qwq", 32 * _K),
    ModelFamily("CodeQwen 1.5", r"code~qwen", 64 * _K),
    ModelFamily("Qwen 2 Math", r"qwen~2~math", 4 * _K),
    ModelFamily("Qwen 2", r"qwen~2(?!\d|[.p]5|[-_ ]5(?!\d)|b)", 32 * _K),
    ModelFamily("Qwen 1.5", r"qwen~1[._]5", 32 * _K),
    ModelFamily("Mistral Nemo", r"mistral~nemo", 128 * _K),
    ModelFamily("Mistral 7B v0.1", r"mistral~7b.*v0[._]1", 8 * _K),
    ModelFamily("Mistral 7B", r"mistral~7b.*v0[._][23]", 32 * _K),
    ModelFamily("Codestral 25", r"codestral~25\d\d", 256_000),
    ModelFamily("Codestral", r"codestral", 32 * _K),
    ModelFamily("Devstral", r"devstral", 128 * _K),
    ModelFamily("Pixtral", r"pixtral", 128 * _K),
    ModelFamily("Mathstral", r"mathstral", 32 * _K),
    ModelFamily("Gemma 3 (small)", r"gemma~3(?:n(?![a-z])|.*(?<![0-9])(?:1b|270m))", 32 * _K),
    ModelFamily("Gemma 3", r"gemma~3(?![0-9b])", 128 * _K),
    ModelFamily("Gemma 1 and 2", r"(?:code)?gemma(?:~2(?![0-9])|~[79]b|(?![-_. ]?\d|[a-z]))", 8 * _K),
    ModelFamily("Phi 4 mini", r"phi~4~(?:mini|multimodal)", 128 * _K),
    ModelFamily("Phi 4", r"phi~4(?![0-9])", 16 * _K),
    ModelFamily("Phi 3.5", r"phi~3[._]5", 128 * _K),
    ModelFamily("Phi 2", r"phi~2(?![0-9.])", 2 * _K),
    ModelFamily("gpt-oss", r"gpt~oss", 128 * _K),
    ModelFamily("GLM 4.6", r"glm~4[._][67]", 200_000),
    ModelFamily("GLM 4.5", r"glm~4[._]5", 128 * _K),
    ModelFamily("Kimi K2", r"kimi~k2", 128 * _K),
    ModelFamily("Command R", r"command~r(?![a-z])", 128 * _K),
    ModelFamily("Granite 3.1 and later", r"granite~3[._][1-9]", 128 * _K),
    ModelFamily("Granite 3.0", r"granite~3[._]0", 4 * _K),
    ModelFamily("StarCoder 2", r"star~coder~2", 16 * _K),
    ModelFamily("Yi Coder", r"yi~coder", 128 * _K),
    ModelFamily("SmolLM 3", r"smollm~3", 64 * _K),
    ModelFamily("SmolLM 2", r"smollm~2", 8 * _K),
    ModelFamily("OLMo 2", r"olmo~2", 4 * _K),
)

FAMILIES = _REFINED + _CONTRACT + _UNKNOWN_TO_THE_CONTRACT
"""First match wins, so that a distilled or fine-tuned model falls to the family the contract knows."""
