"""One model as a server reports it, before anything is guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class TokenLimit:
    """A number of tokens together with where it came from.

    Attributes:
        value: tokens, always positive.
        origin: where it came from, short and for people: "configured", "served: max_model_len", "in the name: 32k".
        estimated: a guess from the model's name. It may be shown and used to plan; it is never sent to a server.
    """

    value: int
    origin: str
    estimated: bool = False


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
class KindField:
    """A field that says what kind of model an entry is about, and its words: `type`, ("embeddings",)."""

    path: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model of a server's list. The origin of each limit is the field it was read from.

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
    kind: tuple[KindField, ...] = ()
    price: Price | None = None
    loaded: bool | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that may tell something about the model, the id first."""
        return unique((self.id, self.name, *self.aliases, self.root))


def unique(values: Iterable[str | None]) -> tuple[str, ...]:
    """Return the values without gaps and repetitions, in order."""
    return tuple(dict.fromkeys(value for value in values if value))


def smaller(first: TokenLimit | None, second: TokenLimit | None) -> TokenLimit | None:
    """Return the smaller of two limits; the first where they are equal or the second is missing."""
    if first is None or second is None:
        return first or second
    return second if second.value < first.value else first


def merged(first: ListedModel, second: ListedModel) -> ListedModel:
    """Join two entries that share an id: of two limits the smaller one holds.

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


@lru_cache(maxsize=4096)
def snake_case(name: str) -> str:
    """Return a field's name or a word in one spelling: `maxContextTokens` and `max-context-tokens` are the same."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_").replace(".", "_").replace(" ", "_")
