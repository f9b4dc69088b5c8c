"""What comes as an argument of a call and decides where it goes: the most specific word there is, but whose is it?

A program's argument is the program's. aider passes what stands under `extra_params` in `.aider.model.settings.yml`, and
a project may have such a file: there, an `api_base` is only followed where the user asked for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from aider_stackspot.config import locations
from aider_stackspot.config.base_url import checked, is_default_host
from aider_stackspot.config.display import printable, shown_url, trust_command
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.header_values import header_name, header_value
from aider_stackspot.config.trust import host_changes
from aider_stackspot.config.yaml_file import plain_data
from aider_stackspot.errors import ConfigurationError

_MAX_SETTINGS_BYTES = 256 * 1024
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
    environment = Environment()
    files = {path: (content, is_own) for path, content, is_own in _files(environment)}
    if any(url in bases_of_models(path, content) for path, (content, is_own) in files.items() if is_own):
        return base
    path = next((path for path, (content, _) in files.items() if url in bases_of_models(path, content)), None)
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
    """Return the API key that came with a call, without outer white space.

    Raises:
        ConfigurationError: HTTP cannot carry it.
    """
    return header_value(key, "the call's api_key")


def bases_of_models(path: Path, content: bytes) -> list[str]:
    """Return the base URLs that a file with settings of models gives to calls; none if it cannot be read."""
    try:
        _, data = plain_data(path, content)
    except ConfigurationError:
        return []
    models = [model for model in (data if isinstance(data, list) else []) if isinstance(model, dict)]
    parameters = [given for model in models if isinstance(given := model.get("extra_params"), dict)]
    found = [given.get(key) for given in parameters for key in ("api_base", "base_url")]
    return [url for url in found if isinstance(url, str)]


def _files(environment: Environment) -> Iterator[tuple[Path, bytes, bool]]:
    """Yield the settings of models that aider reads, and whether each is the user's."""
    asked = environment.model_settings()
    directories = [*environment.project_directories, *([environment.home] if environment.home is not None else [])]
    for path in dict.fromkeys([*asked, *(directory / locations.MODEL_SETTINGS_NAME for directory in directories)]):
        try:
            content = environment.surroundings.read(path, _MAX_SETTINGS_BYTES)
        except OSError:
            continue
        if content is not None:
            is_own = path in asked or environment.is_users_own(path, content, locations.MODEL_SETTINGS_NAME)
            yield path, content, is_own
