"""StackSpot in the words of error messages: its name, and what its users can do about a status."""

from __future__ import annotations

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
