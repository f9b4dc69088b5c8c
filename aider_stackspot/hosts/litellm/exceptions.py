"""This package's errors as LiteLLM's: the only place where the one becomes the other."""

from __future__ import annotations

from collections.abc import Callable

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
