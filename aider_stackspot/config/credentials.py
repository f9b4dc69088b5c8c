"""Where an account's client id, client key and realm come from."""

from __future__ import annotations

from collections.abc import Sequence

from aider_stackspot.config.declared import STACKSPOT, DeclaredProvider
from aider_stackspot.config.display import printable, trust_command
from aider_stackspot.config.environment import Environment, Value
from aider_stackspot.config.schema import ProviderKeys
from aider_stackspot.errors import ConfigurationError

VARIABLES = {
    "client_id": "STACKSPOTAI_CLIENT_ID",
    "api_key": "STACKSPOTAI_CLIENT_KEY",
    "client_realm": "STACKSPOTAI_REALM",
}


def resolve_credentials(
    declared: DeclaredProvider, environment: Environment, shadowed: Sequence[DeclaredProvider], origins: dict[str, str]
) -> dict[str, str | None]:
    """Return the credentials by key, and note in `origins` where each came from.

    Raises:
        ConfigurationError: the client id or the realm holds a control character.
    """
    in_file = _in_file(declared.keys)
    from_environment = declared.name == STACKSPOT or not (in_file["client_id"] or in_file["api_key"])
    values = {key: environment.get(name) if from_environment else None for key, name in VARIABLES.items()}
    found: dict[str, str | None] = {}
    for key, name in VARIABLES.items():
        value = values[key]
        if value is not None:
            found[key], origins[key] = value.text.strip(), f"{name} in {value.source}"
            if key != "api_key" and not value.text.strip().isprintable():
                raise ConfigurationError(printable(f"{origins[key]}: a control character stands in this text."))
        else:
            found[key] = in_file[key]
            origins[key] = declared.origin(key) if found[key] else _absent(key)
    _warn_of_exchange(declared, environment, values, shadowed)
    return found


def looked_in(declared: DeclaredProvider, environment: Environment) -> tuple[str, ...]:
    """Return the places where credentials were looked for, for the message that there are none."""
    places = ["the environment", *(str(file.path) for file in environment.files)]
    if not environment.files:
        places.append("`.env` of the working directory, the git root and the home directory (there is none)")
    if declared.document is not None:
        places.append(str(declared.document.path))
    return tuple(places)


def _in_file(keys: ProviderKeys) -> dict[str, str | None]:
    return {
        "client_id": keys.client_id,
        "api_key": keys.api_key.get_secret_value() if keys.api_key else None,
        "client_realm": keys.client_realm,
    }


def _absent(key: str) -> str:
    return "default" if key == "client_realm" else "not set"


def _warn_of_exchange(
    declared: DeclaredProvider,
    environment: Environment,
    values: dict[str, Value | None],
    shadowed: Sequence[DeclaredProvider],
) -> None:
    """Say so if a project's credentials are used where the user's own files have others.

    The closest file wins, as documented. But who owns an account can read what is sent with it.
    """
    for key in ("client_id", "api_key"):
        value = values[key]
        if value is not None:
            used, path = value.text, None if value.trusted else value.file
            chosen = environment.chosen(VARIABLES[key])
            own = [chosen.text] if chosen is not None else []
        else:
            used = _in_file(declared.keys)[key] or ""
            path = declared.document.path if declared.document is not None and not declared.trusted else None
            own = []
        own += [text for keys in (declared.own, *(other.own for other in shadowed)) if (text := _in_file(keys)[key])]
        if used and path is not None and own and used not in own:
            declared.notices.append(
                f"{path}: this project's credentials are used for the provider `{declared.name}`, in place of your "
                f"own. If that is right, run: {trust_command(path)}"
            )
            return
