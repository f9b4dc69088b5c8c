"""Tells LiteLLM the names, limits and providers of the configuration.

Runs when litellm has been imported, or by hand through `register`. Each touch of LiteLLM's internals is one function.
"""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Collection, Iterable
from types import ModuleType
from typing import Any

from aider_stackspot.config import Model, Settings, current
from aider_stackspot.forks import Lock
from aider_stackspot.hosts.litellm.servers import given, led_to_server, register_servers, servers

log = logging.getLogger(__name__)

GUARD = "m/"
"""Stands before the model id that LiteLLM's dispatcher sees: an id that is also an OpenAI model's name would be sent to
OpenAI by LiteLLM 1.81 although another provider is named."""

_lock = Lock()


def guarded(name: str) -> str:
    """Return a model's id as LiteLLM's dispatcher may see it."""
    return name if name.startswith("stackspot") else GUARD + name


def on_import(_litellm: ModuleType) -> None:
    """Register when litellm has just been imported; called by `autoload`."""
    register()


def register() -> None:
    """Register every name of the configuration with LiteLLM. Calling it again picks up a changed configuration.

    Never raises for a bad configuration file: that is one warning line here, and the first call's error.
    """
    import litellm

    settings = current()
    with _lock:
        _names.learn(settings, {provider.value for provider in litellm.LlmProviders}, litellm.model_cost)
        _show_notices(settings)
        _register_providers(litellm, settings)
        _route_names(litellm)
        _answer_missing_variables(litellm)
        _register_limits(litellm, settings.models.values())
        register_servers(litellm, settings)


_shown: set[str] = set()


def _show_notices(settings: Settings) -> None:
    for line in ([settings.problem] if settings.problem else []) + list(settings.notices):
        if line not in _shown:
            _shown.add(line)
            print(f"aider-stackspot: {line}", file=sys.stderr)


def _register_providers(litellm: Any, settings: Settings) -> None:
    """Put a handler for each account into LiteLLM's map of custom providers."""
    from aider_stackspot.hosts.litellm.handler import StackSpotLLM

    registered = {item["provider"]: item["custom_handler"] for item in litellm.custom_provider_map}
    for account in settings.accounts:
        name = _names.dispatched(account)
        if not isinstance(registered.get(name), StackSpotLLM):
            _add_provider(litellm, account)
        for known in (litellm.provider_list, litellm._custom_providers):
            if name not in known:
                known.append(name)


def _add_provider(litellm: Any, account: str) -> None:
    from aider_stackspot.hosts.litellm.handler import StackSpotLLM

    handler = StackSpotLLM(account, public_name=lambda model: model.removeprefix(GUARD))
    litellm.custom_provider_map.append({"provider": _names.dispatched(account), "custom_handler": handler})


def _keep_provider(litellm: Any, account: str) -> None:
    """Put an account back where a program has assigned a map of its own, as LiteLLM's documentation tells it to do."""
    name = _names.dispatched(account)
    if all(item["provider"] != name for item in litellm.custom_provider_map):
        _add_provider(litellm, account)


def _route_names(litellm: Any) -> None:
    """Wrap `get_llm_provider` wherever LiteLLM's modules hold it, so that it knows this package's names.

    LiteLLM has no other place for a name without a provider in front.
    """
    from litellm.litellm_core_utils import get_llm_provider_logic as logic

    original = logic.get_llm_provider
    if getattr(original, "_aider_stackspot", False):
        return

    @functools.wraps(original)
    def get_llm_provider(model: str, custom_llm_provider: str | None = None, *args: Any, **kwargs: Any) -> Any:
        provider = custom_llm_provider or getattr(kwargs.get("litellm_params"), "custom_llm_provider", None)
        route = _names.route(model, provider)
        if route is not None:
            account, name = route
            _keep_provider(litellm, account)
            return guarded(name), _names.dispatched(account), None, given("api_base", args, kwargs)
        to_server = servers.find(model, provider)
        if to_server is not None:
            return led_to_server(litellm, to_server, args, kwargs)
        return original(model, custom_llm_provider, *args, **kwargs)

    get_llm_provider._aider_stackspot = True  # type: ignore[attr-defined]
    for name, module in list(sys.modules.items()):
        is_litellms = name == "litellm" or name.startswith("litellm.")
        if is_litellms and vars(module).get("get_llm_provider") is original:
            module.get_llm_provider = get_llm_provider  # type: ignore[attr-defined]


class _Names:
    """The registered names, for look-ups that cost next to nothing: LiteLLM makes several in every call."""

    def __init__(self) -> None:
        self.accounts: dict[str, str] = {}
        self.bare: dict[str, str] = {}
        self._vendors: frozenset[str] = frozenset()
        self._known: frozenset[str] = frozenset()

    def learn(self, settings: Settings, vendors: Iterable[str], known: Collection[str]) -> None:
        """Take over the configuration's names.

        Args:
            settings: the configuration.
            vendors: the names of LiteLLM's own providers.
            known: the names of models that LiteLLM has; a project's file cannot take one over.
        """
        self._vendors = frozenset(vendors)
        self._known = self._known or frozenset(known)
        self.accounts = {self.dispatched(name): name for name in settings.accounts}
        own = (name for name, account in settings.accounts.items() if account.users_own or name not in self._vendors)
        self.accounts |= {name: name for name in own}
        self.bare = {name: model.account.name for name, model in settings.models.items() if self._is_bare(name, model)}

    def _is_bare(self, name: str, model: Model) -> bool:
        return name == model.name and (model.account.users_own or name not in self._known)

    def dispatched(self, account: str) -> str:
        """Return an account's name as LiteLLM's dispatcher may see it: what is called like a vendor would go there."""
        return f"stackspot-{account}" if account in self._vendors else account

    def route(self, model: object, provider: str | None = None) -> tuple[str, str] | None:
        """Return the account and the public name that a name of LiteLLM's means, or `None` for everybody else's."""
        if not isinstance(model, str):
            return None
        if provider is None and model in self.bare:
            return self.bare[model], model
        named = provider or model.partition("/")[0]
        if named not in self.accounts or (provider is None and "/" not in model):
            return None
        return self.accounts[named], model.removeprefix(f"{named}/").removeprefix(GUARD)


_names = _Names()


def _answer_missing_variables(litellm: Any) -> None:
    """Wrap `validate_environment`, which else cannot name the variables that a custom provider lacks."""
    original = litellm.validate_environment
    if getattr(original, "_aider_stackspot", False):
        return

    @functools.wraps(original)
    def validate_environment(model: str | None = None, *args: Any, **kwargs: Any) -> Any:
        if servers.find(model) is not None:
            return {"keys_in_environment": True, "missing_keys": []}
        route = _names.route(model)
        account = current().accounts.get(route[0]) if route is not None else None
        if account is None:
            return original(model, *args, **kwargs)
        missing = [name for name, is_set in account.required().items() if not is_set]
        return {"keys_in_environment": not missing, "missing_keys": missing}

    validate_environment._aider_stackspot = True  # type: ignore[attr-defined]
    litellm.validate_environment = validate_environment


def _register_limits(litellm: Any, models: Iterable[Model]) -> None:
    """Tell LiteLLM the limits under every name: bare, with the provider, and as its dispatcher sees it."""
    known: dict[str, Any] = {}
    for model in models:
        for name in (model.name, model.route, f"{_names.dispatched(model.account.name)}/{guarded(model.name)}"):
            if _names.route(name) == (model.account.name, model.name):
                known.setdefault(name, model_info(model))
    litellm.register_model(known)


def model_info(model: Model) -> dict[str, Any]:
    """Return what LiteLLM and aider know a model by; limits in tokens."""
    return {
        "litellm_provider": _names.dispatched(model.account.name),
        "mode": "chat",
        "max_tokens": model.max_output_tokens,
        "max_input_tokens": model.max_input_tokens,
        "max_output_tokens": model.max_output_tokens,
        "supports_system_messages": True,
        "supports_vision": False,
        "supports_function_calling": model.tools,
    }
