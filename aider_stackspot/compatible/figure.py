"""A number of tokens together with where it came from."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DIGITS = re.compile(r"[0-9]{1,12}")

_LARGEST = 100_000_000
"""Tokens. Above it a "limit" is a sentinel: tokenizers write 10^30 for "no limit was set"."""


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


def count(value: object) -> int | None:
    """Return a number of tokens as a server wrote it, or `None` for anything that is no positive whole number.

    Floats appear in LiteLLM's `/model_group/info` (131072.0), digits in quotes elsewhere; `true`, 0 and -1 mean
    "not set" (docs/servers.md, "Model lists" and "LiteLLM Proxy").
    """
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if not 0 < value <= _LARGEST:
        return None
    return int(value) if value == int(value) else None


def smaller(first: TokenLimit | None, second: TokenLimit | None) -> TokenLimit | None:
    """Return the smaller of two figures; the first where they are equal or the second is missing."""
    if first is None or second is None:
        return first or second
    return second if second.value < first.value else first
