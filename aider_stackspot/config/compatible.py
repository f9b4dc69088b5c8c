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
    if not keys.api_base:
        unset = declared.unset("api_base")
        why = f"{' and '.join(unset)} is not set, and " if unset else ""
        raise declared.error(
            "api_base", f"{why}an OpenAI-compatible provider needs a base URL, such as https://host/v1."
        )
    api_base = declared.own.api_base
    if api_base != keys.api_base:
        declared.ignore("api_base", f"the provider `{declared.name}`")
    if not api_base:
        return None
    ways = network(declared, environment)
    return CompatibleProvider(
        name=declared.name,
        api_base=base_url.checked(
            api_base,
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
