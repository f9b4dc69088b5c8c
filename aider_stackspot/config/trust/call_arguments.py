"""What comes as an argument of a call and decides where it goes: the most specific word there is, but whose is it?

A program's argument is the program's. aider passes what stands under `extra_params` in `.aider.model.settings.yml`, and
a project may have such a file: there, an `api_base` is only followed where the user asked for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from aider_stackspot.config import locations
from aider_stackspot.config.base_url import checked, is_default_host
from aider_stackspot.config.display import printable, shown_url, trust_command
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.header_values import api_key, header_name, header_value
from aider_stackspot.config.trust import host_changes, model_settings
from aider_stackspot.errors import ConfigurationError

_STEERING = frozenset({"host", "forwarded", "x-forwarded-host", "x-original-host"})


def base_of_call(url: str, *, configured: Collection[str], allow_insecure_http: bool = False) -> str:
    """Return the base URL of a call that came with one, without its trailing slashes.

    Args:
        url: the argument `api_base`.
        configured: the base URLs that the provider has without it.
        allow_insecure_http: accept `http://` to another machine.

    Raises:
        ConfigurationError: it is no base URL, or a file of the project gave it to aider.
    """
    base = checked(url, what="the call's api_base", allow_insecure_http=allow_insecure_http)
    if not host_changes.changes.running or base in configured or is_default_host(base):
        return base
    files = [
        (path, is_users)
        for path, content, is_users in model_settings.files(Environment())
        if url in model_settings.bases_of_models(path, content)
    ]
    if any(is_users for _, is_users in files):
        return base
    path = files[0][0] if files else None
    asks = f" To allow it, run: {trust_command(path)}" if path is not None else ""
    raise ConfigurationError(
        printable(
            f"The call was refused, because it would go to {shown_url(base)}: {path or 'a file that aider read'} says "
            f"so, which came with the project.{asks}"
        )
    )


def checked_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return the headers that came with a call, without outer white space.

    Raises:
        ConfigurationError: HTTP cannot carry one, or aider's settings of models name one that leads a request
            elsewhere: behind a shared front end `Host` chooses the customer.
    """
    steering = sorted(name for name in headers if name.strip().lower() in _STEERING)
    if steering and host_changes.changes.running:
        raise ConfigurationError(
            f"The call was refused, because it came with the header {printable(steering[0])}, which can lead it "
            "elsewhere. Take it out of `extra_params` in aider's settings of models; if it is yours, put it under "
            f"`extra_headers` in your own {locations.FILE_NAME}."
        )
    what = "the call's headers"
    return {header_name(name, what): header_value(str(value), f"{what}: {name}") for name, value in headers.items()}


def checked_key(key: str) -> str:
    """Return the API key that came with a call, without what was copied along with it.

    Raises:
        ConfigurationError: HTTP cannot carry it, or it is not one key.
    """
    return api_key(key, "the call's api_key")
