"""Whom an error is told: the person who configured this package, or a user of a gateway in front of it."""

from __future__ import annotations

import logging

from aider_stackspot.errors import AuthenticationFailed, ConfigurationError, ServerFailed, StackSpotError

log = logging.getLogger("aider_stackspot")

GATEWAY_ARGUMENT = "aider_stackspot_gateway"
"""Says that a call's caller is a user of a gateway, who has a key of the gateway and none of what is behind it.

For StackSpot's models it is an argument of the call. For those of other servers it stands in the `model_info` that
LiteLLM Proxy adds to a call: of an argument that LiteLLM does not know, it would tell the server.
"""


def for_gateway_user(error: StackSpotError, service: str = "StackSpot") -> StackSpotError:
    """Return the error as a user of a gateway should see it.

    A refusal of the service's would look as if the user's own key were wrong, and the user can mend neither the
    gateway's credentials nor its configuration. What is wrong with them, and whose they are, stands in the log.
    """
    if not isinstance(error, AuthenticationFailed | ConfigurationError):
        return error
    log.warning("The gateway cannot use %s: %s", service, error)
    return ServerFailed(
        f"The gateway accepted your key, but cannot use {service}. Whoever runs it finds the reason in its log.",
        status=502,
    )
