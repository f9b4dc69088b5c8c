"""A token as the proof of credentials, and the account's agents where StackSpot lists them.

Source: docs/wire.md, "Lists of agents".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from aider_stackspot.config import Account
from aider_stackspot.config.display import printable
from aider_stackspot.config.settings import DEFAULT_AGENT_API_BASE
from aider_stackspot.errors import StackSpotError
from aider_stackspot.network.body import read_limited
from aider_stackspot.network.client import build_client
from aider_stackspot.network.tokens import AccessToken
from aider_stackspot.pipeline.background_loop import background_loop
from aider_stackspot.pipeline.stackspot import credentials_of

LISTING_BASE = "https://genai-agent-tools-api.stackspot.com"
LIST_TIMEOUT = 5.0
"""Seconds for each of the listing's addresses; it is a convenience, and may not exist for a credential."""
MAX_LIST_BYTES = 4 * 1024 * 1024
_PATHS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("/v4/agents", {"page": "1", "size": "100"}),
    ("/v1/agents", {"visibility": "personal"}),
    ("/v3/agents", {}),
)


@dataclass(frozen=True)
class Agent:
    """One agent of the account."""

    id: str
    name: str
    model: str = ""


def request_token(account: Account) -> AccessToken:
    """Ask for a token.

    Raises:
        StackSpotError: the credentials are refused, or the endpoint cannot be reached.
    """
    credentials = credentials_of(account)

    async def mint() -> AccessToken:
        async with build_client(account.network, credentials.token_url) as client:
            return await credentials.mint(client)

    return background_loop().submit(mint()).result()


def list_agents(account: Account, token: AccessToken) -> list[Agent]:
    """Return the account's agents, or none where no listing answers."""
    return background_loop().submit(_first_list(account, token)).result()


async def _first_list(account: Account, token: AccessToken) -> list[Agent]:
    # A base of one's own (the emulator, a gateway) serves every path.
    own = account.agent_api_base != DEFAULT_AGENT_API_BASE
    base = account.agent_api_base if own else LISTING_BASE
    headers = {"Authorization": f"Bearer {token.value}", "Accept": "application/json"}
    try:
        async with build_client(account.network, base) as client:
            for path, query in _PATHS:
                found = await _request_list(client, base + path, query, headers)
                if found:
                    return found
    except StackSpotError:
        return []
    return []


async def _request_list(
    client: httpx.AsyncClient, url: str, query: Mapping[str, str], headers: Mapping[str, str]
) -> list[Agent]:
    try:
        async with client.stream(
            "GET", url, params=dict(query), headers=dict(headers), timeout=LIST_TIMEOUT
        ) as response:
            body = await read_limited(response, MAX_LIST_BYTES)
        return _agents_in(json.loads(body)) if response.status_code == 200 else []
    except (httpx.HTTPError, StackSpotError, ValueError, RecursionError):
        return []


def _agents_in(value: Any) -> list[Agent]:
    """Read an array, or an object that holds one; the field's name was seen for a sibling only."""
    if isinstance(value, dict):
        value = next((value[key] for key in ("items", "content", "data", "agents") if key in value), [])
    found = []
    for item in value if isinstance(value, list) else []:
        if isinstance(item, dict) and isinstance(item.get("id"), str) and item["id"].strip():
            name = printable(str(item.get("name") or item.get("slug") or "unnamed"))[:80]
            found.append(Agent(printable(item["id"].strip()), name, printable(str(item.get("model_name") or ""))[:40]))
    return found
