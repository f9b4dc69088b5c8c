"""A number of tokens together with where it came from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TokenLimit:
    """A limit and its provenance.

    Attributes:
        value: tokens, always positive.
        origin: where it came from, short and for people: "configured", "served: max_model_len", "in the name: 32k".
        estimated: a guess from the model's name. It may be shown and used to plan; it is never sent to a server.
    """

    value: int
    origin: str
    estimated: bool = False


def smaller(first: TokenLimit | None, second: TokenLimit | None) -> TokenLimit | None:
    """Return the smaller of two figures; the first where they are equal or the second is missing."""
    if first is None or second is None:
        return first or second
    return second if second.value < first.value else first
