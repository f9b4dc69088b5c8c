"""What LiteLLM's arguments mean, the same for every kind of model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import httpx

LITELLM_DEFAULT_TIMEOUT = 600.0
"""Seconds; LiteLLM and aider hand this to a provider when nobody asked for a limit."""


def total_timeout(timeout: object) -> float | None:
    """Return the total limit of a call in seconds, or `None` where the caller asked for none."""
    seconds = timeout.read if isinstance(timeout, httpx.Timeout) else timeout
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    if not math.isfinite(seconds) or seconds <= 0 or seconds == LITELLM_DEFAULT_TIMEOUT:
        return None
    return float(seconds)


def own_retries(retries: object, litellm_params: Mapping[str, Any] | None) -> int | None:
    """Return how many retries the caller asked for, or `None` where it asked for none in particular.

    LiteLLM's Router, and with it LiteLLM Proxy, puts a `0` of its own in the place of every number, because it repeats
    calls itself. Its calls are known by the `model_group` in their metadata.
    """
    if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
        return None
    metadata = (litellm_params or {}).get("metadata") or {}
    return None if retries == 0 and "model_group" in metadata else retries
