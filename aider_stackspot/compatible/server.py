"""What is known about one configured server: which base URL works, what kind it is, what it lists, what it taught."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from aider_stackspot.api.error_response import Service
from aider_stackspot.compatible import limits
from aider_stackspot.compatible.chat_models import chat_verdict
from aider_stackspot.compatible.listing import find
from aider_stackspot.compatible.model import Capabilities, ListedModel, Price, TokenLimit
from aider_stackspot.compatible.profiles import GENERIC, LimitName, ServerProfile, named
from aider_stackspot.config.schema import ModelKeys
from aider_stackspot.config.settings import CompatibleProvider
from aider_stackspot.errors import MissingCredentials

if TYPE_CHECKING:
    from aider_stackspot.network.tokens import Credentials

BUDGET = 2.0
"""Seconds for asking all servers together."""
_NO_KEYS = ModelKeys.model_construct()


@dataclass(frozen=True)
class ServerSnapshot:
    """What a server answered, once.

    Attributes:
        base: the base URL that worked.
        profile: the name of the profile that it was recognised as.
        models: its list.
        fetched_at: seconds since the epoch.
        learned: contexts that its own errors named, by model id, in tokens.
        limit_names: under which of its two names a model takes the limit of an answer, by model id, where an error
            told.
    """

    base: str
    profile: str = GENERIC.name
    models: tuple[ListedModel, ...] = ()
    fetched_at: float = 0.0
    learned: Mapping[str, int] = field(default_factory=dict)
    limit_names: Mapping[str, LimitName] = field(default_factory=dict)

    @property
    def answered(self) -> bool:
        """Whether the server ever answered; a snapshot may also hold nothing but what an error taught."""
        return self.fetched_at > 0

    @cached_property
    def by_id(self) -> Mapping[str, ListedModel]:
        """The models by their id: lists of hundreds are looked into for each of them."""
        return {model.id: model for model in self.models}

    def taught(self, model_id: str, limit: int) -> ServerSnapshot:
        """Return the same with one more learned context."""
        return replace(self, learned={**self.learned, model_id: limit})

    def taught_name(self, model_id: str, name: LimitName) -> ServerSnapshot:
        """Return the same with one more name of the limit of an answer."""
        return replace(self, limit_names={**self.limit_names, model_id: name})


@dataclass(frozen=True)
class KnownModel:
    """Everything to tell about one usable model.

    Attributes:
        provider: the server's name in the configuration.
        name: the model's name behind it.
        id: what goes into a request's `model`.
        context: how many tokens it takes; `None` where nothing is known.
        output: how many it answers at most.
        chat: whether it chats, and `why` that is believed.
        configured: whether the configuration names it; otherwise the server does, or only the caller.
        listed: whether the server lists it.
        aliases: the configuration's other names for it, each without the provider.
        guessed: which of its capabilities are a guess from its name.
    """

    provider: str
    name: str
    id: str
    context: TokenLimit | None
    output: TokenLimit
    chat: bool
    why: str
    configured: bool
    listed: bool
    title: str | None = None
    capabilities: Capabilities = field(default_factory=Capabilities)
    price: Price | None = None
    loaded: bool | None = None
    aliases: tuple[str, ...] = ()
    guessed: frozenset[str] = frozenset()

    @property
    def public(self) -> str:
        """The name that `aider --model` takes."""
        return f"{self.provider}/{self.name}"

    @property
    def names(self) -> list[str]:
        """Every name that `aider --model` takes for it: its own, then the aliases."""
        return [self.public, *(f"{self.provider}/{alias}" for alias in self.aliases)]


def profile_of(provider: CompatibleProvider, snapshot: ServerSnapshot | None) -> ServerProfile:
    """Return a server's profile: what it was recognised as, else what its name says, else the generic one."""
    recognised = named(snapshot.profile) if snapshot is not None and snapshot.answered else None
    if recognised is not None and recognised is not GENERIC:
        return recognised
    return named(provider.name) or GENERIC


def base_of(provider: CompatibleProvider, snapshot: ServerSnapshot | None) -> str:
    """Return the base URL for calls: the one that answered; without an answer, a bare host gets the usual `/v1`."""
    bases = candidates(provider.api_base)
    # A remembered one must not lead elsewhere than the configuration does.
    return snapshot.base if snapshot is not None and snapshot.answered and snapshot.base in bases else bases[0]


def candidates(api_base: str) -> tuple[str, ...]:
    """Return the base URLs to try, the likelier one first: with a path as it stands, a bare host with `/v1`."""
    base = api_base.rstrip("/")
    if base.endswith("/v1"):
        return (base,)
    if urlsplit(base).path in ("", "/"):
        return (f"{base}/v1", base)
    return (base, f"{base}/v1")


def request_headers(
    provider: CompatibleProvider, *, api_key: str | None = None, headers: Mapping[str, str] | None = None
) -> dict[str, SecretStr]:
    """Return the headers of every request to a server: its key, the configured ones, and over them a call's own.

    Args:
        provider: the server.
        api_key: a key for this call alone.
        headers: headers for this call alone; they replace configured ones of the same name.
    """
    sent: dict[str, SecretStr] = {}
    key = api_key or (provider.api_key.get_secret_value() if provider.api_key else "")
    if key:
        sent["Authorization"] = SecretStr(f"Bearer {key}")
    for more in (provider.extra_headers, {name: SecretStr(str(value)) for name, value in (headers or {}).items()}):
        for name, value in more.items():
            for known in [known for known in sent if known.lower() == name.lower()]:
                del sent[known]
            sent[name] = value
    return sent


def credentials_of(
    provider: CompatibleProvider, *, api_key: str | None = None, headers: Mapping[str, str] | None = None
) -> Credentials | None:
    """Return what the tokens of a server's calls are got with; `None` where a key, or a header, says who asks.

    Args:
        provider: the server.
        api_key: a key for this call alone.
        headers: headers for this call alone.

    Raises:
        MissingCredentials: a variable for the OAuth2 client is not set.
    """
    # HTTP is loaded with the first call, and not with a list of models from the cache.
    from aider_stackspot.network.client_credentials import EVERY_WAY, ClientCredentials
    from aider_stackspot.network.key_command import KeyProgram

    own = {name.lower() for name in (*provider.extra_headers, *(headers or {}))}
    if api_key or "authorization" in own:
        return None
    if provider.key_command is not None:
        return KeyProgram(provider.key_command, provider.name)
    client = provider.oauth2
    if client is None:
        return None
    if client.problem or client.client_secret is None:
        raise MissingCredentials(client.problem)
    advice = "Check `client_id`, `client_secret`, `scope` and `audience` of the provider."
    return ClientCredentials(
        client.token_url,
        client.client_id,
        client.client_secret,
        Service(
            f"the authorization server of `{provider.name}`",
            {
                **dict.fromkeys((200, *range(400, 500)), advice),
                **dict.fromkeys((*range(300, 400), 404, 405), "Check the provider's `token_url`."),
                408: "",
                429: "",
            },
        ),
        account=f"provider `{provider.name}`",
        scope=client.scope,
        audience=client.audience,
        authentications=EVERY_WAY,
    )


def credential_keys(provider: CompatibleProvider) -> str:
    """Return the keys of the configuration that say as whom a server is spoken to, for messages."""
    if provider.oauth2 is not None:
        return "`client_id`, `scope` and `audience`"
    return "`api_key_command`" if provider.key_command is not None else "`api_key`"


def id_of(provider: CompatibleProvider, snapshot: ServerSnapshot | None, name: str) -> str:
    """Return what a request's `model` must be for a public name: configured, or an alias from the list, or itself."""
    keys = provider.models.get(name)
    if keys is not None and keys.model:
        return keys.model
    if snapshot is None or name in snapshot.by_id:
        return name
    listed = find(snapshot.models, name)
    return listed.id if listed is not None else name


def only_model(provider: CompatibleProvider, snapshot: ServerSnapshot | None) -> str | None:
    """Return the name of the only model that a server has for chats; `None` where it has several, or none is known."""
    names = [model.name for model in models_of(provider, snapshot) if model.chat]
    return names[0] if len(names) == 1 else None


def describe(provider: CompatibleProvider, snapshot: ServerSnapshot | None, name: str) -> KnownModel:
    """Return everything known about a model, whether or not the server lists it."""
    keys = provider.models.get(name) or _NO_KEYS
    model_id = id_of(provider, snapshot, name)
    listed = snapshot.by_id.get(model_id) if snapshot is not None else None
    context = limits.context(
        model_id,
        configured=keys.max_input_tokens,
        listed=listed,
        learned=snapshot.learned.get(model_id) if snapshot else None,
    )
    verdict = chat_verdict(listed or ListedModel(model_id))
    capabilities = _capabilities(provider, snapshot, name, listed)
    calls_tools = capabilities.tools is None and verdict.chat and limits.calls_tools_by_name(model_id, listed=listed)
    return KnownModel(
        provider=provider.name,
        name=name,
        id=model_id,
        context=context,
        output=limits.output(model_id, configured=keys.max_tokens, listed=listed, context=context),
        chat=verdict.chat,
        why=verdict.reason,
        configured=name in provider.models,
        listed=listed is not None,
        title=listed.name if listed else None,
        capabilities=replace(capabilities, tools=True) if calls_tools else capabilities,
        price=_price(keys, listed.price if listed else None),
        loaded=listed.loaded if listed else None,
        aliases=tuple(alias for alias, model in provider.aliases.items() if model == name),
        guessed=frozenset({"tools"}) if calls_tools else frozenset(),
    )


def takes_tools_by_prompt(provider: CompatibleProvider, snapshot: ServerSnapshot | None, name: str) -> bool:
    """Tell whether tools have to go into the prompt: as configured, else what the server's kind is known for."""
    keys = provider.models.get(name)
    if keys is not None and keys.tools is not None:
        return keys.tools == "prompt"
    parameters = profile_of(provider, snapshot).parameters
    return parameters is not None and "tools" not in parameters


def _capabilities(
    provider: CompatibleProvider, snapshot: ServerSnapshot | None, name: str, listed: ListedModel | None
) -> Capabilities:
    """Return what the user says of a model, else what its server says."""
    keys = provider.models.get(name) or _NO_KEYS
    said = listed.capabilities if listed else Capabilities()
    if keys.vision is not None:
        said = replace(said, vision=keys.vision)
    if takes_tools_by_prompt(provider, snapshot, name):
        return replace(said, tools=True)
    return said if keys.tools is None else replace(said, tools=bool(keys.tools))


def _price(keys: ModelKeys, listed: Price | None) -> Price | None:
    """Return the configured price, each half that nobody configured as the server lists it."""
    given = (keys.input_cost_per_token, keys.output_cost_per_token)
    if given == (None, None):
        return listed
    halves = (listed.input_per_token, listed.output_per_token) if listed else (0.0, 0.0)
    first, second = (half if own is None else own for own, half in zip(given, halves, strict=True))
    return Price(first, second, "configured")


def models_of(provider: CompatibleProvider, snapshot: ServerSnapshot | None) -> list[KnownModel]:
    """Return every model of a server: the configured ones, those that aliases mean, then what the server lists besides.

    Placeholders are left out: names that some servers list without having such models.
    """
    return [describe(provider, snapshot, name) for name in _names(provider, snapshot)]


def has_for_chats(provider: CompatibleProvider, snapshot: ServerSnapshot | None, name: str) -> bool:
    """Tell whether `models_of` has a model that is for chats, without describing the others."""
    return name in _names(provider, snapshot) and describe(provider, snapshot, name).chat


def _names(provider: CompatibleProvider, snapshot: ServerSnapshot | None) -> list[str]:
    named = tuple(dict.fromkeys([*provider.models, *provider.aliases.values()]))
    left_out = {
        *profile_of(provider, snapshot).placeholders,
        *named,
        *(id_of(provider, snapshot, name) for name in named),
        *provider.aliases,  # such a name means another model
    }
    return [*named, *(model.id for model in (snapshot.models if snapshot else ()) if model.id not in left_out)]
