"""The steps of `serve`: the configuration for LiteLLM Proxy, its key, what a person reads, and the start."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import typer

from aider_stackspot.compatible.catalogue import catalogue
from aider_stackspot.compatible.server import KnownModel, models_of
from aider_stackspot.config import Model, Settings, current
from aider_stackspot.errors import ConfigurationError, MissingCredentials
from aider_stackspot.gateway.key import MasterKey, master_key
from aider_stackspot.gateway.launch import install_command, listen, missing_packages, run_proxy
from aider_stackspot.gateway.proxy_config import proxy_config, to_yaml, without_database
from aider_stackspot.gateway.tool_settings import base_url, settings_for_tools
from aider_stackspot.pipeline.stackspot import DEFAULT_MODEL


def serve(
    host: str = "127.0.0.1",
    port: int = 4000,
    workers: int = 1,
    print_config: bool = False,
    print_settings: bool = False,
) -> None:
    """Do what the command of this name says.

    Raises:
        ConfigurationError: the configuration, the key or the environment does not allow it.
    """
    settings = current()
    if settings.problem is not None:
        raise ConfigurationError(settings.problem)
    config = proxy_config(settings, _known_models(settings))
    if print_config:
        typer.echo(to_yaml(config), nl=False)
        return
    url = base_url(host, port)
    if print_settings:
        typer.echo(settings_for_tools(url, "THE-GATEWAYS-KEY", _example(settings)), nl=False)
        return
    if missing_packages():
        raise ConfigurationError(f"The gateway is not installed here. Run:\n  {install_command()}")
    if not os.environ.get("DATABASE_URL"):
        config = without_database(config)
    with listen(host, port) as listener:
        key = master_key(Path.home(), os.environ, host)
        _warn(settings)
        print(_introduction(settings, url, key), flush=True)
        print("Starting LiteLLM Proxy; that takes some seconds. Ctrl-C stops it.", flush=True)
        run_proxy(config, key.text, listener, workers, lambda: print(f"Ready: {url}", flush=True))


def _known_models(settings: Settings) -> dict[str, list[KnownModel]]:
    """Ask the OpenAI-compatible servers for their models, for two seconds at most."""
    catalogue.fresh(settings.compatible.values())
    return {name: models_of(server, catalogue.known(server)) for name, server in settings.compatible.items()}


def _warn(settings: Settings) -> None:
    lines = [*settings.notices, *(f"{name}: {error}" for name, error in catalogue.errors.items())]
    for account in settings.accounts.values():
        try:
            account.credentials()
        except MissingCredentials as error:
            lines.append(str(error))
    for line in lines:
        print(f"aider-stackspot: {line}", file=sys.stderr)


def _example(settings: Settings) -> Model | None:
    return settings.models.get(DEFAULT_MODEL) or next(iter(settings.models.values()), None)


def _introduction(settings: Settings, url: str, key: MasterKey) -> str:
    """Word what a person needs now: the key only when it is new."""
    if not key.is_new:
        again = f"aider-stackspot serve --port {url.rpartition(':')[2]} --print-settings"
        return f"The gateway's key is in {key.source}.\nSettings for your tools: {again}"
    return (
        f"A key for the gateway was made. It is shown this once, and kept in\n{key.source}:\n\n  {key.text}\n\n"
        f"Settings for your tools:\n\n{settings_for_tools(url, key.text, _example(settings))}"
    )
