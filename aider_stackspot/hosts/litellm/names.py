"""Which configured server a name of LiteLLM's means, in the public spelling and in the one its dispatcher hands back.

`provider/id` is the public name. LiteLLM splits it, and later passes the two halves around: an id that itself begins
with the provider's name would then lose a part of it, so such an id keeps its provider in front.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

NO_KEY = "no-key"
"""Stands for "this server has no key" wherever LiteLLM would else look for another vendor's; it is never sent."""


@dataclass(frozen=True, slots=True)
class Route:
    """A server's name in the configuration, its name in LiteLLM's dispatcher, and the model's name at this server."""

    provider: str
    slug: str
    model: str

    @property
    def public(self) -> str:
        """The name as a person writes it."""
        return f"{self.provider}/{self.model}"

    @property
    def dispatched(self) -> str:
        """The model as LiteLLM's dispatcher may see it; `Routes.find` reads it back without loss."""
        own = self.model.startswith((f"{self.provider}/", f"{self.slug}/"))
        return f"{self.slug}/{self.model}" if own else self.model


class Routes:
    """The names of the configured servers, for look-ups that cost next to nothing: LiteLLM makes several in a call.

    Args:
        names: the providers of the configuration.
        taken: names of LiteLLM's own providers. A server may be called `ollama` too; for LiteLLM's dispatcher it then
            has another name, because its own `ollama` is a client for another protocol.
    """

    def __init__(self, names: Iterable[str] = (), taken: Iterable[str] = ()) -> None:
        taken = set(taken)
        self.slugs = {name: f"{name}-compatible" if name in taken else name for name in names}
        self._names = {slug: name for name, slug in self.slugs.items()}
        # The longest first: nothing keeps a provider's name from holding a slash.
        self._prefixes = sorted(((f"{name}/", name) for name in {*self.slugs, *self._names}), reverse=True)

    def find(self, model: object, provider: str | None = None) -> Route | None:
        """Return what a name means, or `None` for everybody else's.

        Args:
            model: a public name, or what stands behind the provider.
            provider: LiteLLM's `custom_llm_provider`, if the caller knows it.
        """
        if not isinstance(model, str) or not self.slugs:
            return None
        if provider is not None:
            name = self._names.get(provider)
            if name is None:
                return None
            for prefix in (f"{name}/", f"{provider}/"):
                if model.startswith(prefix):
                    return Route(name, provider, model[len(prefix) :])
            return Route(name, provider, model)
        for prefix, known in self._prefixes:
            if model.startswith(prefix) and len(model) > len(prefix):
                name = self._names.get(known, known)
                return Route(name, self.slugs[name], model[len(prefix) :])
        return None
