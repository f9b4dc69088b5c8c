"""This package's errors as LiteLLM's: the only place where the one becomes the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import litellm

from aider_stackspot import errors


def litellm_error(error: errors.StackSpotError, model: str, provider: str) -> Exception:
    """Return exactly one of LiteLLM's own classes: aider looks classes up by identity and knows no subclasses."""
    make = _CLASSES_OF_5XX.get(error.status) if isinstance(error, errors.ServerFailed) else None
    if make is None:
        make = next(litellm_class for kind, litellm_class in _CLASSES if isinstance(error, kind))
    return make(message=str(error), model=model, llm_provider=provider)


_CLASSES_OF_5XX: dict[int, Callable[..., Exception]] = {
    502: litellm.BadGatewayError,
    503: litellm.ServiceUnavailableError,
    504: litellm.ServiceUnavailableError,
}
_CLASSES: tuple[tuple[type[errors.StackSpotError], Callable[..., Exception]], ...] = (
    (errors.MissingCredentials, litellm.AuthenticationError),
    (errors.ConfigurationError, litellm.BadRequestError),
    (errors.InvalidRequest, litellm.BadRequestError),
    (errors.AnswerTooLong, litellm.BadRequestError),
    (errors.UntrustedCertificate, litellm.BadRequestError),
    (errors.ClientCertificateRequired, litellm.BadRequestError),
    (errors.ProxyRefused, litellm.BadRequestError),
    (errors.TimedOut, litellm.Timeout),
    (errors.TransportError, litellm.APIConnectionError),
    (errors.AuthenticationFailed, litellm.AuthenticationError),
    (errors.ContextTooLong, litellm.ContextWindowExceededError),
    (errors.RequestRefused, litellm.BadRequestError),
    (errors.NotFound, litellm.NotFoundError),
    (errors.RequestTimedOut, litellm.Timeout),
    (errors.RateLimited, litellm.RateLimitError),
    (errors.ServerFailed, litellm.InternalServerError),
    (errors.StackSpotError, litellm.APIConnectionError),
)


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
