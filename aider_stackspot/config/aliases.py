"""Other names for models, as a file gives them: each means one model of its own provider, and nothing else's name."""

from __future__ import annotations

from collections.abc import Mapping

from aider_stackspot.config.display import shortened
from aider_stackspot.config.schema import (
    NO_MODEL_NAME,
    PROVIDER_NAME,
    STACKSPOT,
    ProviderKeys,
    is_model_name,
    is_stackspot,
)
from aider_stackspot.config.settings import AGENT_ID, AGENT_PREFIX, DEFAULT_MODELS
from aider_stackspot.config.yaml_file import Document

IS_A_PROVIDER = "this is a provider's name; give the alias another one."


def check(document: Document, providers: Mapping[str, ProviderKeys]) -> None:
    """Refuse aliases that mean nothing, or that are the name of something else.

    Args:
        document: the file, for the line.
        providers: what it declares.

    Raises:
        ConfigurationError: names the file, the line and the alias.
    """
    accounts = {name: _models_of(keys) for name, keys in providers.items() if is_stackspot(name, keys)}
    of_stackspot = {*DEFAULT_MODELS, *(model for models in accounts.values() for model in models)}
    for name, keys in providers.items():
        # An alias of an account stands alone as well, beside the models of every account.
        taken = of_stackspot if name in accounts else {*(keys.models or {})}
        for alias, model in keys.aliases.items():
            problem = _problem_of_name(alias, taken, providers) or _problem_of_meaning(model, keys, accounts.get(name))
            if problem is not None:
                raise document.error(("providers", name, "aliases", alias), problem)


def _models_of(keys: ProviderKeys) -> tuple[str, ...]:
    """Return the names of the models of a StackSpot account."""
    return tuple(dict.fromkeys([*DEFAULT_MODELS, *(keys.models or {})]))


def _problem_of_name(alias: str, taken: set[str], providers: Mapping[str, ProviderKeys]) -> str | None:
    if alias in providers or alias == STACKSPOT:
        return IS_A_PROVIDER
    if alias in taken:
        return "this is a model's name; give the alias another one."
    return None if PROVIDER_NAME.fullmatch(alias) else "an alias has letters, digits, `.`, `_` and `-` only."


def _problem_of_meaning(model: str, keys: ProviderKeys, models: tuple[str, ...] | None) -> str | None:
    """Return what is wrong with the model that an alias means.

    Args:
        model: the model.
        keys: its provider's.
        models: the models that there are; `None` where the server is asked for them.
    """
    shown = shortened(model)
    if model in keys.aliases:
        return f"`{shown}` is an alias itself; name the model that it means."
    if models is None:
        return None if is_model_name(model) else NO_MODEL_NAME
    if model in models or agent_of(model) is not None:
        return None
    known = ", ".join(models[:10]) + (" …" if len(models) > 10 else "")
    return f"this provider has no model `{shown}`; it has {known}, and any agent is agent/ID."


def agent_of(model: str) -> str | None:
    """Return the id in the name of an agent that needs no line in a file, such as `agent/01HZ`; else `None`."""
    identifier = model.removeprefix(AGENT_PREFIX[1:])
    return identifier if identifier != model and AGENT_ID.fullmatch(identifier) else None
