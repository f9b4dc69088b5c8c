"""The Agents API: `POST {agent_api_base}/v1/agent/{agent_id}/chat` (docs/wire.md, "Agents API")."""

from __future__ import annotations

from urllib.parse import quote

from aider_stackspot.api.answer import ApiRequest
from aider_stackspot.api.stackspot_answer import StackSpotAnswer


def request(prompt: str, agent_id: str, *, stackspot_knowledge: bool = False) -> ApiRequest:
    """Build the request.

    Args:
        prompt: the whole conversation as one text; the API knows neither roles nor messages (docs/wire.md, "Agents API:
            request").
        agent_id: the agent's ULID, from its page in the portal.
        stackspot_knowledge: let StackSpot add its own global knowledge; off, because it changes answers unasked.
    """
    return ApiRequest(
        path=f"/v1/agent/{quote(agent_id, safe='')}/chat",
        body={
            "streaming": True,
            "user_prompt": prompt,
            "stackspot_knowledge": stackspot_knowledge,
            "return_ks_in_response": False,
        },
    )


class AgentAnswer(StackSpotAnswer):
    """Reads one answer: deltas in `message`, the end in `stop_reason` (docs/wire.md, "Agents API: stream")."""
