"""The configuration as the gateway follows it: read anew when it changes, the last good one while it is broken."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from aider_stackspot.compatible import server
from aider_stackspot.compatible.catalogue import catalogue
from aider_stackspot.compatible.server import KnownModel
from aider_stackspot.config import CompatibleProvider, Model, Settings, current
from aider_stackspot.errors import ConfigurationError
from aider_stackspot.gateway.errors import GatewayError

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
            if model.account.client_id and model.account.client_key and (model.api != "agent" or model.agent_id)
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
