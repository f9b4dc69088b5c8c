"""`aider-stackspot init`: from the portal's credentials to a working configuration."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import typer
import yaml
from pydantic import SecretStr

from aider_stackspot.api.agents import Agent
from aider_stackspot.cli.terminal import before_writing, is_interactive
from aider_stackspot.config import Account, current, home
from aider_stackspot.config.display import printable
from aider_stackspot.config.edit import env_text_of, env_values, with_line, with_variables, write_text
from aider_stackspot.config.inputs import RecordedInputs
from aider_stackspot.config.locations import ENV_NAME, FILE_NAME
from aider_stackspot.config.settings import DEFAULT_MODELS, DEFAULT_REALM, MAX_INPUT_TOKENS
from aider_stackspot.errors import AuthenticationFailed, ConfigurationError, StackSpotError
from aider_stackspot.network.tokens import AccessToken
from aider_stackspot.pipeline.agent_list import list_agents, request_token

CLIENT_ID, CLIENT_KEY, REALM = "STACKSPOTAI_CLIENT_ID", "STACKSPOTAI_CLIENT_KEY", "STACKSPOTAI_REALM"
MAX_TRIES = 3
"""How often credentials may be given."""
MODELS = tuple(sorted(DEFAULT_MODELS, reverse=True))
_HEAD = """\
# Which StackSpot agent answers for which model name. The credentials are in .env, not here.
# aider-stackspot models shows what it comes to; docs/configuration.md explains every key.
"""


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

    @property
    def may_ask(self) -> bool:
        """Tell whether there is somebody to ask, who wants to be asked."""
        return not self.non_interactive and is_interactive()


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


def init(
    client_id: Annotated[str | None, typer.Option(help="Client id, as the portal shows it.", metavar="ID")] = None,
    client_key_stdin: Annotated[
        bool, typer.Option("--client-key-stdin", help="Read the client key from standard input.")
    ] = False,
    realm: Annotated[str | None, typer.Option(help="The account's slug.", metavar="SLUG")] = None,
    agent: Annotated[
        list[str] | None,
        typer.Option(help="An agent for every model, or for one: NAME=ID. May be repeated.", metavar="[NAME=]ID"),
    ] = None,
    home: Annotated[bool, typer.Option("--home", help="Write to the home directory, for all projects.")] = False,
    non_interactive: Annotated[
        bool, typer.Option("--non-interactive", help="Ask nothing; take options and STACKSPOTAI_* variables.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there without asking.")] = False,
    no_check: Annotated[bool, typer.Option("--no-check", help="Save without a token request.")] = False,
) -> None:
    """Set up credentials and models, and prove that they work.

    It asks for what the StackSpot portal shows. `.env` gets the credentials (readable by you alone, kept out of git,
    its other lines stay), `.aider.litellm.yml` the agents. Both go to the working directory, or with --home to your
    home directory. The key is never an option: it is asked for without echo, or comes from STACKSPOTAI_CLIENT_KEY or
    standard input.

    Examples:
        aider-stackspot init
        aider-stackspot init --home --agent 01ARZ3NDEKTSV4RRFFQ69G5FAV
        aider-stackspot init --client-id ID --client-key-stdin < key.txt
    """
    options = InitOptions(client_id, client_key_stdin, realm, agent or [], home, non_interactive, force, no_check)
    with before_writing():
        directory = _directory(options)
        given = _given(options, directory)
        answers = _ask(given, options) if options.may_ask else _check(given, options)
        files = _agreed_files(directory, answers, options)
    files.write()
    _warn_of_environment(answers.variables)
    _offer_measuring(list(dict.fromkeys(answers.agents.values())))
    _say("\nReady. Run:\n")
    print(f"aider --model {MODELS[0]}")


def _directory(options: InitOptions) -> Path:
    """Return where the files go, and refuse to where git would take the credentials."""
    if options.home:
        found = home()
        if found is None:
            raise ConfigurationError("--home: there is no home directory; set HOME.")
        directory = found
    else:
        try:
            directory = Path.cwd()
        except OSError as error:
            raise ConfigurationError(f"The working directory cannot be used: {error.strerror}.") from None
    if _git(directory, "ls-files", "--error-unmatch", "--", ENV_NAME) == 0:
        raise ConfigurationError(
            f"{directory / ENV_NAME} is under version control: credentials in it would be committed. Run `git rm "
            "--cached .env` first, or use --home."
        )
    return directory


def _given(options: InitOptions, directory: Path) -> Answers:
    """Return what the options say, else the environment, else the file that is there."""
    variable = RecordedInputs().variable
    in_file = env_values(env_text_of(directory / ENV_NAME))
    given = Answers(agents=_given_agents(options.agents))
    given.client_id = options.client_id or variable(CLIENT_ID) or in_file.get(CLIENT_ID, "")
    given.realm = options.realm or variable(REALM) or in_file.get(REALM, "")
    if options.client_key_stdin:
        given.client_key = sys.stdin.readline().strip()
    else:
        given.client_key = variable(CLIENT_KEY) or in_file.get(CLIENT_KEY, "")
    return given


def _given_agents(texts: Sequence[str]) -> dict[str, str]:
    agents: dict[str, str] = {}
    for text in texts:
        name, equals, agent_id = text.rpartition("=")
        agent_id, name = agent_id.strip(), name.strip()
        is_name = name.isprintable() and not any(char.isspace() for char in name)
        if not (agent_id.isalnum() and agent_id.isascii()) or not is_name or (equals and not name):
            raise ConfigurationError(f"--agent {printable(text)}: an agent's id, or NAME=ID, is expected.")
        agents |= {name: agent_id} if equals else dict.fromkeys(MODELS, agent_id)
    return agents


def _check(answers: Answers, options: InitOptions) -> Answers:
    """Take what was given; there is nobody to ask."""
    answers.realm = answers.realm or DEFAULT_REALM
    missing = [name for name, value in answers.variables.items() if not value]
    if missing:
        named = {CLIENT_ID: "--client-id", CLIENT_KEY: "--client-key-stdin"}
        raise ConfigurationError(
            f"Not set: {', '.join(f'{name} (or {named[name]})' for name in missing)}. There is no terminal to ask "
            "at, or --non-interactive was given."
        )
    if not options.no_check:
        request_token(_account(answers))
        _say("StackSpot accepts the credentials.")
    return answers


def _ask(given: Answers, options: InitOptions) -> Answers:
    """Ask for everything, with what is known already as the default."""
    _say("The StackSpot portal shows these when you create a service credential or a\npersonal access token.\n")
    for attempt in range(1, MAX_TRIES + 1):
        answers = Answers(agents=dict(given.agents))
        answers.client_id = typer.prompt("Client id", default=given.client_id or None, err=True).strip()
        answers.client_key = _ask_key(given.client_key)
        answers.realm = typer.prompt(
            "Realm (the account's slug)",
            default=given.realm or DEFAULT_REALM,
            err=True,
        ).strip()
        if options.no_check:
            return answers
        account = _account(answers)
        try:
            token = request_token(account)
        except AuthenticationFailed as error:
            if attempt == MAX_TRIES:
                raise
            _say(f"\n{error}\n")
            given = replace(answers, client_key="")
            continue
        _say("StackSpot accepts the credentials.")
        if not answers.agents:
            answers.agents = _ask_agents(_listed(account, token))
        return answers
    raise AssertionError("the last try returns or raises")


def _ask_key(known: str) -> str:
    more = " (Enter keeps the one that is set)" if known else ""
    typed = typer.prompt(
        f"Client key, not shown{more}", default=known or None, show_default=False, hide_input=True, err=True
    )
    return str(typed).strip()


def _listed(account: Account, token: AccessToken) -> list[Agent]:
    """Return the account's agents, or none where no list answers: an id will do."""
    try:
        return list_agents(account, token)
    except StackSpotError:
        return []


def _ask_agents(agents: list[Agent]) -> dict[str, str]:
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
    for name in MODELS:
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


def _offer_measuring(agents: Sequence[str]) -> None:
    """Name the command that finds out what the chosen agents take, which costs a call: the user decides."""
    if agents:
        _say(f"\naider keeps to {MAX_INPUT_TOKENS:,} tokens until it knows what your agent takes. To find out:")
    for agent_id in agents:
        _say(f"  aider-stackspot agents measure {agent_id}")
    if agents:
        _say("How an agent is set up for coding is in docs/agents.md.")


def _account(answers: Answers) -> Account:
    settings = current()
    if settings.problem is not None:
        raise ConfigurationError(settings.problem)
    account = settings.accounts["stackspot"]
    key = SecretStr(answers.client_key)
    return replace(account, client_id=answers.client_id, client_key=key, realm=answers.realm)


@dataclass(frozen=True)
class _Files:
    """The new texts of the files in a directory; `None` where a file stays as it is."""

    directory: Path
    env: str = field(repr=False)
    config: str | None
    gitignore: str | None
    backup: Path | None

    def write(self) -> None:
        """Write the files, each whole or not at all, and say what is in them.

        Raises:
            ConfigurationError: one of them cannot be written.
        """
        env, config = self.directory / ENV_NAME, self.directory / FILE_NAME
        if self.gitignore is not None:
            write_text(self.directory / ".gitignore", self.gitignore)
        write_text(env, self.env, private=True)
        if self.backup is not None:
            _copy(config, self.backup)
        if self.config is not None:
            write_text(config, self.config)
        kept_out = " and kept out of git" if self.gitignore is not None else ""
        _say(f"\n{env}: credentials, readable by you alone{kept_out}.")
        _say(f"{config}: {'the models and their agents' if self.config is not None else 'left as it is'}.")


def _agreed_files(directory: Path, answers: Answers, options: InitOptions) -> _Files:
    """Return what to write, after the user has agreed to each replacement."""
    env, config = directory / ENV_NAME, directory / FILE_NAME
    old_env, old_config = env_text_of(env), env_text_of(config)
    known = env_values(old_env)
    replaced = [name for name, value in answers.variables.items() if known.get(name) not in (None, "", value)]
    if replaced:
        _confirm(f"{env} has other values for {', '.join(replaced)}. Replace them?", options)
    new_config: str | None = _configuration(answers.agents)
    if new_config == old_config or (old_config and not answers.agents):
        new_config = None
    backup = config.with_name(f"{config.name}.bak") if new_config is not None and old_config else None
    if backup is not None:
        _confirm(f"{config} exists. Replace it (the old one stays as {backup.name})?", options)
    new_env = with_variables(old_env, answers.variables)
    return _Files(directory, new_env, new_config, _gitignore(directory), backup)


def _confirm(question: str, options: InitOptions) -> None:
    if options.force:
        return
    if not options.may_ask:
        raise ConfigurationError(f"{question.removesuffix('?')}: run it with --force. Nothing was written.")
    if not typer.confirm(question, default=False, err=True):
        raise typer.Abort


def _configuration(agents: Mapping[str, str]) -> str:
    """Return a `.aider.litellm.yml` that maps the three model names to agents; a name without one has the default."""
    models = {name: {"agent_id": agents[name]} if agents.get(name) else {} for name in sorted(DEFAULT_MODELS)}
    models |= {name: {"agent_id": agent} for name, agent in agents.items() if name not in models}
    document = {"providers": {"stackspot": {"models": models}}}
    return _HEAD + yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def _gitignore(directory: Path) -> str | None:
    """Return the `.gitignore` that keeps `.env` out of git, or `None` where nothing has to be done."""
    status = _git(directory, "check-ignore", "--quiet", "--", ENV_NAME)
    if status == 0 or (status != 1 and not (directory / ".git").exists()):
        return None
    return with_line(env_text_of(directory / ".gitignore"), ENV_NAME)


def _git(directory: Path, *arguments: str) -> int | None:
    """Return git's exit status, or `None` where there is no git."""
    try:
        return subprocess.run(["git", *arguments], cwd=directory, capture_output=True, timeout=30).returncode
    except (OSError, subprocess.TimeoutExpired):
        return None


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copy2(source, target)
    except OSError as error:
        raise ConfigurationError(f"{target} cannot be written: {error.strerror}.") from None


def _warn_of_environment(variables: Mapping[str, str]) -> None:
    variable = RecordedInputs().variable
    other = [name for name, value in variables.items() if variable(name) not in (None, value)]
    if other:
        _say(f"Your environment has other values for {', '.join(other)}, and it comes before .env: unset them.")


def _say(text: str) -> None:
    print(text, file=sys.stderr)
