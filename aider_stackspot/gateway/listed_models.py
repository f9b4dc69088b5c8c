"""The list of models, as OpenAI's and as Anthropic's clients read it."""

from __future__ import annotations

from typing import Any

from aider_stackspot.compatible.server import KnownModel
from aider_stackspot.config import Model
from aider_stackspot.gateway.configuration import Configuration, StackSpotTarget, Target
from aider_stackspot.gateway.errors import Protocol

Entry = dict[str, Any]


def entries(configuration: Configuration) -> list[Entry]:
    """Return every model that can be called; servers may be asked for theirs, so not for an event loop."""
    found = [_of_stackspot(name, model) for name, model in configuration.stackspot_models().items()]
    return found + [_of_server(name, model) for model in configuration.servers_models() for name in model.names]


def entry_of(target: Target, protocol: Protocol) -> Entry:
    """Return what is known about one model, in a protocol's form."""
    if isinstance(target, StackSpotTarget):
        return _formed(_of_stackspot(target.name, target.model), protocol)
    return _formed(_of_server(target.name, target.known), protocol)


def listing(found: list[Entry], protocol: Protocol) -> Entry:
    """Return a list of models in a protocol's form."""
    data = [_formed(entry, protocol) for entry in found]
    if protocol is Protocol.OPENAI:
        return {"object": "list", "data": data}
    ids = [entry["id"] for entry in data] or [None]
    return {"data": data, "has_more": False, "first_id": ids[0], "last_id": ids[-1]}


def _of_stackspot(name: str, model: Model) -> Entry:
    return _entry(name, model.account.name, model.max_input_tokens, model.max_output_tokens)


def _of_server(name: str, model: KnownModel) -> Entry:
    context = model.context.value if model.context is not None else None
    return _entry(name, model.provider, context, model.output.value)


def _entry(name: str, owner: str, context: int | None, output: int) -> Entry:
    said = {"max_input_tokens": context, "max_output_tokens": output}
    return {"id": name, "owner": owner, **{key: value for key, value in said.items() if value is not None}}


def _formed(entry: Entry, protocol: Protocol) -> Entry:
    limits = {key: value for key, value in entry.items() if key.startswith("max_")}
    if protocol is Protocol.ANTHROPIC:
        fixed = {"type": "model", "display_name": entry["id"], "created_at": "1970-01-01T00:00:00Z"}
        return {"id": entry["id"], **fixed, **limits}
    return {"id": entry["id"], "object": "model", "created": 0, "owned_by": entry["owner"], **limits}
