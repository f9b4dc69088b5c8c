"""``aider-stackspot serve``: an OpenAI- and Anthropic-compatible endpoint for the configured models."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from aider_stackspot.compatible.catalogue import catalogue
from aider_stackspot.compatible.server import KnownModel, models_of
from aider_stackspot.config import Model, Settings, current, home
from aider_stackspot.config.inputs import RecordedInputs
from aider_stackspot.errors import ConfigurationError, MissingCredentials
from aider_stackspot.gateway.key import MasterKey, master_key
from aider_stackspot.gateway.launch import has_database, install_command, listen, missing_packages, run_proxy
from aider_stackspot.gateway.proxy_config import MASTER_KEY_VARIABLE, proxy_config, to_yaml, without_database
from aider_stackspot.gateway.tool_settings import base_url, settings_for_tools
from aider_stackspot.pipeline.stackspot import DEFAULT_MODEL


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.", metavar="ADDRESS")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="TCP port.", min=1, max=65535, metavar="PORT")] = 4000,
    workers: Annotated[int, typer.Option(help="Processes that serve it.", min=1, metavar="N")] = 1,
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Print LiteLLM Proxy's configuration and exit.")
    ] = False,
    print_settings: Annotated[
        bool, typer.Option("--print-settings", help="Print the settings to paste, without the key, and exit.")
    ] = False,
) -> None:
    """Serve the configured models to Cline, Claude Code and other tools.

    Everything that speaks OpenAI's or Anthropic's protocol can use it. It runs LiteLLM Proxy, which the extra `gateway`
    installs. The first start makes the gateway's key and shows it, with settings to paste. See docs/gateway.md for
    several machines, keys for each user, and budgets.

    Examples:
        aider-stackspot serve
        aider-stackspot serve --port 4100 --workers 2
        aider-stackspot serve --print-settings
        aider-stackspot serve --print-config > litellm.yaml
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
        typer.echo(settings_for_tools(url, "THE-GATEWAYS-KEY", _model_for_examples(settings)), nl=False)
        return
    if missing_packages():
        raise ConfigurationError(f"The gateway is not installed here. Run:\n  {install_command()}")
    if not has_database():
        config = without_database(config)
    with listen(host, port) as listener:
        key = _master_key(host)
        _warn_of_what_is_missing(settings)
        print(_introduction(settings, url, key), flush=True)
        print("Starting LiteLLM Proxy; that takes some seconds. Ctrl-C stops it.", flush=True)
        run_proxy(config, key.text, listener, workers, lambda: print(f"Ready: {url}", flush=True))


def _master_key(host: str) -> MasterKey:
    chosen = RecordedInputs().variable(MASTER_KEY_VARIABLE) or ""
    return master_key(chosen.strip(), home(), host)


def _known_models(settings: Settings) -> dict[str, list[KnownModel]]:
    """Ask the OpenAI-compatible servers for their models, for two seconds at most."""
    catalogue.fresh(settings.compatible.values())
    return {name: models_of(server, catalogue.known(server)) for name, server in settings.compatible.items()}


def _warn_of_what_is_missing(settings: Settings) -> None:
    lines = [*settings.notices, *(f"{name}: {error}" for name, error in catalogue.errors.items())]
    for account in settings.accounts.values():
        try:
            account.credentials()
        except MissingCredentials as error:
            lines.append(str(error))
    for line in lines:
        print(f"aider-stackspot: {line}", file=sys.stderr)


def _model_for_examples(settings: Settings) -> Model | None:
    return settings.models.get(DEFAULT_MODEL) or next(iter(settings.models.values()), None)


def _introduction(settings: Settings, url: str, key: MasterKey) -> str:
    """Word what a person needs now: the key only when it is new."""
    if not key.is_new:
        again = f"aider-stackspot serve --port {url.rpartition(':')[2]} --print-settings"
        return f"The gateway's key is in {key.source}.\nSettings for your tools: {again}"
    return (
        f"A key for the gateway was made. It is shown this once, and kept in\n{key.source}:\n\n  {key.text}\n\n"
        f"Settings for your tools:\n\n{settings_for_tools(url, key.text, _model_for_examples(settings))}"
    )
