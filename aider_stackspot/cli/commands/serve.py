"""`aider-stackspot serve`."""

from __future__ import annotations

from typing import Annotated

import typer

from aider_stackspot.gateway.tool_settings import TOOLS


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

    Every program that uses OpenAI's Chat Completions or Responses, or Anthropic's Messages, can use it. The first start
    makes the gateway's key. For several machines, keys for each user, and budgets, read `aider-stackspot docs gateway`.

    Examples:
        aider-stackspot serve
        aider-stackspot serve --port 4100
        aider-stackspot serve --settings claude
        aider-stackspot serve --print-config > litellm.yaml
    """
    from aider_stackspot.cli.serve import run_gateway

    run_gateway(host, port, settings=settings, print_config=print_config)
