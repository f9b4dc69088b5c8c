"""As whom an OpenAI-compatible server is spoken to: a key, a program that prints one, or an OAuth2 client."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from aider_stackspot.config import base_url
from aider_stackspot.config.declared import DeclaredProvider
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.settings import KeyCommand, OAuth2Client

OAUTH2_KEYS = ("token_url", "client_id", "client_secret")
"""What it takes for a token."""
KEYS = ("api_key_command", *OAUTH2_KEYS, "scope", "audience")
"""Every key of this room that StackSpot has no use for, but for `client_id`."""


def refuse_keys_of_servers(declared: DeclaredProvider) -> None:
    """Refuse what a StackSpot account has another key for.

    Raises:
        ConfigurationError: there is such a key.
    """
    for key in KEYS:
        if key != "client_id" and (getattr(declared.keys, key) or declared.unset(key)):
            raise declared.error(
                key,
                "this key is for OpenAI-compatible servers; StackSpot's credentials are `client_id`, `api_key` (the "
                "client key) and `client_realm`.",
            )


def check_one_way(declared: DeclaredProvider) -> None:
    """Refuse a provider that says twice who asks.

    Raises:
        ConfigurationError: it has several of `api_key`, `api_key_command` and `token_url`.
    """
    given = [key for key in ("api_key", "api_key_command", "token_url") if getattr(declared.keys, key)]
    if len(given) > 1:
        raise declared.error(given[1], f"this and `{given[0]}` both say who asks; give one of them.")


def oauth2_client(declared: DeclaredProvider, *, allow_insecure_http: bool) -> OAuth2Client | None:
    """Return the OAuth2 client of a server, if it has one.

    What a variable is missing for is told by the first call; the other providers work without it.

    Raises:
        ConfigurationError: a key is missing, or the token endpoint's URL cannot be used.
    """
    keys = declared.keys
    given = {key for key in KEYS if key != "api_key_command" and (getattr(keys, key) or declared.unset(key))}
    if not given:
        return None
    missing = [key for key in OAUTH2_KEYS if key not in given]
    if missing:
        found = next(key for key in KEYS if key in given)
        raise declared.error(found, f"an OAuth2 client needs `{'` and `'.join(missing)}` besides.")
    for key in ("client_id", "client_secret"):
        declared.note_passed_over(key)
    url = declared.guarded("token_url")
    what = f"{declared.origin('token_url')}: `token_url` of the provider `{declared.name}`"
    return OAuth2Client(
        token_url=base_url.checked_endpoint(url, what=what, allow_insecure_http=allow_insecure_http) if url else "",
        client_id=keys.client_id or "",
        client_secret=keys.client_secret,
        scope=keys.scope or "",
        audience=keys.audience or "",
        problem=" ".join(_unset(declared, key) for key in OAUTH2_KEYS if not getattr(keys, key)),
    )


def _unset(declared: DeclaredProvider, key: str) -> str:
    variables = " and ".join(declared.unset(key)) or "its variable"
    return f"{declared.origin(key)}: {variables} is not set, and `{key}` of the provider `{declared.name}` needs it."


def key_command(declared: DeclaredProvider, environment: Environment) -> KeyCommand | None:
    """Return the program that prints a server's key, if it has one. It runs beside the file that names it."""
    arguments = declared.guarded("api_key_command")
    if not arguments or declared.document is None:
        return None
    directory = declared.document.path.resolve().parent
    for file in files_of_command(arguments, directory, environment):
        if environment.named_file(file, declared.voucher) is None and declared.voucher is not None:
            what = f"`api_key_command` of the provider `{declared.name}`"
            environment.note_uncovered(declared.origin("api_key_command"), what, file, declared.voucher)
            return None
    program = arguments[0]
    if "/" in program or "\\" in program:
        program = environment.expanded(program, directory)
    return KeyCommand((program, *arguments[1:]), str(directory), environment.own_variables())


def files_of_command(arguments: Sequence[str], directory: Path, environment: Environment) -> list[str]:
    """Return the files that a command names: what they hold decides what it does.

    Args:
        arguments: the program and its arguments.
        directory: where it runs.
        environment: knows the home directory.
    """
    paths = (environment.expanded(argument, directory) for argument in arguments)
    return [path for path in paths if os.path.isfile(path)]
