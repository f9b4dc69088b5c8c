"""aider's settings of models: which files with them are the user's, and what another one may say.

aider passes what stands under `extra_params` on with every call, over the model's own name. A parameter there can
choose the vendor, the host, the account, a fallback, or who is told of the call, and LiteLLM learns new ones with every
version. So of a project's file only those count that are known to change nothing but the text of the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aider_stackspot.config import locations
from aider_stackspot.config.display import printable, shown_url
from aider_stackspot.config.environment import Environment
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
