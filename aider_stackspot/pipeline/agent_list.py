"""A token as the proof of credentials, and the account's agents as StackSpot lists them.

Source: docs/wire.md, "Lists of agents".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx

from aider_stackspot.api.agents import PAGES, Agent, agent_in, agents_in, path_of
from aider_stackspot.api.error_response import from_response
from aider_stackspot.api.stackspot_service import STACKSPOT
from aider_stackspot.config import Account
from aider_stackspot.errors import MalformedAnswer, NotFound, StackSpotError
from aider_stackspot.network.body import read_limited
from aider_stackspot.network.client import build_client
from aider_stackspot.network.errors import network_error
from aider_stackspot.network.tokens import AccessToken
from aider_stackspot.pipeline.background_loop import background_loop
from aider_stackspot.pipeline.credentials import credentials_of

TIMEOUT = 10.0
"""Seconds for each page."""
MAX_BYTES = 4 * 1024 * 1024
"""Of a page."""
MAX_PAGES = 200


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
    """Return all of the account's agents, each once.

    Raises:
        StackSpotError: no list answers, or it breaks off.
    """
    return background_loop().submit(_AgentTools(account, token).all()).result()


def find_agent(account: Account, token: AccessToken, agent_id: str) -> Agent:
    """Return what StackSpot tells of an agent: its own record, else the one in the list.

    Raises:
        NotFound: the service knows no such agent.
        StackSpotError: it tells nothing.
    """
    return background_loop().submit(_AgentTools(account, token).one(agent_id)).result()


class _AgentTools:
    """The API beside the agents' own that tells of them, with an account's token."""

    def __init__(self, account: Account, token: AccessToken) -> None:
        self._account = account
        self._headers = {"Authorization": f"Bearer {token.value}", "Accept": "application/json"}

    async def all(self) -> list[Agent]:
        base = self._account.agent_tools_base
        async with build_client(self._account.network, base) as client:
            first: StackSpotError | None = None
            for path, query in PAGES:
                try:
                    return await self._pages(client, base + path, query)
                except StackSpotError as error:
                    first = first or error
        assert first is not None
        raise first

    async def one(self, agent_id: str) -> Agent:
        base = self._account.agent_tools_base
        async with build_client(self._account.network, base) as client:
            try:
                agent = agent_in(await self._document(client, base + path_of(agent_id), {}))
            except StackSpotError:
                agent = None
        if agent is None:
            agent = next((one for one in await self.all() if one.id == agent_id), None)
        if agent is None:
            raise NotFound(f"StackSpot lists no agent `{agent_id}` for this credential.", status=404)
        return agent

    async def _pages(self, client: httpx.AsyncClient, url: str, query: Mapping[str, str]) -> list[Agent]:
        """Return all pages. A page with nothing new is the end: a service may make pages shorter than was asked."""
        found: dict[str, Agent] = {}
        for number in range(1, MAX_PAGES + 1):
            paged = {"page": str(number), **query} if "size" in query else query
            agents = agents_in(await self._document(client, url, paged))
            new = {agent.id: agent for agent in agents if agent.id not in found}
            found |= new
            if not new or "size" not in query:
                break
        return list(found.values())

    async def _document(self, client: httpx.AsyncClient, url: str, query: Mapping[str, str]) -> Any:
        try:
            async with client.stream(
                "GET", url, params=dict(query), headers=self._headers, timeout=TIMEOUT
            ) as response:
                body = await read_limited(response, MAX_BYTES)
        except httpx.HTTPError as error:
            raise network_error(error, url, "the list of agents") from error
        if not response.is_success:
            raise from_response(response.status_code, body, service=STACKSPOT, where="the list of agents")
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise MalformedAnswer("StackSpot answered the list of agents with something that is no JSON.") from None
