"""What an id says: the part of it that names the model, and a size written into that name."""

from __future__ import annotations

import re

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


_LONGEST = 500
"""Characters of an id that are looked at. Longer ones are nonsense, and patterns would take their time over them."""


def telling_part(model_id: str) -> str:
    """Return the part of an id that names the model, in lower case.

    That is the last segment: a prefix names a vendor (`mistralai/Mixtral-8x7B`), not a family. Of a file's path it
    is the last segment that is not a mere `model.gguf` or hash; Hugging Face's cache directories are taken apart.
    """
    text = model_id[-_LONGEST:].strip().lower().replace("\\", "/")
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
