"""What agents are and know here: versions, language models, knowledge, limits, and the memory of conversations."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aider_stackspot.emulator.responses import Reply, api_error, too_long, unprocessable

CHARACTERS_OF_TOKEN: Final = 4
"""How the emulator counts tokens: so many characters are one."""


@dataclass(frozen=True)
class AgentDetails:
    """What one agent has, beyond its name.

    Attributes:
        models: The language models that it allows; the first is its own.
        versions: How many versions there are, counted from 1; None lets any number be one.
        knowledge: Ids of the knowledge sources that it always uses.
        planner: How it plans, as the portal calls it.
        input_limit: Tokens that a prompt may have; None for the emulator's own limit.
    """

    models: tuple[str, ...] = ("gpt-4.1",)
    versions: int | None = None
    knowledge: tuple[str, ...] = ()
    planner: str = "simple"
    input_limit: int | None = None


@dataclass(frozen=True)
class Knowledge:
    """A knowledge source: its name, the text that an answer quotes from it, and how well it fits any question."""

    name: str
    text: str = ""
    score: float = 0.9


def agent_record(agent_id: str, name: str, details: AgentDetails | None) -> dict[str, Any]:
    """What StackSpot tells of an agent (docs/wire.md, "Lists of agents")."""
    details = details or AgentDetails()
    record: dict[str, Any] = {"id": agent_id, "name": name, "model_name": details.models[0]}
    if details.knowledge:
        record["knowledge_sources_config"] = {"knowledge_sources": list(details.knowledge), "max_number_of_kos": 20}
    return {**record, "mode": details.planner}


def limit_refusal(prompt: str, limit: int | None) -> Reply | None:
    """The refusal of a prompt of more tokens than the limit."""
    tokens = len(prompt) // CHARACTERS_OF_TOKEN
    return too_long(limit, tokens) if limit is not None and tokens > limit else None


def option_refusal(
    body: Mapping[str, Any], details: AgentDetails | None, knowledge: Mapping[str, Knowledge] | None
) -> Reply | None:
    """The refusal of a call that asks for what an agent does not have; None where there is nothing to refuse."""
    if details is not None:
        version, model = body.get("agent_version_number"), body.get("selected_model")
        if version is not None and details.versions is not None and not 1 <= version <= details.versions:
            return unprocessable(f"The agent has no version {version}.")
        if model is not None and model not in details.models:
            return unprocessable(f"The agent does not allow the model {model}.")
    unknown = [id_ for id_ in body.get("knowledge_source_ids") or () if knowledge is not None and id_ not in knowledge]
    if unknown:
        return api_error(404, "NotFound", "INFERENCE_0007", f"There is no knowledge source {unknown[0]}.")
    return None


def used_knowledge(
    body: Mapping[str, Any], details: AgentDetails | None, knowledge: Mapping[str, Knowledge] | None
) -> dict[str, Knowledge]:
    """The knowledge that an answer is made with: the agent's own, and what the call adds."""
    ids = [*(details.knowledge if details is not None else ()), *(body.get("knowledge_source_ids") or ())]
    return {id_: (knowledge or {}).get(id_) or Knowledge(f"knowledge source {id_}") for id_ in ids}


def sources_in_answer(used: Mapping[str, Knowledge]) -> dict[str, Any]:
    """The fields by which an answer names the knowledge that it used (docs/wire.md, "Agents API: whole answer")."""
    objects = [
        {
            "type": "knowledge_source",
            "name": one.name,
            "slug": one.name.lower().replace(" ", "-"),
            "document_type": "CUSTOM",
            "document_score": one.score,
            "document_id": f"{id_}-document",
            "id": id_,
        }
        for id_, one in used.items()
    ]
    return {"knowledge_source_id": list(used), "source": objects}


def quotations(used: Mapping[str, Knowledge]) -> Iterator[str]:
    """What an answer says of the knowledge that has a text, so that a reader sees which of it arrived."""
    return (f"\n[{one.name}: {one.text}]" for one in used.values() if one.text)


class Conversations:
    """What was said in the newest conversations."""

    def __init__(self) -> None:
        self._said: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    def before(self, conversation: str) -> list[str]:
        """Prompts and answers so far, in order."""
        with self._lock:
            return list(self._said.get(conversation, ()))

    def remember(self, conversation: str, prompt: str, answer: Iterable[str]) -> Iterator[str]:
        """Pass an answer on, and keep its beginning with its prompt once all of it was said."""
        said, room = [], _KEPT_CHARACTERS
        for delta in answer:
            if room > 0:
                said.append(delta)
                room -= len(delta)
            yield delta
        with self._lock:
            turns = [*self._said.pop(conversation, ()), prompt, "".join(said)]
            self._said[conversation] = turns
            for oldest in list(self._said)[:-_KEPT_CONVERSATIONS]:
                del self._said[oldest]


_KEPT_CONVERSATIONS: Final = 50
_KEPT_CHARACTERS: Final = 64 * 1024
