"""A declared OpenAI-compatible server to its resolved settings."""

from __future__ import annotations

from aider_stackspot.config import base_url
from aider_stackspot.config.declared import DeclaredProvider
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.network import network
from aider_stackspot.config.settings import CompatibleProvider


def resolve_compatible(declared: DeclaredProvider, environment: Environment) -> CompatibleProvider | None:
    """Resolve a server, or return `None` where it was not the user who chose its host.

    Raises:
        ConfigurationError: a value cannot be used.
    """
    keys = declared.keys
    if not declared.trusted and keys.api_base:
        declared.ignore("api_base", f"the provider `{declared.name}`")
        return None
    if declared.note_passed_over("api_base") and not keys.api_base:
        return None
    if not keys.api_base:
        unset = declared.unset("api_base")
        why = f"{' and '.join(unset)} is not set, and " if unset else ""
        raise declared.error(
            "api_base", f"{why}an OpenAI-compatible provider needs a base URL, such as https://host/v1."
        )
    declared.note_passed_over("api_key")
    for model in keys.models or {}:
        declared.note_passed_over("weak_model", model=model)
    ways = network(declared, environment)
    return CompatibleProvider(
        name=declared.name,
        api_base=base_url.checked(
            keys.api_base,
            what=f"{declared.origin('api_base')}: `api_base` of the provider `{declared.name}`",
            allow_insecure_http=ways.allow_insecure_http,
        ),
        api_key=keys.api_key,
        timeout=keys.timeout,
        max_retries=keys.max_retries,
        rpm=keys.rpm,
        end_marker=keys.end_marker,
        extra_headers=declared.guarded("extra_headers"),
        network=ways,
        models=keys.models or {},
    )
