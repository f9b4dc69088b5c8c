"""`aider-stackspot models`: every usable model, what it takes, and where each figure came from.

As JSON for programs, and as tables for people: one for each provider, in words as long as there is room.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import typer

from aider_stackspot.cli import drawing
from aider_stackspot.cli.tables import fits, print_table
from aider_stackspot.cli.terminal import ASKING_SERVERS, output, say, waiting
from aider_stackspot.compatible.catalogue import catalogue
from aider_stackspot.compatible.model import TokenLimit
from aider_stackspot.compatible.server import KnownModel, base_of, models_of, profile_of
from aider_stackspot.config import CompatibleProvider, Model, Settings, current
from aider_stackspot.config.display import told_together
from aider_stackspot.config.schema import STACKSPOT
from aider_stackspot.config.settings import CONFIGURED_ORIGIN, DEFAULT_ORIGIN, MAX_OUTPUT_TOKENS
from aider_stackspot.errors import ConfigurationError

_NUMBERS = ("Context", "Output")
_Entry = dict[str, Any]
"""A model as programs read of it."""
_GUESS = "~"


def list_models(provider: str | None, *, show_all: bool, as_json: bool) -> None:
    """Print the models of one provider, or of all.

    Args:
        provider: its name in the configuration.
        show_all: also what is not for chat.
        as_json: print JSON.
    """
    settings = current()
    if settings.problem is not None:
        raise ConfigurationError(settings.problem)
    show_notices(settings)
    known = [*settings.accounts, *settings.compatible]
    if provider is not None and provider not in known:
        raise ConfigurationError(f"There is no provider `{provider}`; configured are {', '.join(known)}.")
    servers = [one for one in settings.compatible.values() if provider in (None, one.name)]
    with waiting(ASKING_SERVERS):
        catalogue.fresh(servers)
    of_stackspot = [one for one in _stackspot_entries(settings) if provider in (None, one["provider"])]
    if as_json:
        typer.echo(json.dumps(_document(of_stackspot, servers, show_all), indent=2))
    else:
        _print_all(of_stackspot, servers, show_all=show_all)


def show_notices(settings: Settings) -> None:
    """Say on stderr what of the files is ignored: a server in it would else just be missing from a list."""
    for notice in told_together(settings.notices):
        say(f"aider-stackspot: {notice}")


def _stackspot_entries(settings: Settings) -> list[_Entry]:
    """Return each model once, those of an account together.

    The configuration knows a model by its bare name, with its provider, and by its aliases.
    """
    models = {model.route: model for model in settings.models.values()}.values()
    accounts, aliases = [*settings.accounts], settings.aliases()
    return [
        _stackspot_entry(model, aliases.get(model.route, []), is_bare=settings.models.get(model.name) == model)
        for model in sorted(models, key=lambda model: accounts.index(model.account.name))
    ]


def _document(of_stackspot: list[_Entry], servers: list[CompatibleProvider], show_all: bool) -> dict[str, Any]:
    shown = [*of_stackspot]
    for server in servers:
        shown += [server_entry(model) for model in described_models(server) if model.chat or show_all]
    return {"models": shown, "providers": [server_state(server) for server in servers]}


def _stackspot_entry(model: Model, aliases: list[str], *, is_bare: bool) -> _Entry:
    """Return one of StackSpot's models for programs."""
    output_origin = DEFAULT_ORIGIN if model.max_output_tokens == MAX_OUTPUT_TOKENS else CONFIGURED_ORIGIN
    return {
        "name": model.name if is_bare and model.account.name == STACKSPOT else model.route,
        "provider": model.account.name,
        "type": "stackspot",
        "id": model.agent_id or model.quick_command or model.name,
        "aliases": aliases,
        "api": model.api,
        "agent_id": model.agent_id,
        "quick_command": model.quick_command,
        "context": {"tokens": model.max_input_tokens, "origin": model.input_origin, "estimated": False},
        "output": {"tokens": model.max_output_tokens, "origin": output_origin, "estimated": False},
        "capabilities": {"tools": model.tools, "vision": model.vision, "reasoning": None},
        "price": _stackspot_price(model),
        "chat": True,
    }


def _stackspot_price(model: Model) -> dict[str, Any] | None:
    """Return what the file says; StackSpot itself tells no prices."""
    prices = (model.input_cost_per_token, model.output_cost_per_token)
    if prices == (None, None):
        return None
    return {"input_per_token": prices[0] or 0.0, "output_per_token": prices[1] or 0.0, "origin": "configured"}


def server_entry(model: KnownModel) -> dict[str, Any]:
    """Return one model of a server for programs."""
    price = model.price
    return {
        "name": model.public,
        "provider": model.provider,
        "type": "openai-compatible",
        "id": model.id,
        "title": model.title,
        "aliases": model.names[1:],
        "context": _limit_entry(model.context),
        "output": _limit_entry(model.output),
        "capabilities": {
            "tools": model.capabilities.tools,
            "vision": model.capabilities.vision,
            "reasoning": model.capabilities.reasoning,
        },
        "guessed": sorted(model.guessed),
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


def _limit_entry(figure: TokenLimit | None) -> dict[str, Any] | None:
    if figure is None:
        return None
    return {"tokens": figure.value, "origin": figure.origin, "estimated": figure.estimated}


def server_state(server: CompatibleProvider) -> dict[str, Any]:
    """Return what is known of one server for programs."""
    known = catalogue.known(server)
    error = catalogue.errors.get(server.name)
    described = described_models(server)
    return {
        "name": server.name,
        "api_base": base_of(server, known),
        "profile": profile_of(server, known).name,
        "models": len(described),
        "hidden": sum(not model.chat for model in described),
        "fetched_at": known.fetched_at if known is not None and known.answered else None,
        "error": str(error) if error is not None else None,
    }


def described_models(server: CompatibleProvider) -> list[KnownModel]:
    """Return every model that is known of a server."""
    return models_of(server, catalogue.known(server))


def _print_all(of_stackspot: list[_Entry], servers: list[CompatibleProvider], *, show_all: bool) -> None:
    """Print a table for each account and each server."""
    console = output()
    accounts = [list(models) for _, models in groupby(of_stackspot, key=lambda model: model["provider"])]
    for number, models in enumerate(accounts):
        console.print(*([""] if number else []), _heading(models[0]["provider"], len(models)), sep="\n")
        _print_table(console, ("Model", "Aliases", "Served by", *_NUMBERS, "From"), list(map(_stackspot_row, models)))
    for number, server in enumerate(servers, start=len(accounts)):
        if number:
            console.print()
        print_server(console, server, show_all=show_all)


def print_server(console: drawing.Console, server: CompatibleProvider, *, show_all: bool = False) -> None:
    """Print one server's models, how many were left out, and why there are none."""
    state = server_state(server)
    shown = [model for model in described_models(server) if model.chat or show_all]
    if state["models"] or not state["error"]:
        hidden = f", {state['hidden']} hidden as not for chat (--all shows them)" if state["hidden"] else ""
        left_out = "" if show_all else hidden
        console.print(
            _heading(server.name, state["models"]) + drawing.escape(f"{left_out}, {state['api_base']}"), soft_wrap=True
        )
    if state["error"]:
        kept = " The list is from before." if state["fetched_at"] else ""
        said = f"[yellow]{drawing.escape(server.name)}: {drawing.escape(state['error'])}{kept}[/yellow]"
        console.print(said, soft_wrap=not console.is_terminal)
    if shown:
        columns = ("Model", "Aliases", *_NUMBERS, "From", "Can", "Price")
        _print_table(console, columns, [_server_row(model) for model in shown])


def _heading(name: str, count: int) -> str:
    return f"[bold]{drawing.escape(name)}[/bold]: {count} model{'' if count == 1 else 's'}"


def _print_table(console: drawing.Console, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print what is in any row; where it is too wide, an origin's first word has to do, and no guess of abilities."""
    short = [[_SHORT.get(column, str)(cell) for column, cell in zip(columns, row, strict=True)] for row in rows]
    shown = rows if fits(console, *_used(columns, rows)) else short
    print_table(console, *_used(columns, shown), numbers=_NUMBERS)


def _used(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """Return only the columns that are not empty."""
    used = [number for number in range(len(columns)) if any(row[number] for row in rows)]
    return [columns[number] for number in used], [[row[number] for number in used] for row in rows]


def _first_words(origins: str) -> str:
    return ", ".join(dict.fromkeys(origin.partition(":")[0] for origin in origins.split(", ")))


def _without_guesses(abilities: str) -> str:
    return ", ".join(ability for ability in abilities.split(", ") if not ability.startswith(_GUESS))


_SHORT = {"From": _first_words, "Can": _without_guesses}


def _stackspot_row(entry: _Entry) -> list[str]:
    served = {"agent": f"agent {entry['agent_id']}", "quick-command": f"quick command {entry['quick_command']}"}
    return [entry["name"], ", ".join(entry["aliases"]), served.get(entry["api"], "chat"), *_limits(entry)]


def _server_row(model: KnownModel) -> list[str]:
    entry = server_entry(model)
    title = "" if model.title is None else f"  ({model.title})"
    able = [name for name, able in entry["capabilities"].items() if able]
    can = ", ".join(f"{_GUESS if name in model.guessed else ''}{name}" for name in able)
    can = can if model.chat else f"not for chat ({model.why})"
    return [model.public + title, ", ".join(entry["aliases"]), *_limits(entry), can, _price(model)]


def _limits(entry: dict[str, Any]) -> list[str]:
    """Return context, output, and where both came from; a `~` stands before a guess."""
    figures = [entry["context"], entry["output"]]
    tokens = [f"{'~' if each['estimated'] else ''}{each['tokens']:,}" if each else "unknown" for each in figures]
    origins = dict.fromkeys(each["origin"] for each in figures if each)
    return [*tokens, ", ".join(origins)]


def _price(model: KnownModel) -> str:
    if model.price is None:
        return ""
    return f"${model.price.input_per_token * 1e6:g} in, ${model.price.output_per_token * 1e6:g} out per million"
