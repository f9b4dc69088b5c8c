"""Which model of the configuration a name of LiteLLM's means: the one registry of this package's names.

`provider/model` is the public name; StackSpot's models have a bare one besides. LiteLLM splits names and passes the
halves around, so both have to survive its dispatcher:

* A provider that is called like one of LiteLLM's own has another name there, because LiteLLM's own client for that name
  would take the call.
* A model's id gets a guard in front where LiteLLM would take it for something else: 1.81 sends ids that are also
  OpenAI's to OpenAI although another provider is named, and an id that begins with its provider's name would lose that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from aider_stackspot.config import Model, Settings
from aider_stackspot.config.public_names import is_users_word, looks_like_stackspots
from aider_stackspot.config.schema import STACKSPOT
from aider_stackspot.config.settings import with_account

NO_KEY = "no-key"
"""Stands for "no key is known here" wherever LiteLLM would else look for another vendor's; it is never sent."""
GUARD = "m/"


@dataclass(frozen=True, slots=True)
class Route:
    """What a name means.

    Attributes:
        provider: the provider's name in the configuration.
        slug: its name in LiteLLM's dispatcher.
        model: the model's name behind it, where the name is an alias the one that it means; empty, where the name has
            none.
        is_stackspot: whether it is a StackSpot account, and no OpenAI-compatible server.
    """

    provider: str
    slug: str
    model: str
    is_stackspot: bool = False

    @property
    def public(self) -> str:
        """The name as a person writes it."""
        return f"{self.provider}/{self.model}"

    @property
    def dispatched(self) -> str:
        """The model as LiteLLM's dispatcher may see it; `Names.find` reads it back without loss."""
        if self.is_stackspot:
            return self.model if self.model.startswith("stackspot") else GUARD + self.model
        ambiguous = self.model.startswith((f"{self.provider}/", f"{self.slug}/", GUARD))
        return GUARD + self.model if ambiguous else self.model


class ProviderName(str):
    """A provider's name as LiteLLM's own code expects one in its list: a text, and an enumeration's member."""

    @property
    def value(self) -> str:
        """The name."""
        return str(self)


class Names:
    """The configuration's names, for look-ups that cost next to nothing: LiteLLM makes several in every call."""

    def __init__(self) -> None:
        self._vendors: frozenset[str] = frozenset()
        self._known_models: frozenset[str] = frozenset()
        self._bare: dict[str, str] = {}
        self._aliases: dict[str, Mapping[str, str]] = {}
        self._stackspot: frozenset[str] = frozenset()
        self._slugs: dict[str, str] = {}
        self._by_dispatched: dict[str, str] = {}
        self._prefixes: list[tuple[str, str]] = []

    def learn(self, settings: Settings, vendors: Iterable[str], known_models: Collection[str]) -> None:
        """Take over the configuration's names.

        Where it cannot be used, the servers' names of before stay, and those of the broken file are learned: their
        calls are refused, and go to nobody else.

        Args:
            settings: the configuration.
            vendors: the names of LiteLLM's own providers, as they were before this package added any.
            known_models: the names of models that LiteLLM has; a project's file cannot take one over.
        """
        self._vendors = self._vendors or frozenset(vendors)
        self._known_models = self._known_models or frozenset(known_models)
        servers = [*settings.compatible, *(name for name in settings.ignored if name not in self._vendors)]
        if settings.problem is not None:
            servers = [*self.servers, *settings.refused]
        accounts = settings.accounts
        self._stackspot = frozenset(accounts)
        self._slugs = {name: self._slug(name) for name in (*accounts, *servers)}
        self._aliases = {name: account.aliases for name, account in accounts.items()}
        self._aliases |= {name: server.aliases for name, server in settings.compatible.items()}
        self._by_dispatched = {slug: name for name, slug in self._slugs.items()}
        # A vendor's name is not a project's to take.
        public = [name for name in servers if name not in self._stackspot]
        public += [name for name, account in accounts.items() if account.users_own or name not in self._vendors]
        spelled = {**self._by_dispatched, **{name: name for name in public}}
        # The longest first: nothing keeps a provider's name from holding a slash.
        self._prefixes = sorted(((f"{spelling}/", name) for spelling, name in spelled.items()), reverse=True)
        self._bare = {name: model.account.name for name, model in settings.models.items() if self._is_bare(name, model)}

    @property
    def accounts(self) -> dict[str, str]:
        """The dispatcher's name of each StackSpot account."""
        return {name: slug for name, slug in self._slugs.items() if name in self._stackspot}

    @property
    def servers(self) -> dict[str, str]:
        """The dispatcher's name of each OpenAI-compatible server."""
        return {name: slug for name, slug in self._slugs.items() if name not in self._stackspot}

    def is_litellms(self, name: str) -> bool:
        """Tell whether a name is that of a vendor or a model of LiteLLM's, or begins with a vendor's."""
        return name in self._known_models or name.partition("/")[0] in self._vendors

    def find(self, model: object, provider: str | None = None) -> Route | None:
        """Return what a name means, or `None` for everybody else's.

        Every name that begins with a provider's name and a slash, or is that name, is the provider's, also where
        there is no such model: it must not end up with another vendor. So is a bare one that looks like StackSpot's.

        Args:
            model: a public name, or what stands behind the provider.
            provider: LiteLLM's `custom_llm_provider`, if the caller knows it.
        """
        if not isinstance(model, str):
            return None
        if provider is not None:
            return self._behind(model, provider)
        if model in self._bare:
            return self._route(self._bare[model], model)
        for prefix, name in self._prefixes:
            if model.startswith(prefix) or (model == prefix[:-1] and model not in self._known_models):
                return self._route(name, self._unguarded(name, model[len(prefix) :]))
        is_misspelled = looks_like_stackspots(model) and model not in self._known_models
        return self._route(STACKSPOT, model) if is_misspelled else None

    def find_server(self, model: object, provider: str | None = None) -> Route | None:
        """Return what a name means if it is an OpenAI-compatible server's."""
        route = self.find(model, provider)
        return None if route is None or route.is_stackspot else route

    def route_of(self, model: Model) -> Route:
        """Return the route of a configured StackSpot model."""
        return self._route(model.account.name, model.name)

    def _behind(self, model: str, provider: str) -> Route | None:
        name = self._by_dispatched.get(provider)
        if name is None:
            return None
        if model.startswith(GUARD):
            return self._route(name, model[len(GUARD) :])
        for prefix in (f"{name}/", f"{provider}/"):
            if model.startswith(prefix):
                return self._route(name, self._unguarded(name, model[len(prefix) :]))
        return self._route(name, model)

    def _unguarded(self, name: str, model: str) -> str:
        """Return a model's name without the guard that stands behind a dispatcher's name in LiteLLM's own records."""
        return model.removeprefix(GUARD) if name in self._stackspot else model

    def _route(self, name: str, model: str) -> Route:
        model = self._aliases.get(name, {}).get(model, model)
        return Route(name, self._slugs[name], model, name in self._stackspot)

    def _slug(self, name: str) -> str:
        return f"aider-stackspot-{name}" if name in self._vendors else name

    def _is_bare(self, name: str, model: Model) -> bool:
        """Tell whether a name without a provider means a model, or is a model's alias.

        LiteLLM's list of names can be a project's (`LITELLM_MODEL_COST_MAP_URL` in its `.env`): the three names of this
        package are nobody else's. What begins with a vendor's name is the vendor's, though LiteLLM know no such model.
        """
        if name == with_account(name, model):
            return False
        return is_users_word(name, model) or not self.is_litellms(name)


names = Names()
