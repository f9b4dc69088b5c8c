"""Which StackSpot model each public name means: the bare ones and those with the account in front, aliases too.

An alias is another name that a file gives: it means one model of its own provider, and nothing else's name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from aider_stackspot.config.display import shortened
from aider_stackspot.config.schema import (
    NO_MODEL_NAME,
    PROVIDER_NAME,
    STACKSPOT,
    ProviderKeys,
    is_model_name,
    is_stackspot,
)
from aider_stackspot.config.settings import AGENT_ID, AGENT_PREFIX, DEFAULT_MODELS, Account, Model, agent_model
from aider_stackspot.config.yaml_file import Document


def public_names(
    accounts: Mapping[str, Account], models: Sequence[Model], servers: Collection[str]
) -> dict[str, Model]:
    """Return every public name with its model, the bare names first.

    A name with a provider in front belongs to that provider, whatever another one calls its models. Of several models
    with the same bare name, the user's own come first, then models before aliases, then those of `stackspot`.

    Args:
        accounts: the StackSpot accounts.
        models: their models.
        servers: the names of all other providers.
    """
    aliased = list(_aliased(accounts, models))
    bare: dict[str, Model] = {}
    for name, model in sorted([*((model.name, model) for model in models), *aliased], key=_rank):
        if not _is_providers(name, model, accounts, servers):
            bare.setdefault(name, model)
    with_provider = {model.route: model for model in reversed(models)}
    return bare | with_provider | {f"{model.account.name}/{alias}": model for alias, model in aliased}


def _aliased(accounts: Mapping[str, Account], models: Sequence[Model]) -> Iterator[tuple[str, Model]]:
    """Yield each alias with its model, which may be an agent that has no line in a file."""
    by_route = {model.route: model for model in models}
    for account in accounts.values():
        for alias, name in account.aliases.items():
            model, agent_id = by_route.get(f"{account.name}/{name}"), agent_of(name)
            if model is not None:
                yield alias, model
            elif agent_id is not None:
                yield alias, agent_model(account, agent_id)


def _rank(named: tuple[str, Model]) -> tuple[bool, bool, bool]:
    name, model = named
    return not is_users_word(name, model), name != model.name, model.account.name != STACKSPOT


def is_users_word(name: str, model: Model) -> bool:
    """Tell whether it is the user's word, or this package's, that a name means a model."""
    return model.account.users_own or (model.account.name == STACKSPOT and name in DEFAULT_MODELS)


def looks_like_stackspots(name: str) -> bool:
    """Tell whether a bare name can only be meant for one of StackSpot's models, whether or not there is such a one."""
    return name.startswith(DEFAULT_MODELS[0]) and "/" not in name


def _is_providers(name: str, model: Model, accounts: Mapping[str, Account], servers: Collection[str]) -> bool:
    """Tell whether a bare name belongs to a provider: it begins with the provider's, or it is the provider's.

    What a project calls its account takes no name from the user's models.
    """
    provider, slash, _ = name.partition("/")
    if slash:
        return provider in accounts or provider in servers
    if provider == model.account.name or name in DEFAULT_MODELS:
        return False
    is_users = provider in servers or (provider in accounts and accounts[provider].users_own)
    return is_users or (provider in accounts and not is_users_word(name, model))


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
