"""What LiteLLM knows of StackSpot's models: limits, prices and abilities, under every name that it may ask for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import litellm

from aider_stackspot.config import Model, Settings, current
from aider_stackspot.config.settings import AGENT_PREFIX
from aider_stackspot.hosts.model_info import info_of_model
from aider_stackspot.hosts.names import Route, names

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
