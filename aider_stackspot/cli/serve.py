"""``aider-stackspot serve``: an OpenAI- and Anthropic-compatible endpoint for the configured models."""

from __future__ import annotations

import typer

from aider_stackspot.cli.terminal import ASKING_SERVERS, say, waiting
from aider_stackspot.compatible.catalogue import catalogue
from aider_stackspot.compatible.server import KnownModel, models_of
from aider_stackspot.config import Settings, current, home
from aider_stackspot.config.display import told_together
from aider_stackspot.errors import ConfigurationError, MissingCredentials
from aider_stackspot.gateway.access import chosen_key, gateway_key
from aider_stackspot.gateway.configuration import Configuration
from aider_stackspot.gateway.connection import base_url, connection
from aider_stackspot.gateway.proxy_config import proxy_config, to_yaml
from aider_stackspot.gateway.server import listen, run
from aider_stackspot.gateway.tool_settings import KEY, settings_of


def run_gateway(host: str, port: int, *, settings: str, print_config: bool) -> None:
    """Run the gateway until it is stopped, or print what others need for it.

    Args:
        host: the address to listen on.
        port: the TCP port.
        settings: the tool whose settings are printed instead.
        print_config: print the configuration for LiteLLM Proxy instead.
    """
    configured = current()
    if configured.problem is not None:
        raise ConfigurationError(configured.problem)
    if print_config:
        typer.echo(to_yaml(proxy_config(configured, _known_models(configured))), nl=False)
        return
    url = base_url(host, port)
    if settings:
        with waiting(ASKING_SERVERS):
            told = connection(url, KEY, Configuration())
        typer.echo(settings_of(settings, told), nl=False)
        return
    with listen(host, port) as listener:
        key = gateway_key(chosen_key(), home(), host)
        _warn_of_what_is_missing(configured)
        more = ("" if host == "127.0.0.1" else f" --host {host}") + ("" if port == 4000 else f" --port {port}")
        run(
            listener,
            key.text,
            lambda: print(
                f"Ready: {url}\nKey: in {key.source}\nSettings: aider-stackspot serve --settings TOOL{more}", flush=True
            ),
        )


def _known_models(settings: Settings) -> dict[str, list[KnownModel]]:
    """Ask the OpenAI-compatible servers for their models, for two seconds at most."""
    with waiting(ASKING_SERVERS):
        catalogue.fresh(settings.compatible.values())
    return {name: models_of(server, catalogue.known(server)) for name, server in settings.compatible.items()}


def _warn_of_what_is_missing(settings: Settings) -> None:
    lines = told_together(settings.notices)
    for account in settings.accounts.values():
        try:
            account.credentials()
        except MissingCredentials as error:
            if not settings.compatible:
                lines.append(str(error))
    for line in lines:
        say(f"aider-stackspot: {line}")
