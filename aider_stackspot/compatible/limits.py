"""How much a model takes and answers: configured beats served beats advertised beats guessed."""

from __future__ import annotations

from collections.abc import Iterator

from aider_stackspot.api.answer import token_count
from aider_stackspot.compatible.families import ModelFamily, family_of, size_in
from aider_stackspot.compatible.model import ListedModel, TokenLimit

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
