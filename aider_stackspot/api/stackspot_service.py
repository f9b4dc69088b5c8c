"""StackSpot in the words of error messages: its name, and what its users can do about a status."""

from __future__ import annotations

from urllib.parse import quote

from aider_stackspot.api.error_response import Service

STACKSPOT = Service(
    "StackSpot",
    {
        401: "A freshly made token was refused too: check that the credential was not revoked or rotated.",
        403: (
            "The credentials are valid but may not do this: check that the agent id is right, that the agent is shared "
            "with this service credential, and the account's permissions."
        ),
        404: "Check the agent id and the base URL.",
        429: "The limit is shared by everyone who uses this credential; wait a minute, or set `rpm` for the provider.",
    },
)


def token_url(auth_url: str, realm: str) -> str:
    """Return the URL of an account's token endpoint.

    Args:
        auth_url: the base URL of StackSpot's identity service.
        realm: the account's slug, or the realm of free accounts.
    """
    return f"{auth_url}/{quote(realm, safe='')}/oidc/oauth/token"


_IN_THE_FILE = "for an account of its own in `.aider.litellm.yml`, its `client_id`, `api_key` and `realm` there"
_CREDENTIALS = (
    "Check STACKSPOTAI_CLIENT_ID and STACKSPOTAI_CLIENT_KEY (a new personal access token replaces the old one), and "
    "STACKSPOTAI_REALM: the account's slug for a company account, `stackspot-freemium` if you still have a free one; "
    f"{_IN_THE_FILE}."
)
_REALM = (
    "There is most likely no such realm. Set STACKSPOTAI_REALM to the account's slug for a company account, or to "
    f"`stackspot-freemium` if you still have a free one; {_IN_THE_FILE}."
)

TOKEN_ENDPOINT = Service(
    STACKSPOT.name,
    {
        **dict.fromkeys((200, *range(400, 500)), _CREDENTIALS),
        **dict.fromkeys(range(300, 400), "Check STACKSPOTAI_AUTH_URL and the proxy."),
        404: _REALM,
        408: "",
        429: STACKSPOT.advice[429],
    },
)
