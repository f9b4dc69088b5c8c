"""Whether an account gets a token; and what to do about an error of StackSpot's."""

from __future__ import annotations

import time

from aider_stackspot.config import Account, Network
from aider_stackspot.config.schema import STACKSPOT
from aider_stackspot.doctor.report import Finding
from aider_stackspot.errors import (
    AuthenticationFailed,
    ContextTooLong,
    MalformedAnswer,
    NotFound,
    RateLimited,
    ServerFailed,
    StackSpotError,
    TimedOut,
)
from aider_stackspot.network.tokens import Credentials
from aider_stackspot.pipeline.background_loop import background_loop
from aider_stackspot.pipeline.credentials import credentials_of
from aider_stackspot.pipeline.shared import shared_resources

STACKSPOT_SERVICE = "StackSpot"


def check_token(account: Account) -> Finding:
    """Ask for a token."""
    title = f"token for {account.name}"
    started = time.monotonic()
    try:
        lifetime = new_lifetime(credentials_of(account), account.network)
    except AuthenticationFailed as error:
        return Finding(STACKSPOT_SERVICE, title, "failed", str(error), _advice_on_credentials(account))
    except StackSpotError as error:
        return Finding(STACKSPOT_SERVICE, title, "failed", str(error), advice_on(error))
    return Finding(STACKSPOT_SERVICE, title, "ok", f"valid for {lifetime:.0f} s", seconds=time.monotonic() - started)


def new_lifetime(credentials: Credentials, network: Network) -> float:
    """Return the seconds that a token lives."""

    async def get() -> float:
        return (await shared_resources().tokens(credentials, network).get()).lifetime

    return background_loop().submit(get()).result()


def _advice_on_credentials(account: Account) -> str:
    """Return what to do about refused credentials. Where each is set stands in the configuration's findings."""
    if account.name == STACKSPOT:
        return "Copy client id, client key and realm from the portal again: aider-stackspot init."
    return f"Correct `client_id`, `api_key` and `client_realm` of the provider `{account.name}`."


def advice_on(error: StackSpotError) -> str:
    """Return what to do about it."""
    return next((fix for kind, fix in _ADVICE if isinstance(error, kind)), _OTHER_ADVICE)


_ADVICE: tuple[tuple[type[StackSpotError], str], ...] = (
    (AuthenticationFailed, "Check the agent id in the portal, and that the agent is shared with this credential."),
    (NotFound, "Check the agent id, or the slug of the quick command, in the portal."),
    (RateLimited, "Wait a minute; set `rpm` for the provider so that calls wait for their turn."),
    (ContextTooLong, "The agent's own instructions leave no room; shorten them in the portal."),
    (MalformedAnswer, "Something in between answered: check HTTPS_PROXY, and sign in to the proxy."),
    (TimedOut, "Try again; if it stays so, raise `timeout` and ask whether a proxy holds answers back."),
    (ServerFailed, "StackSpot failed; try again later."),
)
_OTHER_ADVICE = "See: aider-stackspot docs troubleshooting"
