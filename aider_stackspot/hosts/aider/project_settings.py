"""Keeps what a project tells aider from leading elsewhere what is meant for this package's models.

aider follows a project's `.aider.model.settings.yml`, `.aider.conf.yml` and `.env`: it puts `extra_params` over every
call, the model's name included, and takes weak and editor models and aliases from there. Of the models of this package
that is followed where it is the user's word; else there is a line. Each touch of aider's internals is one function.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aider_stackspot.config import current
from aider_stackspot.config.display import ignored_line, printable, shortened, told_together, trust_command
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.public_names import looks_like_stackspots
from aider_stackspot.config.schema import STACKSPOT
from aider_stackspot.config.settings import Settings
from aider_stackspot.config.trust import aider_options, call_arguments
from aider_stackspot.hosts.patches import wrap_once
from aider_stackspot.hosts.terminal import say_once

_EVERY_MODEL = "aider/extra_params"
"""The name under which aider's settings have parameters for every model."""
_CAME_WITH = "_aider_stackspot_came_with"
"""The attribute of aider's settings of a model with the project's file that they came with."""


def guard(models: Any) -> None:
    """Put the guard where aider reads settings of models and where it uses them."""
    _watch_files(models)
    _watch_parameters(models)
    _watch_choice(models, "get_weak_model", "weak-model")
    _watch_choice(models, "get_editor_model", "editor-model")
    if not isinstance(models.MODEL_ALIASES, _Aliases):
        models.MODEL_ALIASES = _Aliases(models.MODEL_ALIASES)


def provider_of(name: object, settings: Settings | None = None) -> str | None:
    """Return the provider of the configuration that a model's name surely leads to, also before LiteLLM is there.

    A project's own account does not take a name from anybody: it may be called like one of LiteLLM's vendors.
    """
    settings = settings or current()
    if not isinstance(name, str):
        return None
    sure = [known for known, account in settings.accounts.items() if account.users_own or known == STACKSPOT]
    providers = (*sure, *settings.compatible, *settings.refused)
    found = next((provider for provider in providers if name.startswith(f"{provider}/")), None)
    model = settings.models.get(name)
    if found is None and model is None and looks_like_stackspots(name):
        return STACKSPOT
    return found or (model.account.name if model is not None and model.account.name in sure else None)


def sure_name(name: str, provider: str) -> str | None:
    """Return a name by which a model is the provider's and nobody else's; `None` where it is not that provider's."""
    if provider_of(name) != provider:
        return None
    return name if name.startswith(f"{provider}/") else f"{provider}/{name}"


def _watch_files(models: Any) -> None:
    """Note of all settings which project's file they came with, and say what else aider follows."""

    def around(original: Any) -> Any:
        @functools.wraps(original)
        def register_models(paths: Sequence[str]) -> list[str]:
            _say_what_aider_follows()
            loaded: list[str] = []
            for path in paths:
                before = list(models.MODEL_SETTINGS)
                try:
                    loaded += original([path])
                finally:  # of a file with an error in it, aider goes on with what came before
                    _note_origin(models, before, Path(path))
            return loaded

        return register_models

    wrap_once(models, "register_models", around)


def _note_origin(models: Any, before: list[Any], path: Path) -> None:
    known = {id(settings) for settings in before}
    new = [settings for settings in models.MODEL_SETTINGS if id(settings) not in known]
    if new and not call_arguments.is_users(path, Environment()):
        for settings in new:
            setattr(settings, _CAME_WITH, path)


def _watch_parameters(models: Any) -> None:
    """Let aider use of a project's settings only what leads nothing elsewhere, for the models of this package."""

    def around(original: Any) -> Any:
        @functools.wraps(original)
        def configure_model_settings(model: Any, name: str) -> Any:
            if _is_ours(name):
                known = models.MODEL_SETTINGS
                known[:] = [_limited(one, name) if one.name == name else one for one in known]
                if model.extra_model_settings is not None:
                    model.extra_model_settings = _limited(model.extra_model_settings, name)
            return original(model, name)

        return configure_model_settings

    wrap_once(models.Model, "configure_model_settings", around)


def _limited(settings: Any, name: str) -> Any:
    """Return settings of a model without what a project may not say."""
    path = getattr(settings, _CAME_WITH, None)
    if path is None:
        return settings
    changed: dict[str, Any] = {"extra_params": call_arguments.harmless(settings.extra_params) or None}
    ignored = [
        ignored_line(path, str(path), f"`{key}` of `{settings.name}`", f"can lead calls of {name} elsewhere")
        for key in call_arguments.leading(settings.extra_params)
    ]
    for key in ("weak_model_name", "editor_model_name") if settings.name != _EVERY_MODEL else ():
        other = getattr(settings, key)
        changed[key] = sure_name(other, provider) if other and (provider := provider_of(name)) else None
        if other and changed[key] is None:
            ignored.append(
                ignored_line(path, str(path), f"`{key}`", f"lets aider send code of {name} to another model")
            )
    for line in told_together(ignored):
        _say(line)
    return dataclasses.replace(settings, **changed)


def _watch_choice(models: Any, method: str, option: str) -> None:
    """Let a project's word for a weak or editor model count only for models of the same provider."""

    def around(original: Any) -> Any:
        @functools.wraps(original)
        def get_model(model: Any, chosen: str | None, *args: Any) -> Any:
            # In the chat it is the user who chooses; `main` has it from arguments, variables and files.
            asker = sys._getframe(2).f_globals.get("__name__")
            if chosen and asker == "aider.main" and _is_ours(model.name):
                chosen = _permitted(model.name, chosen, option)
            return original(model, chosen, *args)

        return get_model

    wrap_once(models.Model, method, around)


def _permitted(name: str, chosen: str, option: str) -> str | None:
    environment = Environment()
    if chosen in environment.asked_for(option):
        return chosen
    provider = provider_of(name)
    sure = sure_name(chosen, provider) if provider is not None else None
    if sure is None:
        _say_ignored(environment, option, chosen, f"lets aider send code of {name} to another model")
    return sure


class _Aliases(dict[str, str]):
    """aider's other names for models. A name of this package means its model, unless the user says otherwise."""

    def __setitem__(self, alias: str, model: str) -> None:
        if _is_ours(alias):
            environment = Environment()
            asked = [text.partition(":") for text in environment.asked_for(aider_options.ALIAS_OPTION)]
            if (alias, model) not in [(name.strip(), target.strip()) for name, _, target in asked]:
                _say_ignored(
                    environment, aider_options.ALIAS_OPTION, model, f"lets aider take {alias} for another model"
                )
                return
        super().__setitem__(alias, model)


def _is_ours(name: str) -> bool:
    return provider_of(name) is not None or name in current().models


def _say_ignored(environment: Environment, option: str, value: str, can: str) -> None:
    """Say that one of aider's options is not followed, and which file of the project it came from."""
    for path, leads in environment.leads_of_projects():
        if any(aider_options.option_of(name) == option for name in leads):
            _say(ignored_line(path, str(path), f"`{option}` ({shortened(value)})", can))
            return
    _say(f"`{option}` ({shortened(value)}), which {can}, was ignored, because it is not your choice.")


def _say_what_aider_follows() -> None:
    """Say what only aider could refuse: where a project's files lead the calls for other vendors' models."""
    for path, leads in Environment().leads_of_projects():
        names = [printable(name) for name, values in leads.items() if _follows(name, values)]
        if names:
            _say(
                f"{path} came with the project, and aider follows it: {', '.join(names)}. It can lead elsewhere what "
                f"you send to models of other vendors. If you trust it, run: {trust_command(path)}"
            )


def _follows(name: str, values: Sequence[str]) -> bool:
    """Tell whether aider follows an option or a variable to where this package has no say."""
    option = aider_options.option_of(name)
    if option == aider_options.ALIAS_OPTION:
        return not all(_is_ours(text.partition(":")[0].strip()) for text in values)
    if option in aider_options.MODEL_OPTIONS:
        return not all(map(_is_ours, values))
    return True


def _say(line: str) -> None:
    say_once(printable(line))
