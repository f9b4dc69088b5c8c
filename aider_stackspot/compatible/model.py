"""One model as a server reports it, before anything is guessed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from aider_stackspot.compatible.figure import TokenLimit, smaller


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a server says a model can do; `None` where it says nothing."""

    tools: bool | None = None
    vision: bool | None = None
    reasoning: bool | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """What a server asks, in US dollars for one token, and the field that said so."""

    input_per_token: float
    output_per_token: float
    origin: str


@dataclass(frozen=True, slots=True)
class Stated:
    """The words with which a field describes what kind of model this is (`type`: "embeddings")."""

    field: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model of a server's list. The origin of each figure is the field it was read from.

    Attributes:
        id: what goes into a request's `model`, verbatim.
        name: the display name, if it differs from the id (Scalytics, OpenRouter, LM Studio).
        aliases: further names for the same model, display name included.
        owned_by: the list's `owned_by`.
        root: the model behind the name, as the server gives it: vLLM's `root`, LiteLLM's `litellm_params.model`.
        parent: the base model of a vLLM or SGLang adapter.
        served: the context that the server runs the model with, in tokens.
        advertised: the context that the model was made for, in tokens. The server may run it with less.
        output: the longest answer, in tokens.
        capabilities: tools, vision, reasoning.
        kind: everything the entry says about its type, most telling field first.
        price: if reported.
        loaded: whether the server has it in memory, if it says so.
    """

    id: str
    name: str | None = None
    aliases: tuple[str, ...] = ()
    owned_by: str | None = None
    root: str | None = None
    parent: str | None = None
    served: TokenLimit | None = None
    advertised: TokenLimit | None = None
    output: TokenLimit | None = None
    capabilities: Capabilities = field(default_factory=Capabilities)
    kind: tuple[Stated, ...] = ()
    price: Price | None = None
    loaded: bool | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that may tell something about the model, the id first."""
        return unique((self.id, self.name, *self.aliases, self.root))


def unique(values: Iterable[str | None]) -> tuple[str, ...]:
    """Return the values without gaps and repetitions, in order."""
    return tuple(dict.fromkeys(value for value in values if value))


def same_name(first: ListedModel, second: ListedModel) -> ListedModel:
    """Join two entries that share an id: of two figures the smaller one holds.

    LiteLLM Proxy spreads one model name over deployments with different limits (docs/servers.md, "LiteLLM Proxy").
    """
    return replace(
        filled(first, second),
        served=smaller(first.served, second.served),
        advertised=smaller(first.advertised, second.advertised),
        output=smaller(first.output, second.output),
    )


def filled(model: ListedModel, extra: ListedModel) -> ListedModel:
    """Return `model` with what it lacks taken from `extra`, which another endpoint of the same server reported."""
    can, also = model.capabilities, extra.capabilities
    return replace(
        model,
        name=model.name or extra.name,
        aliases=tuple(alias for alias in unique((*model.aliases, *extra.aliases)) if alias != model.id),
        owned_by=model.owned_by or extra.owned_by,
        root=model.root or extra.root,
        parent=model.parent or extra.parent,
        served=model.served or extra.served,
        advertised=model.advertised or extra.advertised,
        output=model.output or extra.output,
        capabilities=Capabilities(
            tools=also.tools if can.tools is None else can.tools,
            vision=also.vision if can.vision is None else can.vision,
            reasoning=also.reasoning if can.reasoning is None else can.reasoning,
        ),
        kind=tuple(dict.fromkeys((*model.kind, *extra.kind))),
        price=model.price or extra.price,
        loaded=extra.loaded if model.loaded is None else model.loaded,
    )
