"""Numbers of tokens as servers write them."""

from __future__ import annotations

import re

_DIGITS = re.compile(r"[0-9]{1,12}")

MAX_TOKENS = 100_000_000
"""Tokens. Above it a "limit" is a sentinel: tokenizers write 10^30 for "no limit was set"."""


def token_count(value: object) -> int | None:
    """Return a number of tokens as a server wrote it, or `None` for anything that is no positive whole number.

    Floats appear in LiteLLM's `/model_group/info` (131072.0), digits in quotes elsewhere; `true`, 0 and -1 mean
    "not set" (docs/servers.md, "Model lists" and "LiteLLM Proxy").
    """
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if not 0 < value <= MAX_TOKENS:
        return None
    return int(value) if value == int(value) else None
