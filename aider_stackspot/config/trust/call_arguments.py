"""What comes as an argument of a call and decides where it goes: the most specific word there is, but whose is it?

A program's argument is the program's. But aider passes what stands under `extra_params` in its settings of models on
with every call, over the model's own name, and a project may have such a file. A parameter there can choose the vendor,
the host, the account, a fallback, or who is told of the call, and LiteLLM learns new ones with every version. So of a
project's file only those count that are known to change nothing but the text of the answer, and an `api_base` is only
followed where the user asked for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from aider_stackspot.config import locations
from aider_stackspot.config.base_url import checked, is_default_host
from aider_stackspot.config.display import printable, shown_url, trust_command
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.header_values import api_key, header_name, header_value
from aider_stackspot.config.trust import variable_origin
from aider_stackspot.config.yaml_file import plain_data
from aider_stackspot.errors import ConfigurationError

HARMLESS_PARAMETERS = frozenset(
    {
        "frequency_penalty",
        "max_completion_tokens",
        "max_tokens",
        "min_p",
        "presence_penalty",
        "reasoning_effort",
        "repetition_penalty",
        "seed",
        "stop",
        "temperature",
        "thinking",
        "timeout",
        "top_k",
        "top_p",
        "verbosity",
    }
)
_MAX_SETTINGS_BYTES = 256 * 1024
_SHOWN = ("model", "custom_llm_provider", "api_base", "base_url")
_OTHER_MODELS = ("weak_model_name", "editor_model_name")


def harmless(parameters: object) -> dict[str, Any]:
    """Return those of a project's `extra_params` that may be passed on; none where they are no mapping."""
    if not isinstance(parameters, Mapping):
        return {}
    return {key: value for key, value in parameters.items() if key in HARMLESS_PARAMETERS}


def leading(parameters: object) -> list[str]:
    """Return the names of the others, as a message may show them."""
    if not isinstance(parameters, Mapping):
        return ["extra_params"] if parameters else []
    return [printable(str(key)) for key in parameters if key not in HARMLESS_PARAMETERS]


def is_users(path: Path, environment: Environment) -> bool:
    """Tell whether a file with settings of models is the user's: by its place, by trust, or because they named it."""
    try:
        content = environment.surroundings.read(path, _MAX_SETTINGS_BYTES)
    except OSError:
        return False
    return content is not None and _is_users(path, content, environment)


def files(environment: Environment) -> Iterator[tuple[Path, bytes, bool]]:
    """Yield the settings of models that aider reads, and whether each is the user's."""
    directories = [*environment.project_directories, *([environment.home] if environment.home is not None else [])]
    usual = [directory / locations.MODEL_SETTINGS_NAME for directory in directories]
    for path in dict.fromkeys([*environment.model_settings(), *usual]):
        try:
            content = environment.surroundings.read(path, _MAX_SETTINGS_BYTES)
        except OSError:
            continue
        if content is not None:
            yield path, content, _is_users(path, content, environment)


def bases_of_models(path: Path, content: bytes) -> list[str]:
    """Return the base URLs that a file with settings of models gives to calls; none if it cannot be read."""
    parameters = [given for model in _models(path, content) if isinstance(given := model.get("extra_params"), dict)]
    found = [given.get(key) for given in parameters for key in ("api_base", "base_url")]
    return [url for url in found if isinstance(url, str)]


def described(path: Path, content: bytes) -> Iterator[str]:
    """Yield a line for each thing that trusting such a file makes effective; no value that may be a secret."""
    for model in _models(path, content):
        name = printable(str(model.get("name")))
        for key in _OTHER_MODELS:
            if model.get(key):
                yield f"{name}: {key} = {shown_url(str(model[key]))}"
        parameters = model.get("extra_params")
        for key in leading(parameters):
            value = parameters.get(key) if isinstance(parameters, dict) and key in _SHOWN else None
            shown = f" = {shown_url(value)}" if isinstance(value, str) else " (value not shown)"
            yield f"{name}: every call is given {key}{shown}"


def _is_users(path: Path, content: bytes, environment: Environment) -> bool:
    if any(locations.same_file(path, named) for named in environment.model_settings()):
        return True
    return environment.is_users_own(path, content, locations.MODEL_SETTINGS_NAME)


def _models(path: Path, content: bytes) -> list[dict[str, Any]]:
    try:
        _, data = plain_data(path, content)
    except ConfigurationError:
        return []
    return [model for model in (data if isinstance(data, list) else []) if isinstance(model, dict)]


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
    if not variable_origin.changes.running or base in configured or is_default_host(base):
        return base
    naming = [
        (path, is_users) for path, content, is_users in files(Environment()) if url in bases_of_models(path, content)
    ]
    if any(is_users for _, is_users in naming):
        return base
    path = naming[0][0] if naming else None
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
    if steering and variable_origin.changes.running:
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
