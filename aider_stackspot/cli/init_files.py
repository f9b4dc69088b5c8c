"""What `init` writes: where, what changes in files that are there already, and what git must not see."""

from __future__ import annotations

import difflib
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from aider_stackspot.cli.terminal import say
from aider_stackspot.config.display import printable
from aider_stackspot.config.edit import (
    changing,
    env_text_of,
    env_values,
    text_of,
    users_env_file,
    users_file,
    with_line,
    with_variables,
    without_variables,
    write_text,
)
from aider_stackspot.config.edit_yaml import has_provider, with_model_key, without_model_key
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.locations import ENV_NAME, FILE_NAME
from aider_stackspot.config.schema import STACKSPOT
from aider_stackspot.config.settings import CREDENTIAL_VARIABLES, DEFAULT_AUTH_URL
from aider_stackspot.config.stackspot import key_in_keyring
from aider_stackspot.config.system_keyring import KEYRING, SERVICE, StoredKey
from aider_stackspot.errors import ConfigurationError
from aider_stackspot.redact import scrub

_SHOWN_KEYS = ("agent_id",)
"""The keys whose values are what the change is about."""
_COMMENT = re.compile(r"(^|\s)#.*$")
_VALUE = re.compile(r"""^(\s*(?:[\w.-]+|"[^"]*"|'[^']*')\s*:)\s+(?=[^\s#]).*$""")


def difference(before: str, after: str, name: str) -> list[str]:
    """Return a unified diff of two texts of a YAML file.

    Lines that stay are shown for orientation only, so their values and comments are left out: a key may stand there,
    and a comment may hold an older one. In lines that change, the values of all keys but an agent's id are left out.

    Args:
        before: the file as it is, valid YAML.
        after: the file as it is going to be, valid YAML.
        name: the file's, for the two lines at the top.
    """
    secrets = _values(yaml.safe_load(before)) | _values(yaml.safe_load(after))
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), name, name, lineterm=""))
    return [*map(printable, lines[:2]), *(_shown(line, secrets) for line in lines[2:])]


def _shown(line: str, secrets: set[str]) -> str:
    kind, text = line[:1], line[1:]
    if kind == "@":
        return line
    text = _COMMENT.sub(r"\1# …", text)
    if kind == " ":
        has_structure = text.strip().startswith("#") or text.rstrip().endswith(":") or not text.strip()
        text = text if has_structure else _VALUE.sub(r"\1 …", text)
        text = text if has_structure or text.endswith("…") else _indented(text)
    return printable(kind + scrub(text, secrets))


def _indented(text: str) -> str:
    """Return what is shown of a line that is neither a key nor a comment: the inside of a longer text, a list's."""
    return f"{text[: len(text) - len(text.lstrip())]}…"


def _values(data: Any) -> set[str]:
    """Return the lines of every text that is a value, but for those that are shown and for names."""
    return set(_texts(data)) - set(_names(data))


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        for name, inner in data.items():
            yield from _texts(inner) if name not in _SHOWN_KEYS else ()
    elif isinstance(data, list):
        for inner in data:
            yield from _texts(inner)
    elif isinstance(data, str):
        yield from (line.strip() for line in data.splitlines())


def _names(data: Any) -> Iterator[str]:
    for inner in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from _names(inner)
    if isinstance(data, dict):
        yield from map(str, data)


CLIENT_ID, CLIENT_KEY, REALM = (CREDENTIAL_VARIABLES[key] for key in ("client_id", "api_key", "client_realm"))
_HEAD = """\
# Which StackSpot agent answers for which model name. The credentials are in .env, not here.
# aider-stackspot models shows what it comes to; aider-stackspot docs configuration explains every key.
"""


@dataclass
class Answers:
    """What is going to be written.

    `agents` has the models that get another agent; the empty string means none. `in_keyring` tells that the system's
    keyring gets the client key, in place of `.env`; `auth_url` is where it is for.
    """

    client_id: str = ""
    client_key: str = field(default="", repr=False)
    realm: str = ""
    agents: dict[str, str] = field(default_factory=dict)
    in_keyring: bool = False
    auth_url: str = DEFAULT_AUTH_URL

    @property
    def variables(self) -> dict[str, str]:
        """The lines of `.env`."""
        key = {} if self.in_keyring else {CLIENT_KEY: self.client_key}
        return {CLIENT_ID: self.client_id, **key, REALM: self.realm}

    @property
    def stored_key(self) -> StoredKey | None:
        """The key's place in the system's keyring, where one can be there."""
        return key_in_keyring(Environment(), self.realm, self.client_id, self.auth_url)

    @property
    def to_be_stored(self) -> StoredKey | None:
        """The place that the key is going to be put into; `None` where it stays as it is, or goes into `.env`."""
        stored = self.stored_key if self.in_keyring else None
        now = stored.key() if stored is not None else None
        return None if now is not None and now.get_secret_value() == self.client_key else stored


@dataclass(frozen=True)
class Place:
    """The two files: one for credentials, which git must not see, and one for agents."""

    env: Path
    config: Path

    @classmethod
    def of_person(cls) -> Place:
        """Return the user's own files, which hold in every project.

        Raises:
            ConfigurationError: there is no home directory, or git keeps the file for credentials.
        """
        return cls(users_env_file(), users_file())._checked("use --project in another directory")

    @classmethod
    def of_project(cls) -> Place:
        """Return the files of the working directory.

        Raises:
            ConfigurationError: there is no working directory, or git keeps the file for credentials.
        """
        try:
            directory = Path.cwd()
        except OSError as error:
            raise ConfigurationError(f"The working directory cannot be used: {error.strerror}.") from None
        return cls(directory / ENV_NAME, directory / FILE_NAME)._checked("leave --project out")

    def _checked(self, instead: str) -> Place:
        if _git(self.env.parent, "ls-files", "--error-unmatch", "--", self.env.name) == 0:
            raise ConfigurationError(
                f"{self.env} is under version control: credentials in it would be committed. Run `git rm --cached "
                f"{self.env.name}` first, or {instead}."
            )
        return self


@dataclass(frozen=True)
class Plan:
    """What is going to be written: the answers, and the agents of all other models (see `config_with`).

    `agents_too` is false where the file for agents stays as it is.
    """

    place: Place
    answers: Answers
    others: Mapping[str, str]
    agents_too: bool = True

    @property
    def config(self) -> str | None:
        """The new text of the file for agents, or `None` where it stays as it is.

        Raises:
            ConfigurationError: it cannot be read, or cannot be changed safely.
        """
        return config_with(self.place, self.answers.agents, self.others) if self.agents_too else None

    def show(self) -> None:
        """Say what is going to be written where, with the change of a file that is there already."""
        before, after = text_of(self.place.config), self.config
        keeps_variables = self._variables() == env_text_of(self.place.env)
        what = "stays as it is" if keeps_variables else f"{self._what()}; readable only by you"
        writes = not keeps_variables or after is not None or self.answers.to_be_stored is not None
        say(f"\n{'This will be written' if writes else 'Nothing changes'}:\n  {self.place.env}: {what}")
        if self.answers.to_be_stored is not None:
            say(f"  {KEYRING}: the client key, for {SERVICE}")
        elif self.answers.in_keyring:
            say(f"  The client key stays in {KEYRING}.")
        if _gitignore(self.place.env) is not None:
            say(f"  {self.place.env.with_name('.gitignore')}: {self.place.env.name}, so that git does not take it")
        if after is None:
            return
        say(f"  {self.place.config}: {'this change' if before else 'the models and their agents'}")
        if before:
            say("\n".join(f"    {line}" for line in difference(before, after, self.place.config.name)))

    def write(self) -> None:
        """Write the files, each whole or not at all; what another program wrote into them meanwhile stays.

        Raises:
            ConfigurationError: one of them cannot be written.
        """
        env = self.place.env
        with changing(env, self.place.config):
            variables, config, gitignore = self._variables(), self.config, _gitignore(env)
            stored = self.answers.to_be_stored
            if stored is not None:
                stored.save(self.answers.client_key)
            if gitignore is not None:
                write_text(env.with_name(".gitignore"), gitignore)
            write_text(env, variables, private=True)
            if config is not None:
                write_text(self.place.config, config)

    def _what(self) -> str:
        if not self.answers.in_keyring:
            return "client id, client key and realm"
        leaves = CLIENT_KEY in env_values(env_text_of(self.place.env))
        return f"client id and realm{', and no client key any more' if leaves else ''}"

    def _variables(self) -> str:
        text = env_text_of(self.place.env)
        text = without_variables(text, [CLIENT_KEY]) if self.answers.in_keyring else text
        return with_variables(text, self.answers.variables)


def config_with(place: Place, agents: Mapping[str, str], others: Mapping[str, str]) -> str | None:
    """Return the new text of the file for agents, or `None` where it stays as it is.

    Args:
        place: has the file.
        agents: the models that get another agent, or none.
        others: the agents of all other models. A file that has nothing of the account yet gets them too: it replaces
            what files further away say of it.

    Raises:
        ConfigurationError: the file cannot be read, or cannot be changed safely.
    """
    before = text_of(place.config)
    if agents and not has_provider(before, STACKSPOT):
        agents = {**others, **agents}
    text = before
    for model, agent_id in agents.items():
        if agent_id:
            text = with_model_key(text or _HEAD, STACKSPOT, model, "agent_id", agent_id)
        else:
            text = without_model_key(text, STACKSPOT, model, "agent_id")
    return text if text != before else None


def replaced_variables(place: Place, answers: Answers) -> list[str]:
    """Return the variables that have another value in the file now."""
    known = env_values(env_text_of(place.env))
    return [name for name, value in answers.variables.items() if known.get(name) not in (None, "", value)]


def _gitignore(env: Path) -> str | None:
    """Return the `.gitignore` that keeps credentials out of git, or `None` where nothing has to be done."""
    directory = env.parent
    status = _git(directory, "check-ignore", "--quiet", "--", env.name)
    if status == 0 or (status != 1 and not (directory / ".git").exists()):
        return None
    return with_line(env_text_of(directory / ".gitignore"), env.name)


def _git(directory: Path, *arguments: str) -> int | None:
    """Return git's exit status, or `None` where there is no git."""
    try:
        return subprocess.run(["git", *arguments], cwd=directory, capture_output=True, timeout=30).returncode
    except (OSError, subprocess.TimeoutExpired):
        return None
