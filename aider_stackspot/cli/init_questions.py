"""What `init` asks at a terminal, and its proof that the answers work: a token, and one short chat with each agent.

An answer that cannot be is asked for again; all others are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import typer
from pydantic import SecretStr

from aider_stackspot.api.agents import Agent
from aider_stackspot.cli.choice import FreeAnswer, Option, ask, choose
from aider_stackspot.cli.init_files import CLIENT_KEY, Answers
from aider_stackspot.cli.terminal import end_unchanged, say, waiting
from aider_stackspot.config import Account, Model, Settings, home
from aider_stackspot.config.edit import env_text_of, env_values, with_variables
from aider_stackspot.config.locations import same_file
from aider_stackspot.config.schema import STACKSPOT, is_one_word
from aider_stackspot.config.settings import AGENT_ID, DEFAULT_MODELS
from aider_stackspot.config.system_keyring import KEYRING
from aider_stackspot.doctor.report import Progress, duration
from aider_stackspot.doctor.service import check_chats
from aider_stackspot.errors import AuthenticationFailed, ConfigurationError, StackSpotError
from aider_stackspot.network.tokens import AccessToken
from aider_stackspot.pipeline.agent_list import list_agents, request_token

HELP_URL = "https://docs.stackspot.com/en/home/account/profile/access-token"
"""How a personal access token is made (docs/wire.md, "Token endpoint")."""
NO_AGENT = "-"
_SHORTEST_ID = 5
"""Characters below which digits are the number of an agent in the list."""
MODELS = tuple(sorted(DEFAULT_MODELS, reverse=True))
_CREDENTIALS = {
    "id": ("client_id", "Client id"),
    "key": ("client_key", "Client key"),
    "realm": ("realm", "Realm (the account's slug)"),
}
"""What can be given again, with the field that has it and what people call it."""


def ask_for_project() -> bool:
    """Ask whether it is for this project alone; in the home directory that is the same."""
    own, here = home(), Path.cwd()
    if own is None or same_file(own, here):
        return own is None
    options = [
        Option("me", "you, in every project", "me"),
        Option("project", f"only the project {here.name}", "project"),
    ]
    return choose("For whom", options, "me") == "project"


def ask_credentials(known: Answers) -> Answers:
    """Ask for client id, client key and realm, with what is known already as the default."""
    say(
        "The StackSpot portal shows these when you create a service credential or a "
        f"personal access token: {HELP_URL}\n"
    )
    answers = replace(known, agents=dict(known.agents))
    for word in _CREDENTIALS:
        _ask_credential(answers, word)
    return answers


def ask_for_keyring(answers: Answers, env: Path) -> bool:
    """Ask where to keep the client key, where a keyring works; where it is now is the default, else the keyring."""
    stored = answers.stored_key
    keeper = stored.keeper() if stored is not None else None
    if keeper is None:
        return False
    options = [
        Option("keyring", f"{KEYRING} ({keeper})", "keyring"),
        Option("file", f"{env}, readable only by you", "file"),
    ]
    is_in_file = CLIENT_KEY in env_values(env_text_of(env))
    return choose("Where to keep the client key", options, "file" if is_in_file else "keyring") == "keyring"


def proved(answers: Answers, settings: Settings) -> list[Agent] | None:
    """Prove the credentials, and let the one that is wrong be corrected in place.

    Returns:
        The account's agents; `None` where StackSpot could not be asked, and the user wants to go on all the same.

    Raises:
        typer.Exit: the user does not want to go on.
    """
    while True:
        account = account_of(settings, answers)
        try:
            return listed_agents(account, token_of(account))
        except AuthenticationFailed as error:
            say(f"\n{error}\n")
            likely = "realm" if error.status == 404 else "key"
            options = [Option(word, title, word) for word, (_, title) in _CREDENTIALS.items()]
            wrong = choose("Which one do you want to correct", options, likely)
            _ask_credential(answers, wrong, keep=wrong != "key")
        except StackSpotError as error:
            say(f"\n{error}\n")
            if not typer.confirm("Save the credentials without this proof?", default=True, err=True):
                end_unchanged()
            return None


def ask_agents(agents: list[Agent], known: Mapping[str, str], names: Iterable[str] = MODELS) -> dict[str, str]:
    """Let the user choose an agent for each model.

    Args:
        agents: those that StackSpot lists.
        known: the agents that the models have now.
        names: the models.

    Returns:
        The chosen agents' ids; the empty string for none.
    """
    if agents:
        say("\nAn agent can be chosen for each model; its page in the portal shows its id.")
    else:
        say("\nStackSpot lists no agents for this credential. An agent's page in the portal shows its id.")
    options = [Option(agent.id, _title(agent), str(number)) for number, agent in enumerate(agents, start=1)]
    options.append(Option(NO_AGENT, "none: the portal's own chat answers", NO_AGENT))
    by_id = FreeAnswer("an agent that is not listed, by its id", "Agent's id", _problem_with_agent)
    chosen: dict[str, str] = {}
    last = ""
    for name in names:
        answer = choose(f"Agent for {name}", options, known.get(name) or last or NO_AGENT, by_id)
        chosen[name] = last = answer.removeprefix(NO_AGENT)
    return chosen


def _title(agent: Agent) -> str:
    return f"{agent.name} ({agent.model})" if agent.model else agent.name


def prove_agents(answers: Answers, settings: Settings, agents: list[Agent]) -> bool:
    """Let each chosen agent answer once, and ask again for those that do not, as often as the user wants.

    Returns:
        Whether all of them answer.
    """
    refused = refused_chats(settings, answers)
    while refused:
        for one in refused:
            say(f"\n{one.text}")
        if not typer.confirm("\nChoose another agent? (n keeps this one)", default=True, err=True):
            return False
        names = [name for one in refused for name in one.models]
        answers.agents |= ask_agents(agents, {}, names)  # none is the default: those before were refused
        refused = refused_chats(settings, answers, names)
    return True


def _ask_credential(answers: Answers, word: str, *, keep: bool = True) -> None:
    """Ask for one of the credentials, and put it in the place of the one that is there."""
    field, title = _CREDENTIALS[word]
    known: str = getattr(answers, field)
    if word == "key":
        more = " (Enter keeps the one that is set)" if known and keep else ""
        typed = ask(f"{title}, not shown{more}", known if keep else "", _problem_with_key, hidden=True)
    else:
        typed = ask(title, known, _problem_with_word)
    setattr(answers, field, typed)


def _problem_with_word(text: str) -> str | None:
    if not text:
        return "This cannot be left empty."
    if not is_one_word(text):
        return "This must be one word, without spaces or slashes."
    return None


def _problem_with_key(text: str) -> str | None:
    if not text:
        return "This cannot be left empty."
    try:
        with_variables("", {CLIENT_KEY: text})
    except ConfigurationError as error:
        return str(error)
    return None


def _problem_with_agent(text: str) -> str | None:
    is_number = text.isdecimal() and len(text) < _SHORTEST_ID
    return None if AGENT_ID.fullmatch(text) and not is_number else f"There is no agent {text!r}."


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
            findings = list(check_chats(one, [STACKSPOT], Progress()))
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
