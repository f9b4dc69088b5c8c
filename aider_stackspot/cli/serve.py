"""``aider-stackspot serve``: an OpenAI- and Anthropic-compatible endpoint for the configured models."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from aider_stackspot.compatible.catalogue import catalogue
from aider_stackspot.compatible.server import KnownModel, models_of
from aider_stackspot.config import Settings, current, home
from aider_stackspot.errors import ConfigurationError, MissingCredentials
from aider_stackspot.gateway.access import chosen_key, gateway_key
from aider_stackspot.gateway.configuration import Configuration
from aider_stackspot.gateway.proxy_config import proxy_config, to_yaml
from aider_stackspot.gateway.server import listen, run
from aider_stackspot.gateway.tool_settings import KEY, TOOLS, base_url, connection, settings_of


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.", metavar="ADDRESS")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="TCP port.", min=1, max=65535, metavar="PORT")] = 4000,
    settings: Annotated[
        str, typer.Option(help=f"Print a tool's settings and exit: {', '.join(TOOLS)}.", metavar="TOOL")
    ] = "",
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Print a configuration for LiteLLM Proxy and exit.")
    ] = False,
) -> None:
    """Serve the configured models to Cline, Claude Code and other tools.

    Everything that speaks OpenAI's Chat Completions or Responses, or Anthropic's Messages, can use it. The first start
    makes the gateway's key. See docs/gateway.md for several machines, keys for each user, and budgets.

    Examples:
        aider-stackspot serve
        aider-stackspot serve --port 4100
        aider-stackspot serve --settings claude
        aider-stackspot serve --print-config > litellm.yaml
    """
    configured = current()
    if configured.problem is not None:
        raise ConfigurationError(configured.problem)
    if print_config:
        typer.echo(to_yaml(proxy_config(configured, _known_models(configured))), nl=False)
        return
    url = base_url(host, port)
    if settings:
        typer.echo(settings_of(settings, connection(url, KEY, Configuration())), nl=False)
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
    catalogue.fresh(settings.compatible.values())
    return {name: models_of(server, catalogue.known(server)) for name, server in settings.compatible.items()}


def _warn_of_what_is_missing(settings: Settings) -> None:
    lines = list(settings.notices)
    for account in settings.accounts.values():
        try:
            account.credentials()
        except MissingCredentials as error:
            if not settings.compatible:
                lines.append(str(error))
    for line in lines:
        print(f"aider-stackspot: {line}", file=sys.stderr)
