"""A declared StackSpot account to its resolved settings: credentials, base URLs, models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pydantic import SecretStr

from aider_stackspot.config import base_url
from aider_stackspot.config.declared import DeclaredProvider
from aider_stackspot.config.display import printable, trust_command
from aider_stackspot.config.environment import Environment, Value
from aider_stackspot.config.network import network
from aider_stackspot.config.schema import NO_AGENT_ID, STACKSPOT, ModelKeys, ProviderKeys, is_one_word
from aider_stackspot.config.server_credentials import refuse_keys_of_servers
from aider_stackspot.config.settings import (
    CONFIGURED_ORIGIN,
    CREDENTIAL_VARIABLES,
    DEFAULT_AGENT_API_BASE,
    DEFAULT_AGENT_TOOLS_BASE,
    DEFAULT_API_BASE,
    DEFAULT_AUTH_URL,
    DEFAULT_MODELS,
    DEFAULT_ORIGIN,
    DEFAULT_REALM,
    DEFAULT_TEMPERATURE,
    DEFAULT_UPLOAD_BASE,
    MAX_INPUT_TOKENS,
    MAX_OUTPUT_TOKENS,
    MAX_RETRIES,
    Account,
    Api,
    Model,
)
from aider_stackspot.config.system_keyring import StoredKey
from aider_stackspot.errors import ConfigurationError

BASES = {
    "auth_url": ("STACKSPOTAI_AUTH_URL", DEFAULT_AUTH_URL),
    "api_base": ("STACKSPOTAI_API_BASE", DEFAULT_API_BASE),
    "agent_api_base": ("STACKSPOTAI_AGENT_API_BASE", DEFAULT_AGENT_API_BASE),
}
FURTHER_BASES = {
    "upload_base": ("STACKSPOTAI_UPLOAD_BASE", DEFAULT_UPLOAD_BASE),
    "agent_tools_base": ("STACKSPOTAI_AGENT_TOOLS_BASE", DEFAULT_AGENT_TOOLS_BASE),
}
"""Hosts beside the Agents API's, which serve files and lists of agents."""
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
    refuse_keys_of_servers(declared)
    origins: dict[str, str] = {}
    credentials = _credentials(declared, environment, shadowed, origins)
    ways = network(declared, environment)
    realm = credentials.get("client_realm", DEFAULT_REALM)

    def base(key: str) -> str:
        return _base(declared, key, environment, ways.allow_insecure_http, origins)

    auth_url, agent_api_base = base("auth_url"), base("agent_api_base")
    stored_key = None
    if "api_key" not in credentials and _is_users_choice(credentials, declared, environment, shadowed):
        stored_key = key_in_keyring(environment, realm, credentials["client_id"], auth_url)
    further = _further_bases(agent_api_base, environment, ways.allow_insecure_http, origins)
    account = Account(
        name=declared.name,
        client_id=credentials.get("client_id"),
        client_key=SecretStr(credentials["api_key"]) if "api_key" in credentials else None,
        realm=realm,
        auth_url=auth_url,
        api_base=base("api_base"),
        agent_api_base=agent_api_base,
        upload_base=further["upload_base"],
        agent_tools_base=further["agent_tools_base"],
        timeout=keys.timeout,
        max_retries=MAX_RETRIES if keys.max_retries is None else keys.max_retries,
        rpm=keys.rpm,
        extra_headers=declared.guarded("extra_headers"),
        network=ways,
        aliases=_aliases(declared, shadowed),
        origins=origins,
        looked_in=_looked_in(declared, environment),
        stored_key=stored_key,
        users_own=declared.trusted,
    )
    agent_id = _agent_id(declared, environment, origins)
    models = {name: ModelKeys.model_construct() for name in DEFAULT_MODELS} | (keys.models or {})
    return account, [_model(declared, name, model, account, agent_id) for name, model in models.items()]


def built_in(name: str, environment: Environment | None) -> tuple[Account, list[Model]]:
    """Return an account as if no file said anything about it: enough for its names, while no call can be made."""
    declared = DeclaredProvider(name, ProviderKeys.model_construct(type=STACKSPOT))
    client_id = environment.get(CREDENTIAL_VARIABLES["client_id"]) if environment is not None else None
    client_key = environment.get(CREDENTIAL_VARIABLES["api_key"]) if environment is not None else None
    account = Account(
        name=name,
        client_id=client_id.text if client_id is not None else None,
        client_key=SecretStr(client_key.text) if client_key is not None else None,
        realm=DEFAULT_REALM,
        auth_url=DEFAULT_AUTH_URL,
        api_base=DEFAULT_API_BASE,
        agent_api_base=DEFAULT_AGENT_API_BASE,
        looked_in=_looked_in(declared, environment) if environment is not None else (),
    )
    return account, [_model(declared, model, ModelKeys.model_construct(), account, None) for model in DEFAULT_MODELS]


def key_in_keyring(environment: Environment, realm: str, client_id: str, auth_url: str) -> StoredKey | None:
    """Return the place of an account's client key in the system's keyring, where one can be there."""
    return StoredKey.of(environment, realm, client_id, "" if auth_url == DEFAULT_AUTH_URL else auth_url)


def _credentials(
    declared: DeclaredProvider, environment: Environment, shadowed: Sequence[DeclaredProvider], origins: dict[str, str]
) -> dict[str, str]:
    """Return the credentials that were found, by key, and note in `origins` where each came from.

    Raises:
        ConfigurationError: the client id or the realm holds a control character.
    """
    in_file = _credentials_in_file(declared.keys)
    from_environment = declared.name == STACKSPOT or not ("client_id" in in_file or "api_key" in in_file)
    variables = {
        key: value
        for key, name in CREDENTIAL_VARIABLES.items()
        if from_environment and (value := environment.get(name)) is not None
    }
    found: dict[str, str] = {}
    for key, name in CREDENTIAL_VARIABLES.items():
        if key in variables:
            found[key], origins[key] = variables[key].text.strip(), f"{name} in {variables[key].source}"
            if key != "api_key" and not found[key].isprintable():
                raise ConfigurationError(printable(f"{origins[key]}: a control character stands in this text."))
        elif key in in_file:
            found[key], origins[key] = in_file[key], declared.origin(key)
            declared.note_passed_over(key)
        else:
            origins[key] = "default" if key == "client_realm" else "not set"
    _warn_of_exchange(declared, environment, variables, shadowed)
    return found


def _credentials_in_file(keys: ProviderKeys) -> dict[str, str]:
    client_key = keys.api_key.get_secret_value() if keys.api_key is not None else None
    found = {"client_id": keys.client_id, "api_key": client_key, "client_realm": keys.client_realm}
    return {key: text for key, text in found.items() if text}


def _looked_in(declared: DeclaredProvider, environment: Environment) -> tuple[str, ...]:
    """Return the places where credentials were looked for, for the message that there are none."""
    places = ["the environment"]
    places += [f"{file.path} ({file.problem or 'read'})".removesuffix(" (read)") for file in environment.files]
    if not environment.files:
        places.append("the working directory, the git root and the home directory for a `.env`")
    if declared.document is not None:
        places.append(str(declared.document.path))
    return tuple(places)


def _warn_of_exchange(
    declared: DeclaredProvider,
    environment: Environment,
    variables: Mapping[str, Value],
    shadowed: Sequence[DeclaredProvider],
) -> None:
    """Say so if a project's credentials are used where the user's own files have others.

    The closest file wins, as documented. But who owns an account can read what is sent with it.
    """
    for key in ("client_id", "api_key"):
        if key in variables:
            used, is_foreign, path = variables[key].text.strip(), not variables[key].trusted, variables[key].file
        else:
            used, is_foreign = _credentials_in_file(declared.keys).get(key, ""), not declared.trusted
            path = declared.document.path if declared.document is not None else None
        own = list(_own_credentials(key, declared, environment, shadowed))
        if used and is_foreign and path is not None and own and used not in own:
            declared.notices.append(
                f"{path}: this project's credentials are used for the provider `{declared.name}`, in place of your "
                f"own. If that is right, run: {trust_command(path)}"
            )
            return


def _is_users_choice(
    credentials: Mapping[str, str],
    declared: DeclaredProvider,
    environment: Environment,
    shadowed: Sequence[DeclaredProvider],
) -> bool:
    """Tell whether client id and realm are the user's own: a project must not choose among the keys of the keyring."""
    if "client_id" not in credentials:
        return False
    own = {key: list(_own_credentials(key, declared, environment, shadowed)) for key in ("client_id", "client_realm")}
    realm = credentials.get("client_realm")
    return credentials["client_id"] in own["client_id"] and (realm is None or realm in own["client_realm"])


def _own_credentials(
    key: str, declared: DeclaredProvider, environment: Environment, shadowed: Sequence[DeclaredProvider]
) -> Iterator[str]:
    """Yield what the user's own variables and files have for a key."""
    chosen = environment.chosen(CREDENTIAL_VARIABLES[key])
    if chosen is not None:
        yield chosen.text.strip()
    for declaration in (declared, *shadowed):
        text = _credentials_in_file(declaration.keys).get(key)
        if declaration.is_users(key) and text:
            yield text


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


def _further_bases(
    agent_api_base: str, environment: Environment, insecure: bool, origins: dict[str, str]
) -> dict[str, str]:
    """Return the bases that only a variable sets; without one, who has an Agents API of their own has all of it."""
    found = {}
    for key, (variable, default) in FURTHER_BASES.items():
        value = environment.pick(variable, "leads elsewhere", harmless=base_url.is_default_host)
        if value is not None:
            origins[key] = f"{variable} in {value.source}"
            found[key] = base_url.checked(value.text, what=origins[key], allow_insecure_http=insecure)
        else:
            found[key] = default if base_url.is_default_host(agent_api_base) else agent_api_base
    return found


def _agent_id(declared: DeclaredProvider, environment: Environment, origins: dict[str, str]) -> str | None:
    value = environment.get(AGENT_VARIABLE) if declared.name == STACKSPOT else None
    if value is None:
        origins["agent_id"] = declared.origin("agent_id") if declared.keys.agent_id else "not set"
        return declared.keys.agent_id
    origins["agent_id"] = f"{AGENT_VARIABLE} in {value.source}"
    if not is_one_word(value.text.strip()):
        raise ConfigurationError(printable(f"{origins['agent_id']}: {NO_AGENT_ID}."))
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
        knowledge_source_ids=tuple(keys.knowledge_source_ids or ()),
        deep_search_ks=bool(keys.deep_search_ks),
        return_ks_in_response=bool(keys.return_ks_in_response),
        agent_version_number=keys.agent_version_number,
        selected_model=keys.selected_model,
        max_input_tokens=keys.max_input_tokens or MAX_INPUT_TOKENS,
        input_origin=CONFIGURED_ORIGIN if keys.max_input_tokens else DEFAULT_ORIGIN,
        max_output_tokens=keys.max_tokens or MAX_OUTPUT_TOKENS,
        temperature=DEFAULT_TEMPERATURE if keys.temperature is None else keys.temperature,
        edit_format=keys.chosen_edit_format or "diff",
        weak_model=_weak_model(declared, name, keys, account.aliases),
        tools=keys.tools is not False,
        vision=bool(keys.vision),
        input_cost_per_token=keys.input_cost_per_token,
        output_cost_per_token=keys.output_cost_per_token,
    )


def _aliases(declared: DeclaredProvider, shadowed: Sequence[DeclaredProvider]) -> dict[str, str]:
    """Return the aliases of an account, without those by which a project gives a name of the user's another meaning."""
    declared.note_passed_over("aliases")
    if declared.trusted:
        return declared.keys.aliases
    own: dict[str, str] = {}
    for keys in (other.keys for other in reversed(shadowed) if other.trusted):
        own |= {**{name: name for name in keys.models or {}}, **keys.aliases}
    kept = {alias: model for alias, model in declared.keys.aliases.items() if own.get(alias, model) == model}
    for alias in declared.keys.aliases:
        if alias not in kept:
            declared.ignore("aliases", f"the alias `{alias}` of the provider `{declared.name}`")
    return kept


def _weak_model(declared: DeclaredProvider, name: str, keys: ModelKeys, aliases: Mapping[str, str]) -> str | None:
    """Return the model for aider's summaries and commit messages.

    A project may name another model of the provider `stackspot`, and no more: aider sends the weak model the user's
    changes.
    """
    weak = keys.weak_model
    if declared.trusted or not weak:
        declared.note_passed_over("weak_model", model=name)
        return weak
    if declared.name == STACKSPOT and weak in DEFAULT_MODELS:
        return weak
    # A bare name could be another vendor's model as well, and an account of a project's be called like a vendor.
    same_provider = weak.removeprefix(f"{declared.name}/")
    if declared.name == STACKSPOT and same_provider in {*DEFAULT_MODELS, *(declared.keys.models or {}), *aliases}:
        return f"{declared.name}/{same_provider}"
    declared.ignore("weak_model", model=name)
    return None
