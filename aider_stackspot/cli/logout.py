"""`aider-stackspot logout`: takes the credentials of `init` out of the user's own file."""

from __future__ import annotations

from pathlib import Path

import typer

from aider_stackspot.cli.terminal import before_writing, is_interactive, say
from aider_stackspot.config import current
from aider_stackspot.config.edit import changing, env_text_of, env_values, users_env_file, without_variables, write_text
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.schema import STACKSPOT
from aider_stackspot.config.settings import CREDENTIAL_VARIABLES
from aider_stackspot.config.stackspot import key_in_keyring
from aider_stackspot.config.system_keyring import KEYRING, StoredKey
from aider_stackspot.errors import ConfigurationError

_TAKEN_OUT = tuple(CREDENTIAL_VARIABLES[key] for key in ("client_id", "api_key"))


def log_out(*, force: bool) -> None:
    """Take the credentials out of the file, and ask before unless that is not wanted."""
    with before_writing():
        path = users_env_file()
        names = [name for name in _TAKEN_OUT if name in env_values(env_text_of(path))]
        stored = _in_keyring(path)
        if names or stored is not None:
            what = [f"{' and '.join(names)} in {path}"] if names else []
            what += [f"the client key in {KEYRING}"] if stored is not None else []
            say(f"This is taken out: {', and '.join(what)}.")
            if not force and not is_interactive():
                raise ConfigurationError("There is no terminal to ask at: add --force. Nothing was written.")
            if not force and not typer.confirm("Take it out?", default=True, err=True):
                raise typer.Abort
    if stored is not None:
        stored.delete()
        typer.echo(f"{KEYRING.capitalize()} has no client key any more.")
    if names:
        with changing(path):
            write_text(path, without_variables(env_text_of(path), names), private=True)
        typer.echo(f"{path} has no StackSpot credentials any more.")
    elif stored is None:
        typer.echo(f"{path} has no StackSpot credentials.")
    _tell_of_others()


def _in_keyring(path: Path) -> StoredKey | None:
    """Return the client key's place in the keyring, if it is there; say so where that cannot be known."""
    values, account = env_values(env_text_of(path)), current().accounts[STACKSPOT]
    client_id = values.get(CREDENTIAL_VARIABLES["client_id"]) or account.client_id
    realm = values.get(CREDENTIAL_VARIABLES["client_realm"]) or account.realm
    stored = key_in_keyring(Environment(), realm, client_id, account.auth_url) if client_id else None
    if stored is not None and stored.key() is None:
        if stored.problem:
            say(stored.problem)
        return None
    return stored


def _tell_of_others() -> None:
    """Say so where credentials come from somewhere else as well: this computer is not logged out then."""
    account = current().accounts[STACKSPOT]
    places = [account.origin(key) for key in ("client_id", "api_key")]
    left = [place for place in dict.fromkeys(places) if place not in ("default", "not set")]
    if left:
        say(f"Others are still in use here: {', '.join(left)}.")
