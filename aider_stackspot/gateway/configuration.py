"""The configuration as the gateway follows it: read anew when it changes, the last good one while it is broken.

And its models, as OpenAI's and as Anthropic's clients read a list.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from aider_stackspot.compatible import server
from aider_stackspot.compatible.catalogue import catalogue
from aider_stackspot.compatible.server import KnownModel
from aider_stackspot.config import CompatibleProvider, Model, Settings, current
from aider_stackspot.errors import ConfigurationError
from aider_stackspot.gateway.errors import GatewayError, Protocol

log = logging.getLogger("aider_stackspot.gateway")


@dataclass(frozen=True)
class StackSpotTarget:
    """A model of StackSpot's, by the name that the client gave."""

    name: str
    model: Model

    @property
    def service(self) -> str:
        """Who answers, in words."""
        return "StackSpot"


@dataclass(frozen=True)
class ServerTarget:
    """A model of an OpenAI-compatible server; `model` is its name behind the provider's, and no alias."""

    name: str
    provider: CompatibleProvider
    model: str

    @property
    def service(self) -> str:
        """Who answers, in words."""
        return f"the server `{self.provider.name}`"

    @property
    def known(self) -> KnownModel:
        """All that is known about it."""
        return catalogue.describe(self.provider, self.model)

    @property
    def takes_tools_by_prompt(self) -> bool:
        """Whether it reads of tools in its prompt."""
        return server.takes_tools_by_prompt(self.provider, catalogue.known(self.provider), self.model)

    @property
    def context(self) -> int | None:
        """How many tokens it takes; `None` where nobody knows."""
        context = self.known.context
        return context.value if context is not None else None


Target = StackSpotTarget | ServerTarget


class Configuration:
    """Which names mean which models, now."""

    def __init__(self) -> None:
        self._good: Settings | None = None
        self._told: str | None = None

    def settings(self) -> Settings:
        """Return the settings in force.

        Raises:
            ConfigurationError: there were never any that could be used.
        """
        found = current()
        if found.problem is None:
            if self._told is not None:
                log.warning("The configuration can be used again.")
            self._good, self._told = found, None
            return found
        if self._good is None:
            raise ConfigurationError(found.problem)
        if self._told != found.problem:
            self._told = found.problem
            log.warning("The configuration of before stays in force: %s", found.problem)
        return self._good

    def find(self, name: str) -> Target:
        """Return the model that a name means; nothing but the configuration decides where a call goes.

        Raises:
            GatewayError: there is no such model.
        """
        settings = self.settings()
        if name in settings.models:
            return self._of_stackspot(settings, name)
        for provider in sorted(settings.compatible, key=len, reverse=True):
            behind = name.removeprefix(f"{provider}/")
            if behind != name and behind:
                server_of_name = settings.compatible[provider]
                return ServerTarget(name, server_of_name, server_of_name.aliases.get(behind, behind))
        if name.partition("/")[0] in settings.accounts:
            return self._of_stackspot(settings, name)
        raise unknown_model(name)

    def _of_stackspot(self, settings: Settings, name: str) -> Target:
        try:
            return StackSpotTarget(name, settings.model(name))
        except ConfigurationError as error:
            if name in settings.models:
                raise
            raise unknown_model(name) from error

    def stackspot_models(self) -> dict[str, Model]:
        """Return the models of StackSpot that can be called, each by the shortest name that means it."""
        return {
            name: model
            for name, model in self.settings().listed_models().items()
            if model.account.client_id and model.account.key() and (model.api != "agent" or model.agent_id)
        }

    def servers_models(self) -> list[KnownModel]:
        """Return the models of all servers that chat, as far as they are known; servers are asked where that is old.

        It may take two seconds: not for an event loop.
        """
        providers = self.settings().compatible.values()
        catalogue.renew(providers)
        found = [model for provider in providers for model in server.models_of(provider, catalogue.known(provider))]
        return [model for model in found if model.chat]


def unknown_model(name: str) -> GatewayError:
    """Return the error for a name that means nothing."""
    shown = name if len(name) <= 100 else f"{name[:100]}…"
    return GatewayError(
        404, f"There is no model `{shown}` here; GET /v1/models lists them.", param="model", code="model_not_found"
    )


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
