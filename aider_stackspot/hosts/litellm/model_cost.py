"""What LiteLLM knows of models, in its `litellm.model_cost`: limits, prices and abilities, under every name of theirs.

Models of servers are entered when somebody asks for them: a server can have thousands, and LiteLLM registers one in
half a millisecond, which everybody would wait for at each import.
"""

from __future__ import annotations

import sys
from _collections_abc import dict_items, dict_keys, dict_values  # what a dictionary's own methods are typed with
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import litellm

from aider_stackspot.config import Model, Settings, current
from aider_stackspot.config.settings import AGENT_PREFIX
from aider_stackspot.hosts.model_info import info_of_model
from aider_stackspot.hosts.names import Route, names


class ModelCost(dict[str, Any]):
    """LiteLLM's own entries, and those that two functions add to it: one for a name, one for all there are.

    LiteLLM walks over its dictionary in the course of calls, in search of a name that the caller has used already, so
    that alone adds nothing.
    """

    def __init__(self, known: dict[str, Any], enter: Callable[[str], None], enter_all: Callable[[], None]) -> None:
        super().__init__(known)
        self._enter = enter
        self._enter_all = enter_all

    def __missing__(self, name: str) -> Any:
        if name in self:
            return self[name]
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        if not super().__contains__(name) and isinstance(name, str):
            self._enter(name)
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return a model's entry."""
        try:
            return self[name]
        except KeyError:
            return default

    def __iter__(self) -> Iterator[str]:
        self._complete_for(_asker())
        return super().__iter__()

    def __len__(self) -> int:
        self._complete_for(_asker())
        return super().__len__()

    def keys(self) -> dict_keys[str, Any]:
        """Return all names."""
        self._complete_for(_asker())
        return super().keys()

    def values(self) -> dict_values[str, Any]:
        """Return all entries."""
        self._complete_for(_asker())
        return super().values()

    def items(self) -> dict_items[str, Any]:
        """Return all names with their entries."""
        self._complete_for(_asker())
        return super().items()

    def copy(self) -> dict[str, Any]:
        """Return all names with their entries, as a dictionary of the caller's own."""
        self._complete_for(_asker())
        return super().copy()

    def _complete_for(self, asker: str) -> None:
        if asker.partition(".")[0] != "litellm":
            self._enter_all()


def _asker() -> str:
    """Return the module that called the method which calls this."""
    return str(sys._getframe(2).f_globals.get("__name__"))


def complete(enter: Callable[[str], None], enter_all: Callable[[], None]) -> None:
    """Put the models of servers behind `litellm.model_cost`, unless they are there.

    Args:
        enter: enters the model that a name means, if it means one that is not there yet.
        enter_all: enters every model.
    """
    if not isinstance(litellm.model_cost, ModelCost):
        litellm.model_cost = ModelCost(litellm.model_cost, enter, enter_all)


_told: dict[str, Model] = {}
"""The agents without a name in a file that LiteLLM was told of, as they were then."""


def tell_all(settings: Settings) -> None:
    """Tell LiteLLM of every model by every name, aliases too."""
    _register(settings.models.items())


def tell(models: Iterable[Model]) -> None:
    """Tell LiteLLM of models: bare, with the provider in front, and as its dispatcher sees them."""
    _register((model.route, model) for model in models)


def _register(named: Iterable[tuple[str, Model]]) -> None:
    """Register models. Of a name that is a vendor's model as well, LiteLLM would keep what it knows of that one.

    The vendor's model keeps its figures where the vendor stands in front.
    """
    known: dict[str, dict[str, Any]] = {}
    for public, model in named:
        route = names.route_of(model)
        for name in (public, model.name, model.route, f"{route.slug}/{route.dispatched}"):
            if name not in known and _means(name, route):
                known[name] = info_of_model(model, route.slug)
    for name, info in known.items():
        vendor = litellm.model_cost.get(name, {}).get("litellm_provider")  # a program's own entry may have none
        if vendor and vendor != info["litellm_provider"]:
            litellm.model_cost.setdefault(f"{vendor}/{name}", litellm.model_cost.pop(name))
    litellm.register_model(known)


def tell_agent(route: Route) -> None:
    """Tell LiteLLM of any agent, when its name is first used, and again when more is known of it."""
    if not f"/{route.model}".startswith(AGENT_PREFIX):
        return
    model = current().find(route.public)
    if model is not None and _told.get(route.public) != model:
        # Noted first: registering asks for the provider, which leads back to here.
        _told[route.public] = model
        tell([model])


def _means(name: str, route: Route) -> bool:
    found = names.find(name)
    return found is not None and (found.provider, found.model) == (route.provider, route.model)
