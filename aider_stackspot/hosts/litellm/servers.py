"""The configured servers as LiteLLM knows them: its dispatch to them, and what is known of their models.

Each touch of LiteLLM's internals is one function. What knows servers is loaded with the first one: those who only use
StackSpot would wait for it at every import of litellm.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import litellm

from aider_stackspot.config import CompatibleProvider, Settings, current
from aider_stackspot.hosts.litellm import model_cost
from aider_stackspot.hosts.model_info import info_of_servers_model
from aider_stackspot.hosts.names import NO_KEY, ProviderName, Route, names
from aider_stackspot.hosts.patches import wrap_once

if TYPE_CHECKING:
    from aider_stackspot.compatible.server import KnownModel

_NOWHERE = "http://localhost:9/v1"
"""Stands where LiteLLM wants a base URL and there is none: nothing listens there, and nothing is sent there."""

told: set[str] = set()
"""The public names of the models that LiteLLM was told of."""
_registered: dict[str, CompatibleProvider] = {}
"""The servers by name."""
_listed: dict[str, dict[str, Route]] = {}
"""The servers whose every model stands in `litellm.model_cost`, with what was put there for that."""
_users_figures: dict[str, Mapping[str, Any]] = {}
"""What the user's own file of metadata says of servers' models, by their public names."""
_registering = threading.local()
"""Whether this thread is in LiteLLM's registration, which asks for each name's provider, and so leads back here."""


def dispatched(route: Route, base: Any, key: Any) -> Any:
    """Return what `get_llm_provider` answers for a configured server: always a base URL, and always a key.

    Where either is missing LiteLLM fills in another vendor's. The provider's own key is not among the answer: it is
    put on the request where that is made.

    Args:
        route: the model.
        base: the call's own base URL, if it has one.
        key: the call's own key, if it has one.
    """
    provider = current().compatible.get(route.provider)
    if isinstance(key, str) and key.startswith("os.environ/"):
        key = litellm.get_secret(key)
    if provider is not None:
        from aider_stackspot.compatible import server
        from aider_stackspot.compatible.catalogue import catalogue

        if route.model:
            _tell(provider, [route.model])
        base = base or server.base_of(provider, catalogue.known(provider))
    return route.dispatched, route.slug, key or NO_KEY, base or _NOWHERE


def register(settings: Settings) -> None:
    """Put the servers among the providers for which LiteLLM takes its OpenAI path, and pass its calls on to ours."""
    for name in [*_listed]:
        _unlist(name)
    _registered.clear()
    _registered.update(settings.compatible)
    if not names.servers:
        told.clear()
        return
    from aider_stackspot.hosts.litellm import openai_path

    for slug in names.servers.values():
        for known in (litellm.provider_list, litellm.openai_compatible_providers):
            if slug not in known:
                known.append(ProviderName(slug))
    # A name with "llama-3" in it would make LiteLLM download a tokenizer from another host, at every count.
    litellm.disable_hf_tokenizer_download = True
    openai_path.take_over(names.find_server)
    _ask_for_limits()
    model_cost.complete(_tell_listed, _list_all)
    for provider in settings.compatible.values():
        tell(provider)


def _ask_for_limits() -> None:
    """Wrap `litellm.get_model_info`: a program that asks for limits gets the server's word, if it comes in two seconds.

    LiteLLM itself asks in the course of calls, for prices: that is no reason to ask a server.
    """

    def around(original: Any) -> Any:
        @functools.wraps(original)
        def get_model_info(model: str, *args: Any, **kwargs: Any) -> Any:
            asker = str(sys._getframe(1).f_globals.get("__name__"))
            route = names.find_server(model) if asker.partition(".")[0] != "litellm" else None
            provider = current().compatible.get(route.provider) if route is not None else None
            if provider is not None and route is not None and route.model:
                ask([provider], route.model)
            return original(model, *args, **kwargs)

        # LiteLLM and its users empty the cache behind it.
        for name in ("cache_clear", "cache_info"):
            if hasattr(original, name):
                setattr(get_model_info, name, getattr(original, name))
        return get_model_info

    wrap_once(litellm, "get_model_info", around)


def ask(providers: Iterable[CompatibleProvider], name: str | None = None) -> None:
    """Ask the servers whose list is old or missing, and tell LiteLLM what they say.

    Args:
        providers: the servers.
        name: the only model that matters; nobody is asked about one whose context is configured.
    """
    from aider_stackspot.compatible.catalogue import catalogue

    wanted = []
    for provider in providers:
        keys = provider.models.get(name) if name is not None else None
        if keys is None or keys.max_input_tokens is None:
            wanted.append(provider)
    for provider in catalogue.fresh(wanted):
        tell(provider)


def tell(provider: CompatibleProvider) -> None:
    """Tell LiteLLM anew what is known by now of those of a server's models that it knows; of others when it asks."""
    _unlist(provider.name)
    prefix = f"{provider.name}/"
    named = [name.removeprefix(prefix) for name in told if name.startswith(prefix)]
    told.difference_update({f"{prefix}{name}" for name in named})
    _tell(provider, named)


def _tell_listed(name: str) -> None:
    """Tell LiteLLM of a model, by a name that it was not told of, if a server has that model for chats."""
    route = names.find_server(name)
    provider = _registered.get(route.provider) if route is not None else None
    if provider is None or route is None or route.public in told or provider.name in _listed:
        return
    from aider_stackspot.compatible import server
    from aider_stackspot.compatible.catalogue import catalogue

    if server.has_for_chats(provider, catalogue.known(provider), route.model):
        _tell(provider, [route.model])


def _list_all() -> None:
    """Put every model that a server has for chats into `litellm.model_cost`, without half a millisecond for each.

    What registering does besides, LiteLLM needs in calls, and a call's model is registered.
    """
    for provider in [one for one in _registered.values() if one.name not in _listed]:
        from aider_stackspot.compatible import server
        from aider_stackspot.compatible.catalogue import catalogue

        put = _listed[provider.name] = {}
        slug = names.servers.get(provider.name, provider.name)
        for model in server.models_of(provider, catalogue.known(provider)):
            route = Route(provider.name, slug, model.name)
            if not model.chat or route.public in told:
                continue
            info = info_of_servers_model(model, slug)
            for name in _names_of(model, route):
                if not dict.__contains__(litellm.model_cost, name):
                    litellm.model_cost[name] = {**info}
                    put[name] = route


def _unlist(server_name: str) -> None:
    """Take out again what `_list_all` put in for a server and nobody asked for."""
    for name, route in _listed.pop(server_name, {}).items():
        if route.public not in told:
            litellm.model_cost.pop(name, None)


def _names_of(model: KnownModel, route: Route) -> list[str]:
    """Return the public name, the aliases and the dispatcher's name, which can be the public one."""
    return [*model.names, f"{route.slug}/{route.dispatched}"]


def _tell(provider: CompatibleProvider, models: list[str]) -> None:
    """Register models under the public name and its aliases, and under the dispatcher's where that is another one."""
    if getattr(_registering, "now", False):
        return
    from aider_stackspot.compatible.catalogue import catalogue

    slug = names.servers.get(provider.name, provider.name)
    known: dict[str, Any] = {}
    for name in models:
        route = Route(provider.name, slug, name)
        if route.public in told:
            continue
        told.add(route.public)
        described = catalogue.describe(provider, name)
        figures = {**info_of_servers_model(described, slug), **_users_figures.get(route.public, {})}
        known.update({key: {**figures, "litellm_provider": slug} for key in _names_of(described, route)})
    if known:
        _registering.now = True
        try:
            litellm.register_model(known)
        finally:
            _registering.now = False


def take_users_figures(given: Mapping[str, Mapping[str, Any]]) -> None:
    """Let the user's own file of metadata have the last word on servers' models, also when a server is asked again.

    Args:
        given: what the file says, by public names or aliases.
    """
    for name, info in given.items():
        route = names.find_server(name)
        provider = _registered.get(route.provider) if route is not None else None
        if route is not None and provider is not None:
            _users_figures[route.public] = info
            told.discard(route.public)
            _tell(provider, [route.model])
