"""`aider-stackspot models`: every usable model, what it takes, and where each figure came from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from aider_stackspot.compatible.figure import Figure
    from aider_stackspot.compatible.server import Described
    from aider_stackspot.config import CompatibleProvider, Model, Settings


def models(
    provider: Annotated[str | None, typer.Option(help="Only the models of this provider.")] = None,
    show_all: Annotated[bool, typer.Option("--all", help="Also what is not for chat: embeddings, images …")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """List every model for `aider --model`, with its limits.

    Beside each figure stands where it came from; a `~` means that it is a guess. The lists of other servers are
    remembered for an hour; `aider-stackspot providers refresh` asks them again.

    Examples:
        aider-stackspot models
        aider-stackspot models --provider lmstudio --all
        aider-stackspot models --json
    """
    from aider_stackspot.compatible.catalogue import catalogue
    from aider_stackspot.config import current
    from aider_stackspot.errors import ConfigurationError

    settings = current()
    if settings.problem is not None:
        raise ConfigurationError(settings.problem)
    known = [*settings.accounts, *settings.compatible]
    if provider is not None and provider not in known:
        raise ConfigurationError(f"There is no provider `{provider}`; configured are {', '.join(known)}.")
    servers = [one for one in settings.compatible.values() if provider in (None, one.name)]
    catalogue.fresh(servers)
    stackspots = [one for one in _stackspot_models(settings) if provider in (None, one.account.name)]
    if as_json:
        typer.echo(json.dumps(_document(stackspots, servers, show_all), indent=2))
    else:
        _print(stackspots, servers, show_all)


def _stackspot_models(settings: Settings) -> list[Model]:
    """Return each model once: the configuration knows it by its bare name and with its provider."""
    return list({model.route: model for model in settings.models.values()}.values())


def _document(stackspots: list[Model], servers: list[CompatibleProvider], show_all: bool) -> dict[str, Any]:
    shown = [_of_stackspot(model) for model in stackspots]
    for server in servers:
        shown += [of_server(model) for model in _described(server) if model.chat or show_all]
    return {"models": shown, "providers": [state_of(server) for server in servers]}


def _of_stackspot(model: Model) -> dict[str, Any]:
    from aider_stackspot.config.settings import MAX_INPUT_TOKENS, MAX_OUTPUT_TOKENS

    def limit(tokens: int, default: int) -> dict[str, Any]:
        return {"tokens": tokens, "origin": "default" if tokens == default else "configured", "estimated": False}

    return {
        "name": model.name if model.account.name == "stackspot" else model.route,
        "provider": model.account.name,
        "type": "stackspot",
        "id": model.agent_id or model.quick_command or model.name,
        "api": model.api,
        "agent_id": model.agent_id,
        "context": limit(model.max_input_tokens, MAX_INPUT_TOKENS),
        "output": limit(model.max_output_tokens, MAX_OUTPUT_TOKENS),
        "capabilities": {"tools": model.tools, "vision": False, "reasoning": None},
        "price": None,
        "chat": True,
    }


def of_server(model: Described) -> dict[str, Any]:
    """Return one model of a server for programs."""
    price = model.price
    return {
        "name": model.public,
        "provider": model.provider,
        "type": "openai-compatible",
        "id": model.id,
        "title": model.title,
        "context": _figure(model.context),
        "output": _figure(model.output),
        "capabilities": {
            "tools": model.capabilities.tools,
            "vision": model.capabilities.vision,
            "reasoning": model.capabilities.reasoning,
        },
        "price": price
        and {
            "input_per_token": price.input_per_token,
            "output_per_token": price.output_per_token,
            "origin": price.origin,
        },
        "chat": model.chat,
        "why": model.why,
        "configured": model.configured,
        "listed": model.listed,
        "loaded": model.loaded,
    }


def _figure(figure: Figure | None) -> dict[str, Any] | None:
    if figure is None:
        return None
    return {"tokens": figure.value, "origin": figure.origin, "estimated": figure.estimated}


def state_of(server: CompatibleProvider) -> dict[str, Any]:
    """Return what is known of one server for programs."""
    from aider_stackspot.compatible.catalogue import catalogue
    from aider_stackspot.compatible.server import base_of, profile_of

    known = catalogue.known(server)
    error = catalogue.errors.get(server.name)
    described = _described(server)
    return {
        "name": server.name,
        "api_base": base_of(server, known),
        "profile": profile_of(server, known).name,
        "models": len(described),
        "hidden": sum(not model.chat for model in described),
        "fetched_at": known.fetched_at if known is not None and known.answered else None,
        "error": str(error) if error is not None else None,
    }


def _described(server: CompatibleProvider) -> list[Described]:
    from aider_stackspot.compatible.catalogue import catalogue
    from aider_stackspot.compatible.server import models_of

    return models_of(server, catalogue.known(server))


def _print(stackspots: list[Model], servers: list[CompatibleProvider], show_all: bool) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    if stackspots:
        _print_stackspot(console, stackspots)
    for server in servers:
        print_server(console, server, show_all=show_all)


def _print_stackspot(console: Console, stackspots: list[Model]) -> None:
    table = new_table("Model", "Served by", "Context", "Output")
    for model in stackspots:
        entry = _of_stackspot(model)
        served = {"agent": f"agent {model.agent_id}", "quick-command": f"quick command {model.quick_command}"}
        table.add_row(
            entry["name"], served.get(model.api, "chat"), figure_text(entry["context"]), figure_text(entry["output"])
        )
    console.print(table)


def print_server(console: Console, server: CompatibleProvider, *, show_all: bool = False) -> None:
    """Print one server's models, how many were left out, and why there are none."""
    from rich.markup import escape

    state, described = state_of(server), _described(server)
    shown = [model for model in described if model.chat or show_all]
    if shown:
        table = new_table("Model", "Context", "Output", "Can", "Price per million")
        for model in shown:
            entry = of_server(model)
            can = ", ".join(name for name, able in entry["capabilities"].items() if able)
            table.add_row(
                escape(model.public + ("" if model.title is None else f"  ({model.title})")),
                figure_text(entry["context"]),
                figure_text(entry["output"]),
                can if model.chat else f"not for chat ({escape(model.why)})",
                _price(model),
            )
        console.print(table)
    hidden = state["hidden"]
    left_out = f", {hidden} hidden as not for chat (--all shows them)" if hidden and not show_all else ""
    line = f"{server.name}: {state['models']} model{'' if state['models'] == 1 else 's'}{left_out}, {state['api_base']}"
    console.print(escape(line))
    if state["error"]:
        kept = " The list is from before." if state["fetched_at"] else ""
        console.print(escape(f"{server.name}: {state['error']}{kept}"), style="yellow")


def new_table(*columns: str) -> Any:
    """Return an empty table in this command's style."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def figure_text(figure: dict[str, Any] | None) -> str:
    """Return a limit and its origin for people; a `~` stands before a guess."""
    from rich.markup import escape

    if figure is None:
        return "unknown"
    return escape(f"{'~' if figure['estimated'] else ''}{figure['tokens']:,} ({figure['origin']})")


def _price(model: Described) -> str:
    if model.price is None:
        return ""
    return f"${model.price.input_per_token * 1e6:g} in, ${model.price.output_per_token * 1e6:g} out"
