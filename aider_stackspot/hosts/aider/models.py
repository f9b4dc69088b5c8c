"""Tells aider the limits and settings of the configured models, before it asks the internet for them.

Runs when `aider.models` has been imported. Each touch of aider's internals is one function.
"""

from __future__ import annotations

import functools
import threading
from types import ModuleType
from typing import Any

from aider_stackspot.config import AUTOLOAD, CompatibleProvider, Model, current, switch
from aider_stackspot.config.system_keyring import tell_with
from aider_stackspot.hosts.aider import answers, project_settings
from aider_stackspot.hosts.aider.answers import load_litellm
from aider_stackspot.hosts.model_info import info_of_model, info_of_servers_model
from aider_stackspot.hosts.names import names
from aider_stackspot.hosts.patches import wrap_once
from aider_stackspot.pipeline import notices
from aider_stackspot.pipeline.warm_up import warm_up


def on_import(models: ModuleType) -> None:
    """Make aider know this package's models; called by `autoload`."""
    if not switch(AUTOLOAD):
        return
    notices.listen(answers.notices)
    tell_with(notices.warn)
    answers.keep_logs_off_the_screen()
    _watch_metadata(models)
    know_configured(models)
    _know_aliases(models)
    _know_any_agent(models)
    project_settings.guard(models)
    answers.tell_of_models(models)
    _warm_up(models)


def know_configured(models: Any) -> None:
    """Make the configured models known to aider; also when the user has just trusted a file with more servers."""
    for name, model in current().models.items():
        _know_limits(models, name, model)
        _know_settings(models, name, model)
    for provider in current().compatible.values():
        for name, keys in provider.models.items():
            if keys.chosen_edit_format or keys.weak_model:
                _know_server_settings(models, f"{provider.name}/{name}", keys.chosen_edit_format, keys.weak_model)
    _keep_code_at_home(models)


def _know_limits(models: Any, name: str, model: Model) -> None:
    """Fill aider's local metadata; for a name that is not in it, aider downloads a list first.

    LiteLLM is not loaded yet, so its name of the account is not known; aider asks for none.
    """
    models.model_info_manager.local_model_metadata.setdefault(name, info_of_model(model, model.account.name))


def _know_settings(models: Any, name: str, model: Model) -> None:
    """Add aider's model settings; the user's own `.aider.model.settings.yml` replaces them later.

    The model serves as its own weak and editor model, so that no code goes to another vendor.
    """
    if any(known.name == name for known in models.MODEL_SETTINGS):
        return
    models.MODEL_SETTINGS.append(
        models.ModelSettings(
            name=name,
            edit_format=model.edit_format,
            weak_model_name=model.weak_model or name,
            use_repo_map=True,
        )
    )


def _know_aliases(models: Any) -> None:
    """Tell aider the user's aliases, as its own: it takes limits and settings of the model that one means.

    Its own aliases take no name from the user's configuration. A project's aliases take none from aider's: they are
    left to LiteLLM's dispatch, where a vendor's name stays the vendor's.
    """
    settings = current()
    for name, model in settings.models.items():
        if model.account.users_own:
            models.MODEL_ALIASES.pop(name, None)
            if name not in (model.name, model.route):
                is_bare = settings.models.get(model.name) == model
                models.MODEL_ALIASES[name] = model.name if is_bare else model.route
    for provider in settings.compatible.values():
        for alias, name in provider.aliases.items():
            models.MODEL_ALIASES[f"{provider.name}/{alias}"] = f"{provider.name}/{name}"


def _know_any_agent(models: Any) -> None:
    """Wrap the search for a model's settings: an agent has some as soon as its name is used."""

    def around(original: Any) -> Any:
        @functools.wraps(original)
        def configure_model_settings(chosen: Any, name: str) -> Any:
            model = current().find(name)
            if model is not None:
                _know_settings(models, name, model)
            return original(chosen, name)

        return configure_model_settings

    wrap_once(models.Model, "configure_model_settings", around)


def _know_server_settings(models: Any, name: str, edit_format: str | None, weak_model: str | None) -> None:
    """Add settings for a server's model: what aider would choose by the name, with the configured keys over it."""
    if any(known.name == name for known in models.MODEL_SETTINGS):
        return
    chosen = models.Model.__new__(models.Model)
    chosen.name = name
    chosen._copy_fields(models.ModelSettings(name=name, accepts_settings=[]))
    chosen.apply_generic_model_settings(name.lower())
    settings = models.ModelSettings(
        **{field: getattr(chosen, field) for field in models.ModelSettings.__dataclass_fields__}
    )
    if edit_format:
        settings.edit_format = edit_format
        settings.use_repo_map = settings.use_repo_map or edit_format == "diff"
    settings.weak_model_name = weak_model
    models.MODEL_SETTINGS.append(settings)


def _keep_code_at_home(models: Any) -> None:
    """Take out the weak and editor models of another vendor, where a server is called like one of aider's providers."""
    for settings in models.MODEL_SETTINGS:
        provider = _server_of(settings.name)
        if provider is None:
            continue
        keys = provider.models.get(settings.name.removeprefix(f"{provider.name}/"))
        configured = keys.weak_model if keys else None
        if _server_of(settings.weak_model_name) is None and settings.weak_model_name != configured:
            settings.weak_model_name = None
        if _server_of(settings.editor_model_name) is None:
            settings.editor_model_name = None


def _warm_up(models: Any) -> None:
    """Wrap the check that aider makes of every model it has chosen: from then on it is going to be called."""

    def around(original: Any) -> Any:
        @functools.wraps(original)
        def validate_environment(model: Any) -> Any:
            if warm_up(model.name):
                # No daemon: Python would stop one within native code at its end, which can abort aider.
                threading.Thread(target=_load_tokenizer, args=(model.name,), name="warm-up").start()
            return original(model)

        return validate_environment

    wrap_once(models.Model, "validate_environment", around)


def _load_tokenizer(name: str) -> None:
    load_litellm()
    from aider_stackspot.hosts.litellm.reply import load_tokenizer  # loads LiteLLM, and aider starts without it

    load_tokenizer(name)


def _server_of(name: object) -> CompatibleProvider | None:
    """Return the server that a name belongs to; LiteLLM need not be there yet."""
    providers = current().compatible.values()
    return next((known for known in providers if isinstance(name, str) and name.startswith(f"{known.name}/")), None)


def _watch_metadata(models: Any) -> None:
    """Let aider's local metadata answer for the servers' models when it is asked, and not before."""
    manager = models.model_info_manager
    if not isinstance(manager.local_model_metadata, _Metadata):
        manager.local_model_metadata = _Metadata(manager.local_model_metadata)


class _Metadata(dict[str, Any]):
    """aider's own dictionary of models, and behind it the servers', which are asked at most once in a start."""

    def get(self, name: str, default: Any = None) -> Any:
        """Return what is known of a model; for a server's model, and for any agent, that is always something."""
        if name in self:
            return super().get(name)
        return _agent_info(name) or _server_info(name) or _info_of_none(name) or default

    def items(self) -> Any:
        """Return everything there is to list, the servers' models too (`aider --list-models`)."""
        return {**_listed(), **self}.items()

    def update(self, *args: Any, **more: Any) -> None:
        """Take the user's own `.aider.model.metadata.json`; LiteLLM is told as well, because aider asks it first."""
        given: dict[str, Any] = dict(*args, **more)
        super().update(given)
        _tell_litellm(given)


def _agent_info(name: str) -> dict[str, Any] | None:
    model = current().find(name)
    return info_of_model(model, model.account.name) if model is not None else None


def _info_of_none(name: str) -> dict[str, Any] | None:
    """Return something for a name that cannot be called: aider need not download a list to look for it."""
    return {"litellm_provider": "aider-stackspot"} if answers.problem_of(name) is not None else None


def _server_info(name: str) -> dict[str, Any] | None:
    if _server_of(name) is None:
        return None
    load_litellm()
    from aider_stackspot.compatible.catalogue import catalogue  # what knows servers is loaded with the first one
    from aider_stackspot.hosts.litellm import servers

    route = names.find_server(name)
    provider = current().compatible.get(route.provider) if route is not None else None
    if route is None or provider is None:
        return None
    servers.ask([provider], route.model)
    return info_of_servers_model(catalogue.describe(provider, route.model), route.slug)


def _listed() -> dict[str, Any]:
    providers = list(current().compatible.values())
    if not providers:
        return {}
    load_litellm()
    from aider_stackspot.compatible.catalogue import catalogue
    from aider_stackspot.compatible.server import models_of
    from aider_stackspot.hosts.litellm import servers

    servers.ask(provider for provider in providers if not provider.models)
    return {
        name: info_of_servers_model(model, provider.name)
        for provider in providers
        for model in models_of(provider, catalogue.known(provider))
        for name in model.names
        if model.chat
    }


def _tell_litellm(given: dict[str, Any]) -> None:
    own = {name: info for name, info in given.items() if _server_of(name) is not None}
    if own:
        load_litellm()
        from aider_stackspot.hosts.litellm import servers

        servers.take_users_figures(own)
