"""Refuses in a body what would lead a call elsewhere, for LiteLLM Proxy, which obeys such fields.

With a vendor's key among the proxy's variables, `custom_llm_provider` alone would send a user's text there, on the
operator's account. Imported by LiteLLM Proxy only, by the configuration that `proxy_config` makes.
"""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException
from litellm.integrations.custom_logger import CustomLogger

from aider_stackspot.gateway.fields import LEADING_ELSEWHERE


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
