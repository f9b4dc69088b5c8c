"""This package's errors as LiteLLM's: the only place where the one becomes the other; and calls that are refused.

LiteLLM follows `custom_llm_provider`, `deployment_id` and `azure` before the model's name. A call that names a model of
this package and has one of those would go to another vendor, with the code in it and without a word.
"""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import litellm

from aider_stackspot import errors
from aider_stackspot.config import one_look
from aider_stackspot.errors import InvalidRequest
from aider_stackspot.hosts.names import names
from aider_stackspot.hosts.patches import wrap_once


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


def refuse() -> None:
    """Look at each chat before LiteLLM does, and at the configuration once for all of it."""
    for name in ("completion", "acompletion"):
        wrapper = wrap_once(litellm.main, name, _around)
        if wrapper is not None:
            setattr(litellm, name, wrapper)


def _around(original: Any) -> Any:
    @functools.wraps(original)
    def call(*args: Any, **given: Any) -> Any:
        # What LiteLLM asks of itself has been here; the names of other vendors' models stand alone in it.
        asker = str(sys._getframe(1).f_globals.get("__name__"))
        if asker.partition(".")[0] != "litellm" and not given.get("acompletion"):
            check(given.get("model", args[0] if args else None), given)
        with one_look():  # not for the length of a coroutine: LiteLLM repeats calls within one
            return original(*args, **given)

    return call


def check(model: object, given: Mapping[str, Any]) -> None:
    """Let a call pass, unless its model is one of this package's and an argument leads to another provider.

    Args:
        model: the model as the caller names it.
        given: the call's arguments by name.

    Raises:
        litellm.BadRequestError: it would go elsewhere.
    """
    route = names.find(model)
    if route is None:
        return
    provider = given.get("custom_llm_provider")
    leading = ["custom_llm_provider"] if provider is not None and names.find(model, provider) is None else []
    leading += [name for name in ("deployment_id", "azure") if given.get(name)]
    if leading:
        error = InvalidRequest(
            f"The model `{route.public}` goes where its provider `{route.provider}` is, and `{leading[0]}` leads "
            "elsewhere: leave one of them out."
        )
        raise litellm_error(error, route.public, route.slug)
