"""Tells LiteLLM the names, limits and providers of the configuration.

Runs when litellm has been imported, or by hand through `register`. Each touch of LiteLLM's internals is one function.
"""

from __future__ import annotations

import functools
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import litellm

from aider_stackspot.config import AUTOLOAD, Settings, current, switch
from aider_stackspot.config.display import told_together
from aider_stackspot.forks import Lock, in_child
from aider_stackspot.hosts.litellm import exceptions, model_cost, servers
from aider_stackspot.hosts.litellm.handler import StackSpotLLM
from aider_stackspot.hosts.names import ProviderName, names
from aider_stackspot.hosts.patches import wrap_once
from aider_stackspot.hosts.terminal import TerminalNotices, say_once
from aider_stackspot.pipeline import notices

_lock = Lock()


def on_import(_litellm: ModuleType) -> None:
    """Register when litellm has just been imported, unless a `.env` of the user's says no; called by `autoload`."""
    if switch(AUTOLOAD):
        register()


def register() -> None:
    """Register every name of the configuration with LiteLLM. Calling it again picks up a changed configuration.

    Never raises for a bad configuration file: that is one warning line here, and the first call's error.
    """
    settings = current()
    with _lock:
        names.learn(settings, {provider.value for provider in litellm.LlmProviders}, _known_models())
        _show_notices(settings)
        if not notices.has_listener():
            notices.listen(TerminalNotices())
        _forget_former_kinds()
        for account in names.accounts:
            _register_provider(account)
        _route_names()
        exceptions.refuse()
        _answer_missing_variables()
        model_cost.tell_all(settings)
        servers.register(settings)


def _known_models() -> set[str]:
    """Return the names that LiteLLM takes for a vendor's without the vendor in front; its price list lacks some."""
    return {*dict.keys(litellm.model_cost), *litellm.model_list_set}  # as it is: a walk would list servers' models


def _show_notices(settings: Settings) -> None:
    for line in ([settings.problem] if settings.problem else []) + told_together(settings.notices):
        say_once(line)


def _forget_former_kinds() -> None:
    """Take back what leads a name's calls to a server that it was, or to an account that it was, before."""
    of_accounts, of_servers = names.accounts.values(), names.servers.values()
    known = litellm.openai_compatible_providers
    known[:] = [name for name in known if name not in of_accounts]
    handlers = litellm.custom_provider_map
    handlers[:] = [
        item
        for item in handlers
        if item["provider"] not in of_servers or not isinstance(item["custom_handler"], StackSpotLLM)
    ]


def _register_provider(account: str) -> None:
    """Put a handler for an account into LiteLLM's map of custom providers."""
    slug = names.accounts[account]
    registered = {item["provider"]: item["custom_handler"] for item in litellm.custom_provider_map}
    if not isinstance(registered.get(slug), StackSpotLLM):
        _add_handler(account, slug)
    for known in (litellm.provider_list, litellm._custom_providers):
        if slug not in known:
            known.append(ProviderName(slug))


def _keep_provider(account: str) -> None:
    """Put an account back where a program has assigned a map of its own, as LiteLLM's documentation tells it to do.

    A program's own handler for the account stays in its place.
    """
    slug = names.accounts[account]
    if all(item["provider"] != slug for item in litellm.custom_provider_map):
        _add_handler(account, slug)


def _add_handler(account: str, slug: str) -> None:
    handler = StackSpotLLM(account, public_name=lambda model: _model_behind(model, slug))
    litellm.custom_provider_map.append({"provider": slug, "custom_handler": handler})


def _model_behind(model: str, slug: str) -> str:
    route = names.find(model, slug)
    return model if route is None else route.model


def _route_names() -> None:
    """Wrap `get_llm_provider` wherever LiteLLM's modules hold it, so that it knows this package's names.

    LiteLLM has no other place for a name without a provider in front.
    """
    from litellm.litellm_core_utils import get_llm_provider_logic as logic

    original = logic.get_llm_provider
    wrapper = wrap_once(logic, "get_llm_provider", _knowing_our_names)
    if wrapper is None:
        return
    for name, module in list(sys.modules.items()):
        is_litellms = name == "litellm" or name.startswith("litellm.")
        if is_litellms and vars(module).get("get_llm_provider") is original:
            vars(module)["get_llm_provider"] = wrapper


def _knowing_our_names(original: Any) -> Any:
    @functools.wraps(original)
    def get_llm_provider(model: str, custom_llm_provider: str | None = None, *args: Any, **kwargs: Any) -> Any:
        provider = custom_llm_provider or getattr(kwargs.get("litellm_params"), "custom_llm_provider", None)
        route = names.find(model, provider)
        if route is None:
            return original(model, custom_llm_provider, *args, **kwargs)
        base, key = _given("api_base", args, kwargs), _given("api_key", args, kwargs)
        if not route.is_stackspot:
            return servers.dispatched(route, base, key)
        _keep_provider(route.provider)
        model_cost.tell_agent(route)
        return route.dispatched, route.slug, None, base

    return get_llm_provider


def _given(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the `api_base` or `api_key` that was given to `get_llm_provider`."""
    position = ("api_base", "api_key").index(name)
    given = kwargs.get(name, args[position] if len(args) > position else None)
    return given if given is not None else getattr(kwargs.get("litellm_params"), name, None)


def _answer_missing_variables() -> None:
    """Wrap `validate_environment`, which else cannot name the variables that a custom provider lacks."""

    def around(original: Any) -> Any:
        @functools.wraps(original)
        def validate_environment(model: str | None = None, *args: Any, **kwargs: Any) -> Any:
            route = names.find(model)
            account = current().accounts.get(route.provider) if route is not None and route.is_stackspot else None
            if route is None or (route.is_stackspot and account is None):
                return original(model, *args, **kwargs)
            required = account.required() if account is not None else {}
            missing = [name for name, is_set in required.items() if not is_set]
            return {"keys_in_environment": not missing, "missing_keys": missing}

        return validate_environment

    wrap_once(litellm, "validate_environment", around)


@in_child
def _renew_litellms_threads() -> None:
    """Let LiteLLM's pool of threads begin anew in a forked child: its locks may be closed, its threads are gone.

    Others hold the same pool, so it stays; newer versions of LiteLLM have a class and locks of their own.
    """
    from litellm.litellm_core_utils.thread_pool_executor import executor

    ThreadPoolExecutor.__init__(executor, executor._max_workers)
    for name, value in list(vars(executor).items()):
        if isinstance(value, threading.Semaphore):
            setattr(executor, name, threading.Semaphore(value._value))
        elif isinstance(value, type(threading.Lock())):
            setattr(executor, name, threading.Lock())
