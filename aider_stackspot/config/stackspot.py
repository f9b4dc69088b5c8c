"""A declared StackSpot account to its resolved settings."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import SecretStr

from aider_stackspot.config import base_url
from aider_stackspot.config.credentials import VARIABLES, looked_in, resolve_credentials
from aider_stackspot.config.declared import STACKSPOT, DeclaredProvider
from aider_stackspot.config.display import printable
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.network import network
from aider_stackspot.config.schema import ModelKeys, ProviderKeys
from aider_stackspot.config.settings import (
    DEFAULT_AGENT_API_BASE,
    DEFAULT_API_BASE,
    DEFAULT_AUTH_URL,
    DEFAULT_MODELS,
    DEFAULT_REALM,
    DEFAULT_TEMPERATURE,
    MAX_INPUT_TOKENS,
    MAX_OUTPUT_TOKENS,
    MAX_RETRIES,
    Account,
    Api,
    Model,
)
from aider_stackspot.errors import ConfigurationError

BASES = {
    "auth_url": ("STACKSPOTAI_AUTH_URL", DEFAULT_AUTH_URL),
    "api_base": ("STACKSPOTAI_API_BASE", DEFAULT_API_BASE),
    "agent_api_base": ("STACKSPOTAI_AGENT_API_BASE", DEFAULT_AGENT_API_BASE),
}
AGENT_VARIABLE = "STACKSPOTAI_AGENT_ID"


def resolve_stackspot(
    declared: DeclaredProvider, environment: Environment, shadowed: Sequence[DeclaredProvider] = ()
) -> tuple[Account, list[Model]]:
    """Resolve an account and its models.

    The `STACKSPOTAI_*` variables belong to the provider named `stackspot` and come before its keys in the file. A
    second account takes them only for what its own keys leave out: base URLs one by one, credentials all or none.

    Args:
        declared: the provider.
        environment: the variables.
        shadowed: the declarations of the same provider in files further away, which this one replaces.

    Raises:
        ConfigurationError: a value cannot be used.
    """
    keys = declared.keys
    if keys.end_marker:
        raise declared.error(
            "end_marker", "this key is for OpenAI-compatible servers; StackSpot's streams say their end."
        )
    origins: dict[str, str] = {}
    credentials = resolve_credentials(declared, environment, shadowed, origins)
    ways = network(declared, environment)

    def base(key: str) -> str:
        return _base(declared, key, environment, ways.allow_insecure_http, origins)

    account = Account(
        name=declared.name,
        client_id=credentials["client_id"],
        client_key=SecretStr(credentials["api_key"]) if credentials["api_key"] else None,
        realm=credentials["client_realm"] or DEFAULT_REALM,
        auth_url=base("auth_url"),
        api_base=base("api_base"),
        agent_api_base=base("agent_api_base"),
        timeout=keys.timeout,
        max_retries=MAX_RETRIES if keys.max_retries is None else keys.max_retries,
        rpm=keys.rpm,
        extra_headers=declared.guarded("extra_headers"),
        network=ways,
        origins=origins,
        looked_in=looked_in(declared, environment),
        users_own=declared.trusted,
    )
    agent_id = _agent_id(declared, environment, origins)
    models = {name: ModelKeys() for name in DEFAULT_MODELS} | (keys.models or {})
    return account, [_model(declared, name, model, account, agent_id) for name, model in models.items()]


def built_in(name: str, environment: Environment) -> tuple[Account, list[Model]]:
    """Return an account as if no file said anything about it: enough for its names, while no call can be made."""
    declared = DeclaredProvider(name, ProviderKeys.model_validate({"type": STACKSPOT}), [])
    client_id, client_key = (environment.get(VARIABLES[key]) for key in ("client_id", "api_key"))
    account = Account(
        name=name,
        client_id=client_id.text if client_id is not None else None,
        client_key=SecretStr(client_key.text) if client_key is not None else None,
        realm=DEFAULT_REALM,
        auth_url=DEFAULT_AUTH_URL,
        api_base=DEFAULT_API_BASE,
        agent_api_base=DEFAULT_AGENT_API_BASE,
        looked_in=looked_in(declared, environment),
    )
    return account, [_model(declared, model, ModelKeys(), account, None) for model in DEFAULT_MODELS]


def _base(
    declared: DeclaredProvider, key: str, environment: Environment, insecure: bool, origins: dict[str, str]
) -> str:
    """Return a base URL: StackSpot's own, or one that the user chose."""
    variable, default = BASES[key]
    in_file = getattr(declared.keys, key)
    if declared.name == STACKSPOT or not in_file:
        value = environment.pick(variable, "leads elsewhere", harmless=base_url.is_default_host)
        if value is not None:
            origins[key] = f"{variable} in {value.source}"
            return base_url.checked(value.text, what=origins[key], allow_insecure_http=insecure)
    url = in_file if in_file and base_url.is_default_host(in_file) else declared.guarded(key)
    origins[key] = declared.origin(key) if url else "default"
    if not url:
        return default
    what = f"{origins[key]}: `{key}` of the provider `{declared.name}`"
    return base_url.checked(url, what=what, allow_insecure_http=insecure)


def _agent_id(declared: DeclaredProvider, environment: Environment, origins: dict[str, str]) -> str | None:
    value = environment.get(AGENT_VARIABLE) if declared.name == STACKSPOT else None
    if value is None:
        origins["agent_id"] = declared.origin("agent_id") if declared.keys.agent_id else "not set"
        return declared.keys.agent_id
    origins["agent_id"] = f"{AGENT_VARIABLE} in {value.source}"
    if not value.text.strip().isprintable():
        raise ConfigurationError(printable(f"{origins['agent_id']}: this is no agent id."))
    return value.text.strip()


def _model(declared: DeclaredProvider, name: str, keys: ModelKeys, account: Account, agent_id: str | None) -> Model:
    if keys.provider and keys.provider != declared.name:
        raise declared.error("provider", f"the model stands under `{declared.name}`.", model=name)
    if keys.temperature is not None and keys.temperature > 1:
        raise declared.error("temperature", "StackSpot's temperatures are 0.0 to 1.0.", model=name)
    # The model's own keys come first: its quick command wins over an agent that is everybody's.
    agent = keys.agent_id or (None if keys.quick_command and keys.api != "agent" else agent_id)
    api: Api = keys.api or ("agent" if agent else "quick-command" if keys.quick_command else "chat")
    if api == "quick-command" and not keys.quick_command:
        raise declared.error("api", "`quick_command` is missing: the slug of the command.", model=name)
    return Model(
        name=name,
        account=account,
        api=api,
        agent_id=agent,
        quick_command=keys.quick_command,
        stackspot_knowledge=bool(keys.stackspot_knowledge),
        max_input_tokens=keys.max_input_tokens or MAX_INPUT_TOKENS,
        max_output_tokens=keys.max_tokens or MAX_OUTPUT_TOKENS,
        temperature=DEFAULT_TEMPERATURE if keys.temperature is None else keys.temperature,
        edit_format=keys.chosen_edit_format or "diff",
        weak_model=keys.weak_model,
        tools=keys.tools is not False,
    )
