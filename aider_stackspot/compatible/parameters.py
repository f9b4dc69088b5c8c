"""What to expect of a local model by its size: the table of the seed `scalytics-connect.md`.

The table is a rule of thumb for people who choose a model; nothing is decided by it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from aider_stackspot.compatible.names import telling_part


@dataclass(frozen=True, slots=True)
class Expectation:
    """A row of the table: the size it is about, in billions of parameters, and what such models can do."""

    billions: int
    coding: str
    tools: str


_EXPECTATIONS = (
    (10, Expectation(7, "basic coding assistance", "limited complex reasoning and tool use")),
    (20, Expectation(14, "better coding ability", "potentially unstable tool use")),
    (50, Expectation(32, "good coding performance", "tool use may be inconsistent")),
    (float("inf"), Expectation(70, "best local performance", "needs a lot of GPU memory")),
)
"""Each row with the size below which it holds, about midway to the next."""

# `7b`, `6.7b`, `70B-Instruct`, `8x7b`, `135m`; not `a3b` (the active part of a mixture), `4bit`, `e4b`.
_PARAMETERS = re.compile(
    r"(?<![a-z0-9.])(?:(?P<experts>\d{1,3})x)?(?P<number>\d{1,4}(?:\.\d{1,3})?)(?P<unit>[bm])(?![a-z0-9])"
)


def parameters_in(model_id: str) -> float | None:
    """Return how many billions of parameters an id claims, or `None`.

    Experts are multiplied: they share some weights, so `8x7b` is an upper bound.
    """
    sizes = [
        float(match["number"]) * int(match["experts"] or 1) / (1 if match["unit"] == "b" else 1000)
        for match in _PARAMETERS.finditer(telling_part(model_id))
    ]
    return max(sizes, default=None)


def expectation_of(model_id: str) -> Expectation | None:
    """Return the row for the size that an id claims; `None` where it claims none."""
    billions = parameters_in(model_id)
    if billions is None:
        return None
    return next(row for below, row in _EXPECTATIONS if billions < below)
