"""Answers of single servers' extra endpoints: what their model list leaves out (docs/servers.md, "llama.cpp" and "Ollama" and "TGI" and "SGLang").

Endpoints that answer with a list of models (LM Studio's native lists, Ollama's `/api/tags` and `/api/ps`, LiteLLM's
`/model/info`, LocalAI's `/v1/models/capabilities`) are read by `listing`; here are the ones about one model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from aider_stackspot.api.token_count import token_count
from aider_stackspot.compatible.entry import Entry, figure, line, model_of, words
from aider_stackspot.compatible.figure import TokenLimit
from aider_stackspot.compatible.listing import NotAModelList, decode
from aider_stackspot.compatible.model import ListedModel, Stated, filled

_NUM_CTX = re.compile(r"^\s*num_ctx\s+(\d{1,12})\s*$", re.MULTILINE)


def parse(body: bytes | str, model_id: str) -> ListedModel:
    """Return what an extra endpoint says about one model.

    Args:
        body: the answer of `/props`, `/info`, `/api/show`, `/get_model_info` or `/v1/internal/model/info`.
        model_id: the id of the model that was asked about, or that the server runs.

    Raises:
        NotAModelList: if the body is no JSON object.
    """
    return read(decode(body), model_id)


def read(document: object, model_id: str) -> ListedModel:
    """Return what a decoded answer of an extra endpoint says about one model; nothing where nothing is known.

    Raises:
        NotAModelList: if the document is no JSON object.
    """
    if not isinstance(document, Mapping):
        raise NotAModelList("JSON that is no object")
    for mark, reader in _READERS:
        if mark in document:
            return reader(document, model_id)
    return ListedModel(model_id)


def _llama_cpp_props(props: Entry, model_id: str) -> ListedModel:
    """Read `/props`. Its `n_ctx` is for one slot: that is what a request gets (docs/servers.md, "llama.cpp")."""
    path = "default_generation_settings.n_ctx"
    modalities = props.get("modalities")
    can = model_of({"id": model_id, "capabilities": modalities if isinstance(modalities, Mapping) else None})
    known = ListedModel(model_id, served=figure(props, path), root=line(props.get("model_path")))
    return filled(known, can) if can else known


def _tgi_info(info: Entry, model_id: str) -> ListedModel:
    """Read TGI's `/info`. The longest answer is what the total leaves above the longest input (docs/servers.md, "TGI")."""
    total = figure(info, "max_total_tokens")
    taken = figure(info, "max_input_tokens") or figure(info, "max_input_length")
    left = total.value - taken.value if total and taken else 0
    return ListedModel(
        model_id,
        root=line(info.get("model_id")),
        served=total,
        output=TokenLimit(left, "max_total_tokens - max_input_tokens") if left > 0 else None,
        kind=_said(info, "model_pipeline_tag"),
    )


def _ollama_show(shown: Entry, model_id: str) -> ListedModel:
    """Read Ollama's `/api/show`. Only a `num_ctx` of the model file is served; the rest is a ceiling (docs/servers.md, "Ollama")."""
    parameters = shown.get("parameters")
    found = _NUM_CTX.findall(parameters) if isinstance(parameters, str) else []
    served = token_count(found[-1]) if found else None
    facts = shown.get("model_info")
    known = ListedModel(
        model_id,
        served=TokenLimit(served, "parameters.num_ctx") if served else None,
        advertised=_ollama_ceiling(facts) if isinstance(facts, Mapping) else None,
    )
    can = model_of({"id": model_id, "capabilities": list(words(shown.get("capabilities")))})
    return filled(known, can) if can else known


def _ollama_ceiling(facts: Mapping[Any, Any]) -> TokenLimit | None:
    architecture = facts.get("general.architecture")
    keys = [key for key in facts if isinstance(key, str) and key.endswith(".context_length")]
    keys.sort(key=lambda key: key != f"{architecture}.context_length")
    for key in keys:
        if value := token_count(facts[key]):
            return TokenLimit(value, f"model_info.{key}")
    return None


def _sglang_info(info: Entry, model_id: str) -> ListedModel:
    generates = info.get("is_generation")
    kind = (Stated("is_generation", (str(generates).lower(),)),) if isinstance(generates, bool) else ()
    return ListedModel(model_id, root=line(info.get("model_path")), kind=kind)


def _webui_info(info: Entry, model_id: str) -> ListedModel:
    """Read text-generation-webui's `/v1/internal/model/info`: which model really answers (docs/servers.md, "text-generation-webui")."""
    return ListedModel(model_id, root=line(info.get("model_name")))


def _said(entry: Entry, path: str) -> tuple[Stated, ...]:
    said = words(entry.get(path))
    return (Stated(path, tuple(word.lower() for word in said)),) if said else ()


_READERS: tuple[tuple[str, Callable[[Entry, str], ListedModel]], ...] = (
    ("default_generation_settings", _llama_cpp_props),
    ("max_total_tokens", _tgi_info),
    ("model_info", _ollama_show),
    ("is_generation", _sglang_info),
    ("loader", _webui_info),
    ("parameters", _ollama_show),
    ("capabilities", _ollama_show),
)
"""The field that gives an answer away, and what reads it."""
