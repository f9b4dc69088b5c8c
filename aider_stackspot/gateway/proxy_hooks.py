"""What LiteLLM Proxy asks before each request; imported by it only, by the configuration that `proxy_config` makes.

Without a database it answers 400 to a wrong key and 500 to none, where clients expect 401. And it obeys fields of a
body that lead a call elsewhere: with a vendor's key among its variables, `custom_llm_provider` alone would send a
user's text there, on the operator's account.
"""

from __future__ import annotations

import secrets
from typing import Any

from fastapi import HTTPException, Request
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy._types import LitellmUserRoles, ProxyErrorTypes, ProxyException, UserAPIKeyAuth, hash_token
from litellm.proxy.auth.auth_utils import get_request_route

from aider_stackspot.config.locations import RecordedInputs
from aider_stackspot.gateway.proxy_config import MASTER_KEY_VARIABLE, is_served
from aider_stackspot.gateway.request import LEADING_ELSEWHERE


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


class Guard(CustomLogger):  # type: ignore[misc]  # LiteLLM's types are not followed
    """LiteLLM Proxy asks it about each body before the call."""

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str
    ) -> Any:
        """Return the body as it is.

        Raises:
            HTTPException: a field of it would lead elsewhere.
        """
        request = data.get("proxy_server_request") or {}
        # Newer versions leave keys and headers out of their copy of the body, and list them.
        for name in (*(request.get("body") or data), *request.get("credential_fields", ())):
            if str(name).lower() in LEADING_ELSEWHERE:
                detail = f"`{name}` is not taken from a client: the proxy's configuration says where a call goes."
                raise HTTPException(status_code=400, detail={"error": detail})
        return data


guard = Guard()
