"""``aider-stackspot serve``: an OpenAI- and Anthropic-compatible endpoint for the configured models."""

from __future__ import annotations

from typing import Annotated

import typer


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
    from aider_stackspot.cli import serve_steps

    serve_steps.serve(host, port, workers, print_config, print_settings)
