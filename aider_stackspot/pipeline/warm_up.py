"""Gets the token and opens the connection while the user is still typing.

So the first prompt costs what the second does. It happens in the background once aider has chosen one of the
configured models, and never for a mere import of litellm. Nothing is said of a failure: the first call says it better.
`AIDER_STACKSPOT_WARM_UP=0` switches it off.
"""

from __future__ import annotations

import logging
import time

from aider_stackspot.config import WARM_UP, Model, current
from aider_stackspot.network.client import CONNECT_TIMEOUT, timeouts
from aider_stackspot.pipeline.background_loop import background_loop
from aider_stackspot.pipeline.credentials import credentials_of
from aider_stackspot.pipeline.shared import shared_resources
from aider_stackspot.pipeline.stackspot import base_url_of

log = logging.getLogger(__name__)

AGAIN_AFTER = 30.0
"""Seconds; aider makes a new object of the model now and then."""

_last: dict[str, float] = {}


def warm_up(name: str) -> bool:
    """Begin, and return at once. Does nothing for names that are not configured, or lack their credentials.

    Args:
        name: a model's public name.

    Returns:
        whether anything was begun.
    """
    settings = current()
    model = settings.find(name)
    if model is None or settings.problem is not None or not settings.switches[WARM_UP]:
        return False
    if not (model.account.client_id and model.account.key()):
        return False
    now = time.monotonic()
    if now - _last.get(model.route, -AGAIN_AFTER) < AGAIN_AFTER:
        return False
    _last[model.route] = now
    background_loop().submit(_warm_up(model))
    return True


async def _warm_up(model: Model) -> None:
    account, base = model.account, base_url_of(model)
    try:
        shared = shared_resources()
        await shared.tokens(credentials_of(account), account.network).prepare()
        # Any answer will do: what counts is the connection that it leaves open. There is no token in it.
        client = shared.client(account.network, base)
        await client.head(f"{base}/", timeout=timeouts(account.network, CONNECT_TIMEOUT))
    except Exception as error:  # whatever it is, the first call meets it too, and has somebody to tell
        log.debug("no warm-up for %s: %s", model.name, type(error).__name__)
