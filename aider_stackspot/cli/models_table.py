"""Models as tables: one for each provider, with limits and where they came from, in words as long as there is room."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from aider_stackspot.cli.models import described_models, of_server, of_stackspot, state_of
from aider_stackspot.cli.terminal import IN_A_PIPE, output
from aider_stackspot.compatible.server import KnownModel
from aider_stackspot.config import CompatibleProvider, Model

Rows = Sequence[Sequence[str]]

_NUMBERS = ("Context", "Output")


def print_all(stackspots: list[Model], servers: list[CompatibleProvider], *, show_all: bool) -> None:
    """Print a table for each account and each server."""
    console = output()
    accounts = [list(models) for _, models in groupby(stackspots, key=lambda model: model.account.name)]
    for number, models in enumerate(accounts):
        console.print(*([""] if number else []), _heading(models[0].account.name, len(models)), sep="\n")
        _print_table(console, ("Model", "Served by", *_NUMBERS, "From"), [_stackspot_row(model) for model in models])
    for number, server in enumerate(servers, start=len(accounts)):
        if number:
            console.print()
        print_server(console, server, show_all=show_all)


def print_server(console: Console, server: CompatibleProvider, *, show_all: bool = False) -> None:
    """Print one server's models, how many were left out, and why there are none."""
    state = state_of(server)
    shown = [model for model in described_models(server) if model.chat or show_all]
    if state["models"] or not state["error"]:
        hidden = f", {state['hidden']} hidden as not for chat (--all shows them)" if state["hidden"] else ""
        left_out = "" if show_all else hidden
        console.print(
            _heading(server.name, state["models"]) + escape(f"{left_out}, {state['api_base']}"), soft_wrap=True
        )
    if state["error"]:
        kept = " The list is from before." if state["fetched_at"] else ""
        console.print(f"[yellow]{escape(server.name)}: {escape(state['error'])}{kept}[/yellow]", soft_wrap=True)
    if shown:
        _print_table(console, ("Model", *_NUMBERS, "From", "Can", "Price"), [_server_row(model) for model in shown])


def new_table(columns: Sequence[str]) -> Table:
    """Return an empty table in the style of these commands."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        number = column in _NUMBERS
        table.add_column(column, overflow="fold", justify="right" if number else "left", no_wrap=number)
    return table


def _heading(name: str, count: int) -> str:
    return f"[bold]{escape(name)}[/bold]: {count} model{'' if count == 1 else 's'}"


def _print_table(console: Console, columns: Sequence[str], rows: Rows) -> None:
    """Print what is in any row; where it is too wide, an origin's first word has to do."""
    used = [number for number in range(len(columns)) if any(row[number] for row in rows)]
    table = Table()
    for shorten in (False, True):
        table = new_table([columns[number] for number in used])
        for row in rows:
            cells = (_short(row[n]) if shorten and columns[n] == "From" else row[n] for n in used)
            table.add_row(*(escape(cell) for cell in cells))
        if console.measure(table, options=console.options.update(max_width=IN_A_PIPE)).maximum <= console.width:
            break
    console.print(table)


def _short(origins: str) -> str:
    return ", ".join(dict.fromkeys(origin.partition(":")[0] for origin in origins.split(", ")))


def _stackspot_row(model: Model) -> list[str]:
    entry = of_stackspot(model)
    served = {"agent": f"agent {model.agent_id}", "quick-command": f"quick command {model.quick_command}"}
    return [entry["name"], served.get(model.api, "chat"), *_limits(entry)]


def _server_row(model: KnownModel) -> list[str]:
    entry = of_server(model)
    title = "" if model.title is None else f"  ({model.title})"
    can = ", ".join(name for name, able in entry["capabilities"].items() if able)
    return [model.public + title, *_limits(entry), can if model.chat else f"not for chat ({model.why})", _price(model)]


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
