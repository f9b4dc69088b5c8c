"""Checks the key and the path of each request, for a gateway without a database.

LiteLLM Proxy asks its database about every key that is not the master key. Without one it answers 400 to a wrong key
and 500 to none, where clients expect 401. Imported by LiteLLM Proxy only.
"""

from __future__ import annotations

import secrets

from fastapi import Request
from litellm.proxy._types import LitellmUserRoles, ProxyErrorTypes, ProxyException, UserAPIKeyAuth, hash_token
from litellm.proxy.auth.auth_utils import get_request_route

from aider_stackspot.config.inputs import RecordedInputs
from aider_stackspot.gateway.proxy_config import MASTER_KEY_VARIABLE, is_served


async def check(request: Request, api_key: str) -> UserAPIKeyAuth:
    """Let the holder of the master key in, to what the gateway serves.

    Args:
        request: the request; its body does not matter.
        api_key: what the client sent as its key, without "Bearer".

    Raises:
        ProxyException: no key or a wrong one (401), or an endpoint that is none of the gateway's (404).
    """
    master = RecordedInputs().variable(MASTER_KEY_VARIABLE)
    if master and secrets.compare_digest((api_key or "").encode(), master.encode()):
        path = get_request_route(request)
        if not is_served(path):
            raise ProxyException(
                message=f"This gateway does not serve {path}: no model of its configuration is behind that.",
                type=ProxyErrorTypes.not_found_error,
                param="path",
                code=404,
            )
        return UserAPIKeyAuth(api_key=hash_token(master), user_role=LitellmUserRoles.PROXY_ADMIN, user_id="gateway")
    raise ProxyException(
        message="This is not the gateway's key. Whoever runs the gateway knows it: see the file it was kept in, or "
        f"{MASTER_KEY_VARIABLE}.",
        type=ProxyErrorTypes.auth_error,
        param="api_key",
        code=401,
    )
