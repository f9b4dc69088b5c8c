"""One module per StackSpot API, each a pair of pure translators: a prompt to a request, events to an answer.

Nothing in here opens a socket, starts a thread or knows LiteLLM.
"""

from aider_stackspot.api import agent, chat
from aider_stackspot.api.answer import AnswerParser, ApiRequest
from aider_stackspot.config.settings import Model
from aider_stackspot.errors import ConfigurationError

__all__ = ["translate"]


def translate(model: Model, prompt: str) -> tuple[ApiRequest, AnswerParser]:
    """Return the request to the API that serves a model, and the reader of its answer.

    Raises:
        ConfigurationError: the model wants the Agents API and there is no agent id.
    """
    if model.api == "chat":
        return chat.request(prompt, agent_id=model.agent_id), chat.ChatAnswer()
    if not model.agent_id:
        raise ConfigurationError(
            f"The model `{model.name}` uses the Agents API, and no agent id is set: set STACKSPOTAI_AGENT_ID, or "
            "`agent_id` of the model or its provider."
        )
    request = agent.request(prompt, model.agent_id, stackspot_knowledge=model.stackspot_knowledge)
    return request, agent.AgentAnswer()
