"""`aider-stackspot logout`: takes the credentials of `init` out of the user's own file."""

from __future__ import annotations

from pathlib import Path

import typer

from aider_stackspot.cli.terminal import before_writing, end_unchanged, is_interactive, say, tell
from aider_stackspot.config import current
from aider_stackspot.config.display import printable
from aider_stackspot.config.edit import changing, env_text_of, env_values, users_env_file, without_variables, write_text
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.schema import STACKSPOT
from aider_stackspot.config.settings import CREDENTIAL_VARIABLES, DEFAULT_REALM
from aider_stackspot.config.stackspot import key_in_keyring
from aider_stackspot.config.system_keyring import KEYRING, StoredKey
from aider_stackspot.errors import ConfigurationError

_TAKEN_OUT = tuple(CREDENTIAL_VARIABLES[key] for key in ("client_id", "api_key"))


def log_out(*, force: bool) -> None:
    """Take the credentials out of the file and of the keyring, and ask before unless that is not wanted."""
    with before_writing():
        path = users_env_file()
        names = [name for name in _TAKEN_OUT if name in env_values(env_text_of(path))]
        stored = _in_keyring(path)
        if names or stored:
            what = [f"{' and '.join(names)} in {path}"] if names else []
            what += [f"the client key of {printable(each.user)} in {KEYRING}" for each in stored]
            say(f"This is taken out: {', '.join(what)}.")
            if not force and not is_interactive():
                raise ConfigurationError("There is no terminal to ask at: add --force. Nothing was written.")
            if not force and not typer.confirm("Take it out?", default=True, err=True):
                end_unchanged()
    for each in stored:  # before the names of the accounts, without which a second try would not find the keys
        try:
            each.delete()
        except ConfigurationError as error:
            raise _stays(path, error) from None
        tell(f"{KEYRING.capitalize()} has no client key of {printable(each.user)} any more.")
    if names:
        with changing(path):
            write_text(path, without_variables(env_text_of(path), names), private=True)
        tell(f"{path} has no StackSpot credentials any more.")
    elif not stored:
        tell(f"{path} has no StackSpot credentials.")
    _tell_of_others()


def _in_keyring(path: Path) -> list[StoredKey]:
    """Return the places of the keys in the keyring, of all accounts of the user's.

    Raises:
        typer.Exit: that cannot be known; says so.
    """
    environment, accounts = Environment(), current().accounts
    values = env_values(env_text_of(path))

    def own(key: str) -> str:
        chosen = environment.chosen(CREDENTIAL_VARIABLES[key])
        return values.get(CREDENTIAL_VARIABLES[key]) or (chosen.text.strip() if chosen is not None else "")

    client_id, realm = own("client_id"), own("client_realm") or DEFAULT_REALM
    places = [account.stored_key for account in accounts.values()]
    if client_id:
        places.append(key_in_keyring(environment, realm, client_id, accounts[STACKSPOT].auth_url))
    found = {place.user: place for place in places if place is not None and (place.key() is not None or place.problem)}
    for place in found.values():
        if place.key() is None:
            raise _stays(path, place.problem)
    return list(found.values())


def _stays(path: Path, why: object) -> typer.Exit:
    """Say why there is a key in the keyring still, and return the end of the command."""
    say(f"{why}\n{path} stays as it is.")
    return typer.Exit(1)


def _tell_of_others() -> None:
    """Say so where credentials come from somewhere else as well: this computer is not logged out then."""
    account = current().accounts[STACKSPOT]
    places = [account.origin(key) for key in ("client_id", "api_key")]
    left = [place for place in dict.fromkeys(places) if place not in ("default", "not set")]
    if left:
        say(f"Others are still in use here: {', '.join(left)}.")
