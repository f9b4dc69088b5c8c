"""The proof that what `init` was given works: a token, and one short chat with each agent that is going to answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pydantic import SecretStr

from aider_stackspot.api.agents import Agent
from aider_stackspot.cli.init_files import Answers
from aider_stackspot.cli.terminal import say, waiting
from aider_stackspot.config import Account, Model, Settings
from aider_stackspot.config.schema import STACKSPOT
from aider_stackspot.config.settings import DEFAULT_MODELS
from aider_stackspot.doctor.report import duration
from aider_stackspot.doctor.service import check_chats
from aider_stackspot.errors import StackSpotError
from aider_stackspot.network.tokens import AccessToken
from aider_stackspot.pipeline.agent_list import list_agents, request_token

MODELS = tuple(sorted(DEFAULT_MODELS, reverse=True))
"""The models that `init` sets up, in the order in which it asks for their agents."""


@dataclass(frozen=True)
class Refused:
    """A chat that failed: the models that it was for, and what went wrong."""

    models: tuple[str, ...]
    text: str


def account_of(settings: Settings, answers: Answers) -> Account:
    """Return the account as it is going to be."""
    key = SecretStr(answers.client_key)
    return replace(settings.accounts[STACKSPOT], client_id=answers.client_id, client_key=key, realm=answers.realm)


def token_of(account: Account) -> AccessToken:
    """Ask for a token, and say that it was given.

    Raises:
        StackSpotError: the credentials are refused, or nobody answers.
    """
    with waiting("Asking StackSpot for a token"):
        token = request_token(account)
    say("StackSpot accepts the credentials.")
    return token


def listed_agents(account: Account, token: AccessToken) -> list[Agent]:
    """Return the account's agents, or none where no list answers: an id will do."""
    try:
        with waiting("Asking StackSpot for your agents"):
            return list_agents(account, token)
    except StackSpotError:
        return []


def refused_chats(settings: Settings, answers: Answers, only: Iterable[str] = ()) -> list[Refused]:
    """Let each agent that is going to answer say one word, and return what failed.

    Args:
        settings: the configuration as it is.
        answers: what it is going to be.
        only: these models alone; empty for all that `init` sets up.
    """
    refused = []
    for models in _served_alike(settings, answers, tuple(only) or (*MODELS, *answers.agents)):
        names = tuple(model.name for model in models)
        who = f"agent {models[0].agent_id}" if models[0].agent_id else f"StackSpot's {models[0].api}"
        one = replace(settings, models={model.route: model for model in models})
        with waiting(f"Waiting for one word from {who}"):
            findings = list(check_chats(one, [STACKSPOT]))
        for finding in findings:
            if finding.status == "failed":
                refused.append(Refused(names, f"{', '.join(names)}: {finding.detail}"))
            else:
                say(f"{who[:1].upper()}{who[1:]} answers for {', '.join(names)} ({duration(finding.seconds or 0)}).")
    return refused


def _served_alike(settings: Settings, answers: Answers, names: Iterable[str]) -> Iterable[list[Model]]:
    """Return the models as they are going to be, those together that the same agent or API serves."""
    account = account_of(settings, answers)
    alike: dict[tuple[object, ...], list[Model]] = {}
    for name in dict.fromkeys(names):
        model = _model(settings.models.get(f"{STACKSPOT}/{name}"), account, name, answers.agents)
        alike.setdefault((model.api, model.agent_id, model.quick_command), []).append(model)
    return alike.values()


def _model(known: Model | None, account: Account, name: str, agents: Mapping[str, str]) -> Model:
    model = replace(known or Model(name, account, "chat"), account=account)
    if name not in agents:
        return model
    if agents[name]:
        return replace(model, api="agent", agent_id=agents[name])
    return replace(model, agent_id=None, api="chat" if model.api == "agent" else model.api)
