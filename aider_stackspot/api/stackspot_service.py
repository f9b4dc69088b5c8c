"""StackSpot in the words of error messages: its name, and what its users can do about a status."""

from __future__ import annotations

import functools
from urllib.parse import quote

from aider_stackspot.api.error_response import Service

STACKSPOT = Service(
    "StackSpot",
    {
        401: "A freshly made token was refused too: was the credential revoked or rotated?",
        403: "Check that the agent is shared with this credential.",
        404: "Check the agent id, and the base URL if you set one.",
        429: "The limit is the credential's: wait a minute, or set `rpm`.",
    },
)


def token_url(auth_url: str, realm: str) -> str:
    """Return the URL of an account's token endpoint.

    Args:
        auth_url: the base URL of StackSpot's identity service.
        realm: the account's slug, or the realm of free accounts.
    """
    return f"{auth_url}/{quote(realm, safe='')}/oidc/oauth/token"


@functools.cache
def token_endpoint(check: str, realm: str) -> Service:
    """Return StackSpot's token endpoint in the words of error messages.

    Args:
        check: the sentence for the user about what to do where credentials are refused.
        realm: what the realm is called where the user set it: a variable, or a key of a file.
    """
    return Service(
        STACKSPOT.name,
        {
            **dict.fromkeys((200, *range(400, 500)), check),
            **dict.fromkeys(range(300, 400), "Check STACKSPOTAI_AUTH_URL and the proxy."),
            404: f"There is no such realm: set {realm} to the account's slug, or to `stackspot-freemium`.",
            408: "",
            429: STACKSPOT.advice[429],
        },
    )
