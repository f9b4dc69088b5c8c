"""`aider-stackspot init`: from the portal's credentials to a working configuration."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import typer

from aider_stackspot.cli.init_files import (
    CLIENT_ID,
    CLIENT_KEY,
    REALM,
    Answers,
    Place,
    Plan,
    replaced_variables,
)
from aider_stackspot.cli.init_questions import (
    MODELS,
    NO_AGENT,
    account_of,
    ask_agents,
    ask_credentials,
    ask_for_keyring,
    ask_for_project,
    prove_agents,
    proved,
    refused_chats,
    token_of,
)
from aider_stackspot.cli.terminal import before_writing, end_unchanged, is_interactive, say
from aider_stackspot.config import Account, Settings, current
from aider_stackspot.config.display import printable, told_together
from aider_stackspot.config.edit import env_text_of, env_values, text_of
from aider_stackspot.config.locations import RecordedInputs
from aider_stackspot.config.schema import STACKSPOT, is_model_name
from aider_stackspot.config.settings import AGENT_ID, DEFAULT_REALM, MAX_INPUT_TOKENS
from aider_stackspot.errors import ConfigurationError


@dataclass(frozen=True)
class InitOptions:
    """The options of the command."""

    client_id: str | None
    client_key_stdin: bool
    realm: str | None
    agents: Sequence[str]
    project: bool
    non_interactive: bool
    force: bool
    no_check: bool

    @property
    def may_ask(self) -> bool:
        """Tell whether there is somebody to ask, who wants to be asked."""
        return not self.non_interactive and is_interactive()


def set_up(options: InitOptions) -> None:
    """Ask for what is missing, prove it, and write it."""
    with before_writing():
        settings = current()
        if settings.problem is not None:
            raise ConfigurationError(settings.problem)
        in_project = options.project or (options.may_ask and ask_for_project())
        place = Place.of_project() if in_project else Place.of_person()
        text_of(place.config)  # a file that cannot be changed is refused before anything is typed
        given = _given(options, place, settings.accounts[STACKSPOT], in_project=in_project)
        answers, is_proved = (_asked if options.may_ask else _unasked)(given, options, settings)
        if in_project:  # whoever clones it would choose the key, so only one that is there already can be used
            unchanged = (answers.variables, answers.client_key) == (given.variables, given.client_key)
            answers.in_keyring = given.in_keyring and unchanged
        elif options.may_ask:
            answers.in_keyring = ask_for_keyring(answers, place.env)
        plan = _agreed(place, answers, options, settings)
    plan.write()
    say("Written.")
    _tell_what_wins(answers)
    _offer_measuring([agent_id for agent_id in dict.fromkeys(answers.agents.values()) if agent_id])
    if not is_proved:
        say("\nNot everything was proved. To test it again: aider-stackspot doctor")
    say("\nReady. Run:\n" if is_proved else "\nThen run:\n")
    print(f"aider --model {MODELS[0]}")


def _given(options: InitOptions, place: Place, account: Account, *, in_project: bool) -> Answers:
    """Return what the options say, else the environment, else the file that is there, else the keyring.

    Args:
        options: the options.
        place: the files.
        account: the account as it is.
        in_project: a project is set up: no other key of the keyring than the account's is for it.
    """
    variable = RecordedInputs().variable
    in_file = env_values(env_text_of(place.env))
    given = Answers(agents=_given_agents(options.agents), auth_url=account.auth_url)
    given.client_id = options.client_id or variable(CLIENT_ID) or in_file.get(CLIENT_ID, "")
    given.realm = options.realm or variable(REALM) or in_file.get(REALM, "") or DEFAULT_REALM
    if options.client_key_stdin:
        given.client_key = sys.stdin.readline().strip()
    else:
        given.client_key = variable(CLIENT_KEY) or in_file.get(CLIENT_KEY, "")
    if not given.client_key and given.client_id:
        is_other = (account.client_id, account.realm) != (given.client_id, given.realm)
        stored = given.stored_key if not in_project else None if is_other else account.stored_key
        key = stored.key() if stored is not None else None
        given.client_key, given.in_keyring = (key.get_secret_value(), True) if key is not None else ("", False)
    return given


def _given_agents(texts: Sequence[str]) -> dict[str, str]:
    agents: dict[str, str] = {}
    for text in texts:
        name, equals, agent_id = text.rpartition("=")
        agent_id, name = agent_id.strip(), name.strip()
        is_agent = agent_id == NO_AGENT or AGENT_ID.fullmatch(agent_id)
        if not is_agent or (equals and not is_model_name(name)):
            raise ConfigurationError(f"--agent {printable(text)}: an agent's id, or NAME=ID, is expected; - for none.")
        agents |= dict.fromkeys([name] if equals else MODELS, agent_id.removeprefix(NO_AGENT))
    return agents


def _unasked(answers: Answers, options: InitOptions, settings: Settings) -> tuple[Answers, bool]:
    """Take what was given; there is nobody to ask."""
    missing = [name for name, value in answers.variables.items() if not value]
    if missing:
        named = {CLIENT_ID: "--client-id", CLIENT_KEY: "--client-key-stdin"}
        raise ConfigurationError(
            f"Not set: {', '.join(f'{name} (or {named[name]})' for name in missing)}. There is no terminal to ask "
            "at, or --non-interactive was given."
        )
    if not options.no_check:
        token_of(account_of(settings, answers))
        for refused in refused_chats(settings, answers):
            raise ConfigurationError(f"{refused.text}\nNothing was written. To save it anyway, add --no-check.")
    return answers, True


def _asked(given: Answers, options: InitOptions, settings: Settings) -> tuple[Answers, bool]:
    """Ask for everything, with what is known already as the default, and prove it unless that is not wanted."""
    answers = ask_credentials(given)
    agents = None if options.no_check else proved(answers, settings)
    known = _agents_now(settings)
    if not answers.agents:
        chosen = ask_agents(agents or [], known)
        answers.agents = {name: agent_id for name, agent_id in chosen.items() if agent_id != known.get(name, "")}
    if agents is None:
        return answers, options.no_check
    return answers, prove_agents(answers, settings, agents)


def _agents_now(settings: Settings) -> dict[str, str]:
    models = settings.models
    return {name: models[f"{STACKSPOT}/{name}"].agent_id or "" for name in MODELS}


def _agreed(place: Place, answers: Answers, options: InitOptions, settings: Settings) -> Plan:
    """Show what is going to be written, and return what the user agrees to."""
    plan = _possible(Plan(place, answers, _agents_now(settings)), options)
    plan.show()
    replaced = replaced_variables(place, answers)
    if replaced and not options.force:
        what = f"{place.env} has other values for {', '.join(replaced)}"
        if not options.may_ask:
            raise ConfigurationError(f"{what}. To replace them, add --force. Nothing was written.")
        say(f"{what}.")
        if not typer.confirm("Replace them?", default=True, err=True):
            end_unchanged()
    if plan.config is None or not text_of(place.config) or options.force or not options.may_ask:
        return plan
    if typer.confirm("Make this change?", default=True, err=True):
        return plan
    say(f"{place.config} stays as it is; the credentials are saved.")
    return replace(plan, agents_too=False)


def _possible(plan: Plan, options: InitOptions) -> Plan:
    """Return a plan that can be carried out: a file that cannot be changed safely costs nobody what they typed.

    Raises:
        ConfigurationError: that file cannot be changed, and there is nobody to be told to do it by hand.
    """
    try:
        _ = plan.config
    except ConfigurationError as error:
        if not options.may_ask:
            raise
        say(f"\n{plan.place.config}: {error}")
        return replace(plan, agents_too=False)
    return plan


def _tell_what_wins(answers: Answers) -> None:
    """Name whatever comes before the files that were written, so that something else is used than what they say."""
    settings = current()
    account = settings.accounts[STACKSPOT]
    used = {
        "client_id": (account.client_id, answers.client_id),
        "api_key": (key.get_secret_value() if (key := account.key()) else None, answers.client_key),
        "client_realm": (account.realm, answers.realm),
    }
    places = [account.origin(key) for key, (now, wanted) in used.items() if now != wanted]
    if places:
        say(f"Other credentials come first and are used here: {', '.join(places)}. Remove them to use the new ones.")
    for name, wanted in answers.agents.items():
        model = settings.models.get(f"{STACKSPOT}/{name}")
        if model is not None and (model.agent_id or "") != wanted:
            where = account.origins.get("agent_id", "not set")
            where = where if where != "not set" else ", ".join(settings.files)
            say(f"{name} is still answered by {model.agent_id or 'no agent'}, because of: {where}.")
    for notice in told_together(settings.notices):
        say(notice)


def _offer_measuring(agents: Sequence[str]) -> None:
    """Name the command that finds out what the chosen agents take, which costs a call: the user decides."""
    if agents:
        say(f"\naider sends at most {MAX_INPUT_TOKENS:,} tokens until it knows how many your agent takes. To find out:")
    for agent_id in agents:
        say(f"  aider-stackspot agents measure {agent_id}")
    if agents:
        say("How to set up an agent for coding: aider-stackspot docs agents")
