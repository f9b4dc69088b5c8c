"""The Agents API: `POST {agent_api_base}/v1/agent/{agent_id}/chat` (docs/wire.md, "Agents API")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from aider_stackspot.api.answer import ApiRequest
from aider_stackspot.api.stackspot_answer import StackSpotAnswer


@dataclass(frozen=True)
class AgentOptions:
    """What a call asks of an agent besides its prompt (docs/wire.md, "Agents API: request").

    Attributes:
        stackspot_knowledge: let StackSpot add its own global knowledge; off, because it changes answers unasked.
        return_ks_in_response: let the answer name the knowledge sources that were used.
        deep_search_ks: search the knowledge more deeply.
        knowledge_source_ids: knowledge sources besides the agent's own.
        agent_version_number: a version of the agent; `None` for the published one.
        selected_model: a language model that the agent allows; `None` for its own.
        use_conversation: let the service keep the history, and answer with the conversation's id.
        conversation_id: the conversation to go on with; the first call of one has none.
        upload_ids: files that were uploaded before (docs/wire.md, "Files and images").
    """

    stackspot_knowledge: bool = False
    return_ks_in_response: bool = False
    deep_search_ks: bool = False
    knowledge_source_ids: Sequence[str] = ()
    agent_version_number: int | None = None
    selected_model: str | None = None
    use_conversation: bool = False
    conversation_id: str | None = None
    upload_ids: Sequence[str] = ()


def request(prompt: str, agent_id: str, options: AgentOptions | None = None) -> ApiRequest:
    """Build the request. Of the options, those that were not asked for are not sent.

    Args:
        prompt: the whole conversation as one text; the API knows neither roles nor messages (docs/wire.md, "Agents API:
            request").
        agent_id: the agent's ULID, from its page in the portal.
        options: what else is asked.
    """
    options = options or AgentOptions()
    asked = {
        "deep_search_ks": options.deep_search_ks,
        "knowledge_source_ids": list(options.knowledge_source_ids),
        "agent_version_number": options.agent_version_number,
        "selected_model": options.selected_model,
        "use_conversation": options.use_conversation,
        "conversation_id": options.conversation_id,
        "upload_ids": list(options.upload_ids),
    }
    return ApiRequest(
        path=f"/v1/agent/{quote(agent_id, safe='')}/chat",
        body={
            "streaming": True,
            "user_prompt": prompt,
            "stackspot_knowledge": options.stackspot_knowledge,
            "return_ks_in_response": options.return_ks_in_response,
            **{name: value for name, value in asked.items() if value},
        },
    )


class AgentAnswer(StackSpotAnswer):
    """Reads one answer: deltas in `message`, the end in `stop_reason` (docs/wire.md, "Agents API: stream")."""
