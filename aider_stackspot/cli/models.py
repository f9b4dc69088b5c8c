"""`aider-stackspot models`: every usable model, what it takes, and where each figure came from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from aider_stackspot.compatible.model import TokenLimit
    from aider_stackspot.compatible.server import KnownModel
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
    show_notices(settings)
    known = [*settings.accounts, *settings.compatible]
    if provider is not None and provider not in known:
        raise ConfigurationError(f"There is no provider `{provider}`; configured are {', '.join(known)}.")
    servers = [one for one in settings.compatible.values() if provider in (None, one.name)]
    catalogue.fresh(servers)
    stackspots = [one for one in _stackspot_models(settings) if provider in (None, one.account.name)]
    if as_json:
        typer.echo(json.dumps(_document(stackspots, servers, show_all), indent=2))
    else:
        from aider_stackspot.cli.models_table import print_all

        print_all(stackspots, servers, show_all=show_all)


def show_notices(settings: Settings) -> None:
    """Say on stderr what of the files is ignored: a server in it would else just be missing from a list."""
    for notice in settings.notices:
        typer.echo(f"aider-stackspot: {notice}", err=True)


def _stackspot_models(settings: Settings) -> list[Model]:
    """Return each model once: the configuration knows it by its bare name and with its provider."""
    return list({model.route: model for model in settings.models.values()}.values())


def _document(stackspots: list[Model], servers: list[CompatibleProvider], show_all: bool) -> dict[str, Any]:
    shown = [of_stackspot(model) for model in stackspots]
    for server in servers:
        shown += [of_server(model) for model in described_models(server) if model.chat or show_all]
    return {"models": shown, "providers": [state_of(server) for server in servers]}


def of_stackspot(model: Model) -> dict[str, Any]:
    """Return one of StackSpot's models for programs."""
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


def of_server(model: KnownModel) -> dict[str, Any]:
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


def _figure(figure: TokenLimit | None) -> dict[str, Any] | None:
    if figure is None:
        return None
    return {"tokens": figure.value, "origin": figure.origin, "estimated": figure.estimated}


def state_of(server: CompatibleProvider) -> dict[str, Any]:
    """Return what is known of one server for programs."""
    from aider_stackspot.compatible.catalogue import catalogue
    from aider_stackspot.compatible.server import base_of, profile_of

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
    from aider_stackspot.compatible.catalogue import catalogue
    from aider_stackspot.compatible.server import models_of

    return models_of(server, catalogue.known(server))
