"""The steps of `init`: what is known, what is asked, the proof, and the files."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

import typer
from pydantic import SecretStr

from aider_stackspot.cli import init_files as files
from aider_stackspot.cli.agents import Agent, agents_of, prove
from aider_stackspot.cli.terminal import is_interactive, write_whole
from aider_stackspot.config import Account, current
from aider_stackspot.config.display import printable
from aider_stackspot.config.settings import DEFAULT_MODELS, DEFAULT_REALM
from aider_stackspot.errors import AuthenticationFailed, ConfigurationError

CLIENT_ID, CLIENT_KEY, REALM = "STACKSPOTAI_CLIENT_ID", "STACKSPOTAI_CLIENT_KEY", "STACKSPOTAI_REALM"
TRIES = 3
"""How often refused credentials may be corrected."""
NAMES = tuple(sorted(DEFAULT_MODELS, reverse=True))


@dataclass(frozen=True)
class InitOptions:
    """The options of the command."""

    client_id: str | None
    client_key_stdin: bool
    realm: str | None
    agents: Sequence[str]
    home: bool
    non_interactive: bool
    force: bool
    no_check: bool


@dataclass
class Answers:
    """What is going to be written."""

    client_id: str = ""
    client_key: str = field(default="", repr=False)
    realm: str = ""
    agents: dict[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, str]:
        """The lines of `.env`."""
        return {CLIENT_ID: self.client_id, CLIENT_KEY: self.client_key, REALM: self.realm}


def set_up(wish: InitOptions) -> None:
    """Ask or take what was given, prove it, write the files, and tell what to run.

    Raises:
        StackSpotError: something is missing, refused, or cannot be written; then nothing was.
    """
    asks = not wish.non_interactive and is_interactive()
    directory = _directory(wish)
    if files.is_tracked(directory, files.ENV_NAME):
        raise ConfigurationError(
            f"{directory / files.ENV_NAME} is under version control: credentials in it would be committed. Run `git rm "
            "--cached .env` first, or use --home."
        )
    try:
        given = _given(wish, directory)
        answers = _ask(given, no_check=wish.no_check) if asks else _checked(given, no_check=wish.no_check)
        _save(directory, answers, asks=asks, force=wish.force)
    except (typer.Abort, KeyboardInterrupt):
        _say("\nNothing was written.")
        raise typer.Exit(130) from None
    _say("\nReady. Run:\n")
    print(f"aider --model {NAMES[0]}")


def _directory(wish: InitOptions) -> Path:
    try:
        return Path.home() if wish.home else Path.cwd()
    except RuntimeError:
        raise ConfigurationError("--home: there is no home directory; set HOME.") from None
    except OSError as error:
        raise ConfigurationError(f"The working directory cannot be used: {error.strerror}.") from None


def _given(wish: InitOptions, directory: Path) -> Answers:
    """Return what the options say, else the environment, else the file that is there."""
    found = files.env_values(files.read(directory / files.ENV_NAME))
    given = Answers(agents=_given_agents(wish.agents))
    given.client_id = wish.client_id or os.environ.get(CLIENT_ID) or found.get(CLIENT_ID, "")
    given.realm = wish.realm or os.environ.get(REALM) or found.get(REALM, "")
    if wish.client_key_stdin:
        given.client_key = sys.stdin.readline().strip()
    else:
        given.client_key = os.environ.get(CLIENT_KEY) or found.get(CLIENT_KEY, "")
    return given


def _given_agents(texts: Sequence[str]) -> dict[str, str]:
    agents: dict[str, str] = {}
    for text in texts:
        name, equals, agent_id = text.rpartition("=")
        agent_id, name = agent_id.strip(), name.strip()
        is_name = name.isprintable() and not any(char.isspace() for char in name)
        if not (agent_id.isalnum() and agent_id.isascii()) or not is_name or (equals and not name):
            raise ConfigurationError(f"--agent {printable(text)}: an agent's id, or NAME=ID, is expected.")
        agents |= {name: agent_id} if equals else dict.fromkeys(NAMES, agent_id)
    return agents


def _checked(answers: Answers, *, no_check: bool) -> Answers:
    """Take what was given; there is nobody to ask."""
    answers.realm = answers.realm or DEFAULT_REALM
    missing = [name for name, value in answers.variables.items() if not value]
    if missing:
        options = {CLIENT_ID: "--client-id", CLIENT_KEY: "--client-key-stdin"}
        raise ConfigurationError(
            f"Not set: {', '.join(f'{name} (or {options[name]})' for name in missing)}. There is no terminal to ask "
            "at, or --non-interactive was given."
        )
    if not no_check:
        prove(_account(answers))
        _say("StackSpot accepts the credentials.")
    return answers


def _ask(given: Answers, *, no_check: bool) -> Answers:
    """Ask for everything, with what is known already as the default."""
    _say("The StackSpot portal shows these when you create a service credential or a\npersonal access token.\n")
    for attempt in range(1, TRIES + 1):
        answers = Answers(agents=dict(given.agents))
        answers.client_id = typer.prompt("Client id", default=given.client_id or None, err=True).strip()
        answers.client_key = _ask_key(given.client_key)
        answers.realm = typer.prompt(
            "Realm (the account's slug; stackspot-freemium for a free account)",
            default=given.realm or DEFAULT_REALM,
            err=True,
        ).strip()
        if no_check:
            return answers
        account = _account(answers)
        try:
            token = prove(account)
        except AuthenticationFailed as error:
            if attempt == TRIES:
                raise
            _say(f"\n{error}\n")
            given = replace(answers, client_key="")
            continue
        _say("StackSpot accepts the credentials.")
        if not answers.agents:
            answers.agents = _pick(agents_of(account, token))
        return answers
    raise AssertionError("the last try returns or raises")


def _ask_key(known: str) -> str:
    more = " (Enter keeps the one that is set)" if known else ""
    typed = typer.prompt(
        f"Client key, not shown{more}", default=known or None, show_default=False, hide_input=True, err=True
    )
    return str(typed).strip()


def _pick(agents: list[Agent]) -> dict[str, str]:
    """Let the user choose an agent for each model."""
    if agents:
        _say("\nYour agents:")
        for number, agent in enumerate(agents, start=1):
            _say(f"  {number:>3}  {agent.name}{f' ({agent.model})' if agent.model else ''}")
        question = "Agent for {} (number, id, or - for the portal's own chat)"
    else:
        _say("\nStackSpot lists no agents for this credential. An agent's page in the portal shows its id.")
        question = "Agent id for {} (or - for the portal's own chat)"
    picked: dict[str, str] = {}
    last = "-"
    for name in NAMES:
        while True:
            last = typer.prompt(question.format(name), default=last, err=True).strip()
            agent_id = _agent_id(last, agents)
            if agent_id is not None:
                break
            _say(f"There is no agent {last!r}.")
            last = "-"
        if agent_id:
            picked[name] = agent_id
    return picked


def _agent_id(text: str, agents: list[Agent]) -> str | None:
    """Return the id that was chosen, the empty string for none, `None` where it makes no sense."""
    if text in ("", "-"):
        return ""
    if text.isdecimal() and len(text) < 5:
        return agents[int(text) - 1].id if 0 < int(text) <= len(agents) else None
    return text if text.isalnum() and text.isascii() else None


def _account(answers: Answers) -> Account:
    settings = current()
    if settings.problem is not None:
        raise ConfigurationError(settings.problem)
    account = settings.accounts["stackspot"]
    key = SecretStr(answers.client_key)
    return replace(account, client_id=answers.client_id, client_key=key, realm=answers.realm)


def _save(directory: Path, answers: Answers, *, asks: bool, force: bool) -> None:
    """Write the files, each whole or not at all, after every question was asked."""
    env, config = directory / files.ENV_NAME, directory / files.FILE_NAME
    old_env, old_config = files.read(env), files.read(config)
    known = files.env_values(old_env)
    replaced = [name for name, value in answers.variables.items() if known.get(name) not in (None, "", value)]
    if replaced and not force:
        _confirm(f"{env} has other values for {', '.join(replaced)}. Replace them?", asks=asks)
    new_env = files.merged_env(old_env, answers.variables)
    new_config = files.configuration(answers.agents)
    writes_config = bool(answers.agents or not old_config) and new_config != old_config
    backup = config.with_name(f"{config.name}.bak")
    if writes_config and old_config and not force:
        _confirm(f"{config} exists. Replace it (the old one stays as {backup.name})?", asks=asks)
    ignore = files.ignored_text(directory)
    try:
        if ignore is not None:
            write_whole(directory / ".gitignore", ignore)
        write_whole(env, new_env, private=True)
        if writes_config:
            if old_config:
                shutil.copy2(config, backup)
            write_whole(config, new_config)
    except OSError as error:
        raise ConfigurationError(f"{directory}: the files cannot be written: {error.strerror}") from None
    _say(f"\n{env}: credentials, readable by you alone{' and kept out of git' if ignore is not None else ''}.")
    _say(f"{config}: {'the models and their agents' if writes_config else 'left as it is'}.")
    _warn_of_environment(answers.variables)


def _confirm(question: str, *, asks: bool) -> None:
    if not asks:
        _end(f"{question.removesuffix('?')}: run it with --force. Nothing was written.")
    if not typer.confirm(question, default=False, err=True):
        raise typer.Abort


def _warn_of_environment(variables: Mapping[str, str]) -> None:
    other = [name for name, value in variables.items() if os.environ.get(name, value) != value]
    if other:
        _say(f"Your environment has other values for {', '.join(other)}, and it comes before .env: unset them.")


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _end(problem: str) -> NoReturn:
    raise ConfigurationError(problem)
