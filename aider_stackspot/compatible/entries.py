"""What a server says about one model: an entry of its list, or the answer of an endpoint about a single model.

The fields of all known servers are read side by side: no two of them mean different things by the same name, except
where a comment says so. Nothing here raises; what cannot be read is left out (docs/servers.md, "Model lists").
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from aider_stackspot.api.answer import token_count
from aider_stackspot.compatible.chat_models import KIND_FIELDS, chat_by_field
from aider_stackspot.compatible.limits import MAX_FIELD_NAME, Entry, at, stated_limits
from aider_stackspot.compatible.model import (
    Capabilities,
    KindField,
    ListedModel,
    Price,
    TokenLimit,
    filled,
    snake_case,
    unique,
)

# `id` is OpenAI's; LM Studio's native list has `key`, LiteLLM's `model_name` and `model_group`, Ollama's both
# `model` and `name`. Where `name` is a display name an id stands beside it.
_IDS = ("id", "key", "model_name", "model_group", "model", "name", "model_id")
_ROOTS = ("root", "litellm_params.model", "model_info.key")

_SCOPES = frozenset(
    {
        "architecture",
        "capabilities",
        "capabilities.supports",
        "details",
        "features",
        "info",
        "metadata",
        "model_info",
        "model_spec",
        "model_spec.capabilities",
        "policy",
        "spec",
        "supports",
    }
)
"""Where a field speaks of the whole model. `thinking.enabled` does not."""

_PRICES = (
    ("pricing.prompt", "pricing.completion"),
    ("input_cost_per_token", "output_cost_per_token"),
    ("model_info.input_cost_per_token", "model_info.output_cost_per_token"),
)

_TOOLS = frozenset(
    {
        "function_calling",
        "supports_function_calling",
        "supports_tools",
        "tool_calling",
        "tool_calls",
        "tool_use",
        "tools",
        "trained_for_tool_use",
    }
)
_VISION = frozenset({"vision", "image_input", "supports_vision"})
_REASONING = frozenset({"thinking", "reasoning", "supports_reasoning"})


def model_of(entry: object) -> ListedModel | None:
    """Return the model that an entry of a list describes, or `None` if it names none.

    An entry may be a mapping or, as in text-generation-webui's `model_names`, just the id.
    """
    if not isinstance(entry, Mapping):
        identifier = _identifier(entry)
        return ListedModel(identifier) if identifier else None
    identifier = next(filter(None, (_identifier(entry.get(key)) for key in _IDS)), None)
    if identifier is None:
        return None
    name = next((text for text in _display_names(entry) if text != identifier), None)
    root = next(filter(None, (_words(at(entry, path)) for path in _ROOTS)), ())
    limits = stated_limits(entry)
    return ListedModel(
        id=identifier,
        name=name,
        aliases=tuple(alias for alias in unique(_aliases(entry)) if alias != identifier),
        owned_by=line(entry.get("owned_by")),
        root=root[0] if root and root[0] != identifier else None,
        parent=line(entry.get("parent")),
        served=limits.served,
        advertised=limits.advertised,
        output=limits.output,
        capabilities=_capabilities(entry),
        kind=_kind(entry),
        price=_price(entry),
        loaded=_loaded(entry),
    )


def line(value: object) -> str | None:
    """Return a text without what would disturb a terminal or could not be written to a file."""
    if not isinstance(value, str):
        return None
    return "".join(character for character in value if character.isprintable()).strip() or None


def _words(value: object) -> tuple[str, ...]:
    """Return a text, the texts of a list, or the keys of a mapping that are true; of a boolean its name."""
    if isinstance(value, bool):
        return ("true",) if value else ("false",)
    if isinstance(value, str):
        value = [value]
    elif isinstance(value, Mapping):
        value = [key for key, holds in value.items() if holds is True]
    if not isinstance(value, Sequence):
        return ()
    return unique(line(item) for item in value)


def _identifier(value: object) -> str | None:
    """Return an id, or `None`. Scalytics counts its models, and a number in JSON may lose its quotes."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    # An id goes back to the server verbatim: one that cannot be shown or typed is better dropped than altered.
    if isinstance(value, str) and value.isprintable() and value.strip():
        return value.strip()
    return None


def _display_names(entry: Entry) -> Iterator[str]:
    yield from filter(None, (line(entry.get(key)) for key in ("display_name", "name")))


def _aliases(entry: Entry) -> Iterator[str | None]:
    yield from _display_names(entry)
    yield from _words(entry.get("aliases"))
    yield line(entry.get("canonical_slug"))
    for instance in _instances(entry):
        yield _identifier(instance.get("id"))


def _instances(entry: Entry) -> list[Entry]:
    found = entry.get("loaded_instances")
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def _scoped(entry: Entry, scope: str = "", prefix: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield name, path and value of the fields that speak of the whole model; the name in snake case."""
    for key, value in entry.items():
        if not isinstance(key, str) or not key.isprintable() or len(key) > MAX_FIELD_NAME:
            continue
        name = snake_case(key)
        yield name, prefix + key, value
        inner = f"{scope}.{name}" if scope else name
        if isinstance(value, Mapping) and inner in _SCOPES:
            yield from _scoped(value, inner, f"{prefix}{key}.")


_KIND_ORDER = {name: position for position, name in enumerate(KIND_FIELDS)}


def _kind(entry: Entry) -> tuple[KindField, ...]:
    """Return the fields that say whether a model chats, the most telling first."""
    said = [
        (name, path, words) for name, path, value in _scoped(entry) if name in _KIND_ORDER and (words := _words(value))
    ]
    said.sort(key=lambda field: _KIND_ORDER[field[0]])
    fields = [KindField(path, words) for _, path, words in said]
    return tuple(field for field in fields if chat_by_field(field) is not None)


def _capabilities(entry: Entry) -> Capabilities:
    said = [(name, value) for name, _, value in _scoped(entry)]
    return Capabilities(
        tools=_can(said, _TOOLS, ("supported_parameters", "tools")),
        vision=True if entry.get("type") == "vlm" else _can(said, _VISION, ("input_modalities", "image")),
        reasoning=_can(said, _REASONING, ("supported_parameters", "reasoning")),
    )


def _can(said: list[tuple[str, Any]], names: frozenset[str], closed: tuple[str, str]) -> bool | None:
    """Return whether an entry claims a capability.

    Args:
        said: the names and values of its fields.
        names: what the capability is called, as a field that is true or false, or as a word of `capabilities`.
        closed: a list that is complete where it is given, and the word it would hold.
    """
    answers = [value for name, value in said if name in names and isinstance(value, bool)]
    for name, value in said:
        if name == "capabilities" and not names.isdisjoint(map(snake_case, _words(value))):
            answers.append(True)
        elif name == closed[0] and (words := _words(value)):
            answers.append(closed[1] in words)
    if True in answers:
        return True
    return False if False in answers else None


def _price(entry: Entry) -> Price | None:
    for asked, answered in _PRICES:
        given, taken = _money(at(entry, asked)), _money(at(entry, answered))
        if given is not None and taken is not None:
            return Price(given, taken, asked.rpartition(".")[0] or asked)
    return None


def _money(value: object) -> float | None:
    """Return dollars per token. OpenRouter writes them as text, and -1 for "depends on the model chosen"."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        amount = float(value)
    except (ValueError, OverflowError):
        return None
    return amount if math.isfinite(amount) and amount >= 0 else None


def _loaded(entry: Entry) -> bool | None:
    if isinstance(entry.get("loaded_instances"), list):
        return bool(_instances(entry))
    if isinstance(entry.get("state"), str):
        return bool(entry["state"] == "loaded")
    loaded = entry.get("loaded")
    return loaded if isinstance(loaded, bool) else None


# Answers of endpoints about one model. Those that answer with a list (LM Studio's own, Ollama's `/api/tags` and
# `/api/ps`, LiteLLM's `/model/info`, LocalAI's `/v1/models/capabilities`) are read by `listing`.


def details_of(document: object, model_id: str) -> ListedModel:
    """Return what an endpoint about one model says; nothing but the id where nothing is known.

    Args:
        document: the decoded answer of `/props`, `/info`, `/api/show`, `/get_model_info` or `/v1/internal/model/info`.
        model_id: the id of the model that was asked about, or that the server runs.
    """
    if isinstance(document, Mapping):
        for mark, read in _READERS:
            if mark in document:
                return read(document, model_id)
    return ListedModel(model_id)


def _limit(entry: Entry, *paths: str) -> TokenLimit | None:
    """Return the number of tokens at the first of the paths that has one, with the path as its origin."""
    stated = ((token_count(at(entry, path)), path) for path in paths)
    return next((TokenLimit(tokens, path) for tokens, path in stated if tokens), None)


def _llama_cpp_props(props: Entry, model_id: str) -> ListedModel:
    """Read `/props`. Its `n_ctx` is for one slot: that is what a request gets (docs/servers.md, "llama.cpp")."""
    modalities = props.get("modalities")
    can = model_of({"id": model_id, "capabilities": modalities if isinstance(modalities, Mapping) else None})
    served = _limit(props, "default_generation_settings.n_ctx", "n_ctx")
    known = ListedModel(model_id, served=served, root=line(props.get("model_path")))
    return filled(known, can) if can else known


def _tgi_info(info: Entry, model_id: str) -> ListedModel:
    """Read TGI's `/info`. The longest answer is what the total leaves above the longest input.

    Source: docs/servers.md, "Text Generation Inference".
    """
    total = _limit(info, "max_total_tokens")
    taken = _limit(info, "max_input_tokens", "max_input_length")
    left = total.value - taken.value if total and taken else 0
    pipeline = _words(info.get("model_pipeline_tag"))
    return ListedModel(
        model_id,
        root=line(info.get("model_id")),
        served=total,
        output=TokenLimit(left, "max_total_tokens - max_input_tokens") if left > 0 else None,
        kind=(KindField("model_pipeline_tag", pipeline),) if pipeline else (),
    )


_NUM_CTX = re.compile(r"^\s*num_ctx\s+(\d{1,12})\s*$", re.MULTILINE)


def _ollama_show(shown: Entry, model_id: str) -> ListedModel:
    """Read `/api/show`. Only a `num_ctx` of the model file is served, the rest is a ceiling.

    Source: docs/servers.md, "Ollama".
    """
    parameters = shown.get("parameters")
    found = _NUM_CTX.findall(parameters) if isinstance(parameters, str) else []
    served = token_count(found[-1]) if found else None
    facts = shown.get("model_info")
    known = ListedModel(
        model_id,
        served=TokenLimit(served, "parameters.num_ctx") if served else None,
        advertised=_ollama_ceiling(facts) if isinstance(facts, Mapping) else None,
    )
    can = model_of({"id": model_id, "capabilities": list(_words(shown.get("capabilities")))})
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
    kind = (KindField("is_generation", _words(generates)),) if isinstance(generates, bool) else ()
    return ListedModel(model_id, root=line(info.get("model_path")), kind=kind)


def _webui_info(info: Entry, model_id: str) -> ListedModel:
    """Read which model really answers (docs/servers.md, "text-generation-webui")."""
    return ListedModel(model_id, root=line(info.get("model_name")))


_READERS: tuple[tuple[str, Callable[[Entry, str], ListedModel]], ...] = (
    ("default_generation_settings", _llama_cpp_props),
    ("n_ctx", _llama_cpp_props),
    ("max_total_tokens", _tgi_info),
    ("model_info", _ollama_show),
    ("is_generation", _sglang_info),
    ("loader", _webui_info),
    ("parameters", _ollama_show),
    ("capabilities", _ollama_show),
)
"""The field that gives an answer away, and what reads it."""
