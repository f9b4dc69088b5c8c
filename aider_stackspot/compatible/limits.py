"""How much a model takes and answers: configured beats served beats advertised beats guessed.

What a model list's entry states, at any depth, is found by one table of the fields' names. A field is known by the end
of its path, in snake case or camel case: `contextLength` in `limits` is `context_length` in `metadata`. What servers
send is in docs/servers.md, "Served and trained context".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, Literal, NamedTuple, TypeAlias

from aider_stackspot.api.answer import token_count
from aider_stackspot.compatible.families import ModelFamily, family_of, size_in
from aider_stackspot.compatible.model import ListedModel, TokenLimit, smaller, snake_case

_MODERN_OUTPUT = 8192
_USUAL_OUTPUT = 4096


def context(
    model_id: str,
    *,
    configured: int | None = None,
    listed: ListedModel | None = None,
    learned: int | None = None,
) -> TokenLimit | None:
    """Return how many tokens a model takes, and how that is known.

    The order: what the user configured, what the server's own error taught (it is about the model as it runs now),
    what the server says it serves, what it advertises, a size in the name, the family's usual context.

    Args:
        model_id: the model's id on its server.
        configured: `max_input_tokens` of the configuration.
        listed: what the server reports.
        learned: the limit that an over-length error named (`api.context_errors`).

    Returns:
        `None` where nothing is known: no default is made up.
    """
    for value, origin in ((configured, "configured"), (learned, "learned: the server's own error")):
        if tokens := token_count(value):
            return TokenLimit(tokens, origin)
    if listed and listed.served:
        return TokenLimit(listed.served.value, f"served: {listed.served.origin}")
    if listed and listed.advertised:
        return TokenLimit(listed.advertised.value, f"advertised: {listed.advertised.origin}")
    return _from_size(model_id, listed) or _from_family(model_id, listed)


def output(
    model_id: str,
    *,
    configured: int | None = None,
    listed: ListedModel | None = None,
    context: TokenLimit | None = None,
) -> TokenLimit:
    """Return how many tokens a model answers at most, and how that is known.

    An estimate (`estimated`) is for display and planning: sent as `max_tokens` it would cut off the long answers of
    models that can give them.

    Args:
        model_id: the model's id on its server.
        configured: `max_tokens` of the configuration.
        listed: what the server reports.
        context: the model's context, if it is known: no answer is estimated longer than it.
    """
    if tokens := token_count(configured):
        return TokenLimit(tokens, "configured")
    if listed and listed.output:
        return TokenLimit(listed.output.value, f"reported: {listed.output.origin}")
    family = _family(model_id, listed)
    if family and family.modern:
        guess, origin = _MODERN_OUTPUT, f"estimated: {family.title}"
    else:
        guess, origin = _USUAL_OUTPUT, "estimated: usual"
    if context and context.value < guess:
        guess, origin = context.value, "estimated: the context"
    return TokenLimit(guess, origin, estimated=True)


def calls_tools_by_name(model_id: str, *, listed: ListedModel | None = None) -> bool:
    """Tell whether a model is of a family that is taken to call tools, where its server says nothing about it.

    Those are the families that the contract calls modern (`families`); like all that a name tells it is a guess.
    """
    family = _family(model_id, listed)
    return family is not None and family.modern


def _from_size(model_id: str, listed: ListedModel | None) -> TokenLimit | None:
    for name in _names(model_id, listed):
        if size := size_in(name):
            return TokenLimit(size[0], f"in the name: {size[1]}", estimated=True)
    return None


def _from_family(model_id: str, listed: ListedModel | None) -> TokenLimit | None:
    family = _family(model_id, listed)
    return TokenLimit(family.context, f"family: {family.title}", estimated=True) if family is not None else None


def _family(model_id: str, listed: ListedModel | None) -> ModelFamily | None:
    return next(filter(None, map(family_of, _names(model_id, listed))), None)


def _names(model_id: str, listed: ListedModel | None) -> Iterator[str]:
    """Yield the names to guess from: a bare number or a `--served-model-name` tells nothing, what is behind it may."""
    yield model_id
    if listed:
        yield from (name for name in listed.names if name != model_id)
        if listed.parent:
            yield listed.parent


Entry: TypeAlias = Mapping[str, Any]
Meaning: TypeAlias = Literal["running", "prompt", "context", "trained", "output"]

# The more specific comes first: of two fields that state the same number the first gives its name to the limit.
# A bare `max_tokens` is missing on purpose: it is the output for OpenAI and You.com and the context for Zed.
_TABLE: tuple[tuple[Meaning, str], ...] = (
    # What the server runs the model with. Beside it a context tells what the model was made for.
    ("running", r"status\.(?:args|preset)|n_ctx|num_ctx|loaded_instances\.config\.context_length"),
    ("running", r"(?:loaded|running|effective|served)_context_(?:length|size|tokens|window)"),
    # What of a context the prompt may take up.
    ("prompt", r"max_(?:prompt|input)_(?:tokens|length)|input_token_limit|limits?\.(?:input|prompt)"),
    ("context", r"top_provider\.context_length"),
    ("context", r"(?:max_|available_|total_)?(?:context|ctx)(?:_window)?_(?:tokens|length|len|size|limit)"),
    ("context", r"(?:max_)?context_window|max_context|limits?\.context"),
    ("context", r"max_(?:model|seq|sequence)_(?:len|length)|max_total_tokens"),
    ("trained", r"n_ctx_train|(?:native|trained|original)_context_(?:length|size|window)|max_position_embeddings"),
    ("output", r"max_(?:output|completion)_(?:tokens|length)|output_token_limit|limits?\.output"),
)
_ROWS = tuple((meaning, re.compile(rf"(?:^|\.)(?:{names})$")) for meaning, names in _TABLE)

_OTHER_NUMBERS = re.compile(
    r"(?:^|_)(?:pric(?:e|es|ing)|costs?|billing|fees?|usage|quotas?|rates?|defaults?|examples?|draft|speculative|audio"
    r"|images?|video|vision)(?:_|$)"
)
"""Fields whose numbers, and those of the objects in them, are no limits of a model's text."""
_MAX_DEPTH = 6
MAX_FIELD_NAME = 64
"""Characters; a longer name of a field is data."""


class StatedLimits(NamedTuple):
    """What an entry says of the context it serves, of the one the model was made for, and of the longest answer."""

    served: TokenLimit | None
    advertised: TokenLimit | None
    output: TokenLimit | None


def stated_limits(entry: Entry) -> StatedLimits:
    """Return the limits that an entry states, in tokens, each with the path of the field that says so.

    Of several that say what a request may hold the smallest counts: one item was seen with three, and it is the one
    that never fails (docs/servers.md, "Served and trained context").
    """
    numbers = _numbers_of(entry)
    running, prompt, context = (_meaning(numbers, meaning) for meaning in ("running", "prompt", "context"))
    served = _smallest([*running, *prompt, *([] if running else context)])
    trained = _meaning(numbers, "trained")
    larger = [limit for limit in context if served and limit.value > served.value]
    return StatedLimits(
        served,
        advertised=next(iter([*trained, *larger]), None),
        output=_smallest(_meaning(numbers, "output")) or _max_tokens(numbers),
    )


def at(entry: Entry, path: str) -> Any:
    """Return what stands at a dotted path of an entry, or `None`."""
    value: Any = entry
    for key in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


class _Number(NamedTuple):
    """A number of tokens, and the path of its field in snake case; `limit.origin` has it as the server spells it."""

    path: str
    limit: TokenLimit


def _numbers_of(entry: Entry) -> list[_Number]:
    numbers = list(_numbers(entry, "", "", 0))
    if started := _started_with(entry):
        numbers.append(_Number(started.origin, started))
    if "loaded_instances" in entry or entry.get("state") in ("loaded", "not-loaded"):
        # What the model was made for: it may be loaded with 4096 of 131072 (docs/servers.md, "LM Studio").
        made_for = {"max_context_length": "native_context_length"}
        numbers = [_Number(made_for.get(path, path), limit) for path, limit in numbers]
    return numbers


def _numbers(value: object, path: str, origin: str, depth: int) -> Iterator[_Number]:
    if isinstance(value, list) and depth < _MAX_DEPTH:
        # Of servers behind one name, or instances of one model, each may be the one that answers.
        for item in value:
            if isinstance(item, Mapping):
                yield from _numbers(item, path, origin, depth + 1)
    elif isinstance(value, Mapping) and depth < _MAX_DEPTH:
        for key, inner in value.items():
            if not isinstance(key, str) or not key.isprintable() or len(key) > MAX_FIELD_NAME:
                continue
            name = snake_case(key)
            if not _OTHER_NUMBERS.search(name):
                dot = "." if path else ""
                yield from _numbers(inner, f"{path}{dot}{name}", f"{origin}{dot}{key}", depth + 1)
    elif tokens := token_count(value):
        yield _Number(path, TokenLimit(tokens, origin))


def _meaning(numbers: Iterable[_Number], meaning: Meaning) -> list[TokenLimit]:
    """Return the limits that mean this, in the order of the table."""
    rows = [names for row, names in _ROWS if row == meaning]
    return [limit for names in rows for path, limit in numbers if names.search(path)]


def _smallest(limits: Iterable[TokenLimit]) -> TokenLimit | None:
    return reduce(smaller, limits, None)


def _max_tokens(numbers: list[_Number]) -> TokenLimit | None:
    """Return a `max_tokens` that stands beside a context or an input limit: there it is surely the output."""
    for path, limit in numbers:
        scope, _, name = path.rpartition(".")
        if name == "max_tokens":
            beside = [number for number in numbers if number.path.rpartition(".")[0] == scope]
            if _meaning(beside, "prompt") or _meaning(beside, "context"):
                return limit
    return None


def _started_with(entry: Entry) -> TokenLimit | None:
    """Return the context that llama.cpp's router starts a model with: what one of its slots gets.

    The arguments are those of `llama-server`; a preset has the same names, one a line (docs/servers.md, "llama.cpp").
    """
    preset = at(entry, "status.preset")
    lines = preset.splitlines() if isinstance(preset, str) else None
    for origin, given in (("status.args", at(entry, "status.args")), ("status.preset", lines)):
        arguments = [text for text in given if isinstance(text, str)] if isinstance(given, list) else []
        if tokens := _argument(arguments, "--ctx-size", "-c", "-ctx", "ctx-size", "c"):
            slots = _argument(arguments, "--parallel", "-np", "parallel", "np") or 1
            shared = not {"--kv-unified", "-kvu"}.isdisjoint(arguments)
            return TokenLimit(tokens if shared else max(1, tokens // slots), origin)
    return None


def _argument(arguments: Sequence[str], *names: str) -> int | None:
    """Return the number behind the last of a program's arguments that has one of the names."""
    found = None
    for position, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name.strip() in names:
            found = token_count(value if equals else next(iter(arguments[position + 1 :]), None))
    return found
