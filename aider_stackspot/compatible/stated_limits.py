"""The limits that a model list's entry states, at any depth: one table of the fields' names.

A field is known by the end of its path, in snake case or camel case: `contextLength` in `limits` is `context_length` in
`metadata`. What the servers send is in docs/servers.md, "Served and trained context".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, Literal, NamedTuple, TypeAlias

from aider_stackspot.api.answer import token_count
from aider_stackspot.compatible.model import TokenLimit, smaller, snake_case

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
