"""The configured servers as LiteLLM knows them: their names, and what is known of their models.

Each touch of LiteLLM's internals is one function. What knows servers is loaded with the first one: those who only use
StackSpot would wait for it at every import of litellm.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from aider_stackspot.config import CompatibleProvider, Settings, current
from aider_stackspot.hosts.litellm.names import NO_KEY, Route, Routes

if TYPE_CHECKING:
    from aider_stackspot.compatible.server import KnownModel


def given(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the `api_base` or `api_key` that was given to `get_llm_provider`."""
    position = ("api_base", "api_key").index(name)
    given = kwargs.get(name, args[position] if len(args) > position else None)
    return given if given is not None else getattr(kwargs.get("litellm_params"), name, None)


class _Servers:
    """The configured OpenAI-compatible servers as LiteLLM's dispatcher knows them."""

    def __init__(self) -> None:
        self._routes = Routes()
        self._taken: frozenset[str] = frozenset()
        self.told: set[str] = set()

    def learn(self, names: Iterable[str], taken: Iterable[str]) -> None:
        """Take over the configuration's names; `taken` are LiteLLM's own providers, as they were at first."""
        self._taken = self._taken or frozenset(taken)
        self._routes = Routes(names, self._taken)
        self.told.clear()

    def find(self, model: object, provider: str | None = None) -> Route | None:
        """Return what a name means, or `None` for everybody else's."""
        return self._routes.find(model, provider)

    @property
    def slugs(self) -> dict[str, str]:
        """The dispatcher's name of each server."""
        return self._routes.slugs


servers = _Servers()


def led_to_server(litellm: Any, route: Route, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return what `get_llm_provider` answers for a configured server: always a base URL, and always a key.

    Where either is missing LiteLLM fills in another vendor's.
    """
    provider = current().compatible.get(route.provider)
    base, key = given("api_base", args, kwargs), given("api_key", args, kwargs)
    if isinstance(key, str) and key.startswith("os.environ/"):
        key = litellm.get_secret(key)
    if provider is not None:
        from aider_stackspot.compatible import server
        from aider_stackspot.compatible.catalogue import catalogue

        _tell(litellm, provider, [route.model])
        base = base or server.base_of(provider, catalogue.known(provider))
        key = key or (provider.api_key.get_secret_value() if provider.api_key else None)
    # Without a server (its file was taken away) the call is refused before a request; nothing is ever sent there.
    return route.dispatched, route.slug, key or NO_KEY, base or "http://localhost:9/v1"


def register_servers(litellm: Any, settings: Settings) -> None:
    """Put the servers among the providers for which LiteLLM takes its OpenAI path, and pass its calls on to ours."""
    names = list(settings.compatible)
    if settings.problem is not None:
        # The names stay, those of the file are learned, and a call gets the problem's text.
        names = list(dict.fromkeys([*servers.slugs, *settings.refused]))
    servers.learn(names, (str(getattr(known, "value", known)) for known in litellm.provider_list))
    if not names:
        return
    from litellm import main

    from aider_stackspot.hosts.litellm import openai_path

    for slug in servers.slugs.values():
        for known in (litellm.provider_list, litellm.openai_compatible_providers):
            if slug not in known:
                known.append(slug)
    # A name with "llama-3" in it would make LiteLLM download a tokenizer from another host, at every count.
    litellm.disable_hf_tokenizer_download = True
    openai_path.take_over(main.openai_chat_completions, servers.find)
    _ask_for_limits(litellm)
    for provider in settings.compatible.values():
        tell(provider)


def _ask_for_limits(litellm: Any) -> None:
    """Wrap `litellm.get_model_info`: a program that asks for limits gets the server's word, if it comes in two seconds.

    LiteLLM itself asks in the course of calls, for prices: that is no reason to ask a server.
    """
    original = litellm.get_model_info
    if getattr(original, "_aider_stackspot", False):
        return

    @functools.wraps(original)
    def get_model_info(model: str, *args: Any, **kwargs: Any) -> Any:
        route = servers.find(model)
        provider = current().compatible.get(route.provider) if route is not None else None
        asker = str(sys._getframe(1).f_globals.get("__name__"))
        if provider is not None and route is not None and asker.partition(".")[0] != "litellm":
            ask([provider], route.model)
        return original(model, *args, **kwargs)

    # LiteLLM and its users empty the cache behind it.
    for name in ("cache_clear", "cache_info"):
        if hasattr(original, name):
            setattr(get_model_info, name, getattr(original, name))
    get_model_info._aider_stackspot = True  # type: ignore[attr-defined]
    litellm.get_model_info = get_model_info


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
    """Tell LiteLLM what is known by now of every model of a server, and of those that were only named."""
    import litellm

    from aider_stackspot.compatible import server
    from aider_stackspot.compatible.catalogue import catalogue

    known = catalogue.known(provider)
    prefix = f"{provider.name}/"
    named = [name.removeprefix(prefix) for name in servers.told if name.startswith(prefix)]
    servers.told.difference_update({f"{prefix}{name}" for name in named})
    listed = [model.name for model in server.models_of(provider, known) if model.chat]
    _tell(litellm, provider, list(dict.fromkeys([*listed, *named])))


def _tell(litellm: Any, provider: CompatibleProvider, names: list[str]) -> None:
    """Register models under the public name, and under the dispatcher's where that is another one."""
    from aider_stackspot.compatible.catalogue import catalogue

    slug = servers.slugs.get(provider.name, provider.name)
    known: dict[str, Any] = {}
    for name in names:
        route = Route(provider.name, slug, name)
        if route.public in servers.told:
            continue
        # Noted first: registering asks for the provider, which leads back to here.
        servers.told.add(route.public)
        info = server_model_info(catalogue.describe(provider, name), slug)
        known.update({route.public: info, f"{slug}/{route.dispatched.removeprefix(f'{slug}/')}": info})
    if known:
        litellm.register_model(known)


def server_model_info(model: KnownModel, slug: str) -> dict[str, Any]:
    """Return what LiteLLM and aider know a server's model by. What nobody said is left out, not made up."""
    said = {
        "max_input_tokens": model.context.value if model.context else None,
        "supports_vision": model.capabilities.vision,
        "supports_function_calling": model.capabilities.tools,
        "supports_reasoning": model.capabilities.reasoning,
        "input_cost_per_token": model.price.input_per_token if model.price else None,
        "output_cost_per_token": model.price.output_per_token if model.price else None,
    }
    return {
        "litellm_provider": slug,
        "mode": "chat",
        "max_tokens": model.output.value,
        "max_output_tokens": model.output.value,
        **{name: value for name, value in said.items() if value is not None},
    }
