"""Which StackSpot model each public name means: the bare ones and those with the account in front, aliases too."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from aider_stackspot.config.aliases import agent_of
from aider_stackspot.config.schema import STACKSPOT
from aider_stackspot.config.settings import DEFAULT_MODELS, Account, Model, agent_model


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
