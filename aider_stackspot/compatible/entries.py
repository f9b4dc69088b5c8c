"""One entry of a model list, whoever wrote it, as a `ListedModel` (docs/servers.md, "Model lists").

The fields of all known servers are read side by side: no two of them mean different things by the same name, except
where a comment says so. Nothing here raises; what cannot be read is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from aider_stackspot.api.token_count import token_count
from aider_stackspot.compatible.figure import TokenLimit, smaller
from aider_stackspot.compatible.model import Capabilities, ListedModel, Price, Stated, unique

Entry: TypeAlias = Mapping[str, Any]

# `id` is OpenAI's; LM Studio's native list has `key`, LiteLLM's `model_name` and `model_group`, Ollama's both
# `model` and `name`. Where `name` is a display name an id stands beside it.
_IDS = ("id", "key", "model_name", "model_group", "model", "name", "model_id")

# A bare `max_tokens` is missing on purpose: it is the output for OpenAI and You.com and the context for Zed.
_SERVED = (
    "meta.n_ctx",
    "loaded_context_length",
    "top_provider.context_length",
    "max_model_len",
    "context_window",
    "max_input_tokens",
    "model_info.max_input_tokens",
    "context_length",
    "context_size",
    "max_context_length",
)
_ADVERTISED = ("meta.n_ctx_train", "native_context_length")
_OUTPUT = (
    "top_provider.max_completion_tokens",
    "max_output_tokens",
    "model_info.max_output_tokens",
    "max_completion_tokens",
)
_KIND = (
    "mode",
    "model_info.mode",
    "type",
    "model_pipeline_tag",
    "pipeline_tag",
    "pipeline_name",
    "capabilities",
    "architecture.input_modalities",
    "architecture.output_modalities",
    "input_modalities",
    "output_modalities",
    "supported_operations",
    "supported_endpoints",
    "model_info.supported_endpoints",
)
_PRICES = (
    ("pricing.prompt", "pricing.completion"),
    ("input_cost_per_token", "output_cost_per_token"),
    ("model_info.input_cost_per_token", "model_info.output_cost_per_token"),
)

_TOOLS = frozenset({"tools", "tool_use", "tool_calling", "function_calling", "trained_for_tool_use"})
_VISION = frozenset({"vision", "image_input"})
_REASONING = frozenset({"thinking", "reasoning"})


def model_of(entry: object) -> ListedModel | None:
    """Return the model that an entry describes, or `None` if it names none.

    An entry may be a mapping or, as in text-generation-webui's `model_names`, just the id.
    """
    if not isinstance(entry, Mapping):
        identifier = _identifier(entry)
        return ListedModel(identifier) if identifier else None
    identifier = next(filter(None, (_identifier(entry.get(key)) for key in _IDS)), None)
    if identifier is None:
        return None
    name = next((text for text in _display_names(entry) if text != identifier), None)
    root = next(filter(None, (words(at(entry, path)) for path in _ROOTS)), ())
    return ListedModel(
        id=identifier,
        name=name,
        aliases=tuple(alias for alias in unique(_aliases(entry)) if alias != identifier),
        owned_by=line(entry.get("owned_by")),
        root=root[0] if root and root[0] != identifier else None,
        parent=line(entry.get("parent")),
        served=_served(entry),
        advertised=_advertised(entry),
        output=_output(entry),
        capabilities=_capabilities(entry),
        kind=tuple(_kind(entry)),
        price=_price(entry),
        loaded=_loaded(entry),
    )


def at(entry: Entry, path: str) -> Any:
    """Return what stands at a dotted path of an entry, or `None`."""
    value: Any = entry
    for key in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def words(value: object) -> tuple[str, ...]:
    """Return a text, the texts of a list, or the keys of a mapping that are true, all in lower case where listed."""
    if isinstance(value, str):
        value = [value]
    elif isinstance(value, Mapping):
        value = [key for key, holds in value.items() if holds is True]
    if not isinstance(value, Sequence):
        return ()
    return unique(line(item) for item in value)


def line(value: object) -> str | None:
    """Return a text without what would disturb a terminal or could not be written to a file."""
    if not isinstance(value, str):
        return None
    return "".join(character for character in value if character.isprintable()).strip() or None


def figure(entry: Entry, path: str) -> TokenLimit | None:
    """Return the number of tokens at a path, with the path as its origin."""
    value = token_count(at(entry, path))
    return TokenLimit(value, path) if value else None


_ROOTS = ("root", "litellm_params.model", "model_info.key")


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
    yield from words(entry.get("aliases"))
    yield line(entry.get("canonical_slug"))
    for instance in _instances(entry):
        yield _identifier(instance.get("id"))


def _instances(entry: Entry) -> list[Entry]:
    found = entry.get("loaded_instances")
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def _is_lm_studio(entry: Entry) -> bool:
    return "loaded_instances" in entry or ("state" in entry and "max_context_length" in entry)


def _served(entry: Entry) -> TokenLimit | None:
    """Return the smallest of the contexts that an entry says it serves; the field order decides between equals.

    One item was seen with three different ones (docs/servers.md, "Served and trained context"): the smallest is the one that never fails.
    """
    paths = [path for path in _SERVED if not (_is_lm_studio(entry) and path == "max_context_length")]
    found: TokenLimit | None = None
    for instance in _instances(entry):
        value = token_count(at(instance, "config.context_length"))
        found = smaller(found, TokenLimit(value, "loaded_instances.config.context_length") if value else None)
    for path in paths:
        found = smaller(found, figure(entry, path))
    return found


def _advertised(entry: Entry) -> TokenLimit | None:
    paths = list(_ADVERTISED)
    if _is_lm_studio(entry):
        # What the model was made for, next to a loaded context of 4096: the trap of docs/servers.md, "LM Studio".
        paths.append("max_context_length")
    if figure(entry, "top_provider.context_length"):
        paths.append("context_length")
    return next(filter(None, (figure(entry, path) for path in paths)), None)


def _output(entry: Entry) -> TokenLimit | None:
    paths = list(_OUTPUT)
    # Beside a `max_input_tokens`, and only there, a `max_tokens` is surely the output (You.com, LiteLLM).
    paths += [f"{scope}max_tokens" for scope in ("", "model_info.") if figure(entry, f"{scope}max_input_tokens")]
    return next(filter(None, (figure(entry, path) for path in paths)), None)


def _kind(entry: Entry) -> Iterator[Stated]:
    for path in ("active", "is_generation", "capabilities.completion_chat"):
        if isinstance(at(entry, path), bool):
            yield Stated(path, (str(at(entry, path)).lower(),))
    for path in _KIND:
        if said := words(at(entry, path)):
            yield Stated(path, tuple(word.lower() for word in said))


def _capabilities(entry: Entry) -> Capabilities:
    return Capabilities(
        tools=_can(entry, _TOOLS, "supports_function_calling", ("supported_parameters", "tools")),
        vision=_can(entry, _VISION, "supports_vision", ("input_modalities", "image")),
        reasoning=_can(entry, _REASONING, "supports_reasoning", ("supported_parameters", "reasoning")),
    )


def _can(entry: Entry, names: frozenset[str], flag: str, closed: tuple[str, str]) -> bool | None:
    """Return whether an entry claims a capability.

    Args:
        entry: the entry.
        names: how `capabilities` may call it.
        flag: LiteLLM's field for it.
        closed: a list that is complete where it is given, and the word it would hold.
    """
    said = at(entry, "capabilities")
    if names.intersection(word.lower() for word in words(said)):
        return True
    if names is _VISION and entry.get("type") == "vlm":
        return True
    answers = [at(said, name) for name in names] if isinstance(said, Mapping) else []
    answers += [entry.get(flag), at(entry, f"model_info.{flag}")]
    for scope in ("", "architecture."):
        complete = words(at(entry, scope + closed[0]))
        if complete:
            answers.append(closed[1] in complete)
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
