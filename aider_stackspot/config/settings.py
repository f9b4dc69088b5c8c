"""What the configuration comes to, once files, environment and defaults are merged: plain values, nothing to read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from aider_stackspot.config.schema import ModelKeys
from aider_stackspot.config.system_keyring import KEYRING, StoredKey
from aider_stackspot.errors import ConfigurationError, MissingCredentials

Api = Literal["agent", "chat", "quick-command"]

DEFAULT_REALM = "stackspot"
DEFAULT_AUTH_URL = "https://idm.stackspot.com"
DEFAULT_API_BASE = "https://genai-code-buddy-api.stackspot.com"
DEFAULT_AGENT_API_BASE = "https://genai-inference-app.stackspot.com"
DEFAULT_UPLOAD_BASE = "https://data-integration-api.stackspot.com"
DEFAULT_AGENT_TOOLS_BASE = "https://genai-agent-tools-api.stackspot.com"
DEFAULT_HOSTS = (
    DEFAULT_AUTH_URL,
    DEFAULT_API_BASE,
    DEFAULT_AGENT_API_BASE,
    DEFAULT_UPLOAD_BASE,
    DEFAULT_AGENT_TOOLS_BASE,
)
DEFAULT_MODELS = ("stackspot-ai", "stackspot-ai-chat", "stackspot-ai-code")

MAX_INPUT_TOKENS = 16_384
MAX_OUTPUT_TOKENS = 8_192
CONFIGURED_ORIGIN = "configured"
LEARNED_ORIGIN = "learned: StackSpot's own refusal"
DEFAULT_ORIGIN = "default"
"""Where an input limit comes from, in the words of a model list."""
DEFAULT_TEMPERATURE = 0.7
MAX_RETRIES = 2
TOTAL_TIMEOUT = 600.0
"""Seconds; what LiteLLM and aider give a call themselves."""


@dataclass(frozen=True)
class Network:
    """How to reach hosts: everything that the one builder of HTTP clients needs to know.

    `proxies` are the environment's, by scheme ("https", "http", "all") and `no_proxy` its exceptions; `proxy`, where
    set, replaces them. `ca_files` and `ca_directories` are trusted besides the usual authorities,
    `client_certificate` is a file with a certificate and its key for hosts that ask for one. The two timeouts are in
    seconds: for a connection, and without a byte. Secrets in proxy URLs stay secret.
    """

    proxy: SecretStr | None = None
    proxies: tuple[tuple[str, SecretStr], ...] = ()
    no_proxy: str = ""
    ca_files: tuple[str, ...] = ()
    ca_directories: tuple[str, ...] = ()
    client_certificate: str | None = None
    verify: bool = True
    allow_insecure_http: bool = False
    connect_timeout: float | None = None
    idle_timeout: float | None = None


CREDENTIAL_VARIABLES = {
    "client_id": "STACKSPOTAI_CLIENT_ID",
    "api_key": "STACKSPOTAI_CLIENT_KEY",
    "client_realm": "STACKSPOTAI_REALM",
}
_MAX_LOOKED_IN = 90
"""Characters of places that a message has room for."""


@dataclass(frozen=True)
class Account:
    """One StackSpot account: a provider of type `stackspot`.

    `aliases` are other names for its models, each with the model's own. `origins` tells for each key where its value
    came from; `looked_in` where credentials were looked for. `users_own` is false for an account that only a project's
    file declares: its names, and those of its models, must not replace names that LiteLLM knows already. `stored_key`
    is where the client key may be when neither a variable nor a file gives it.
    """

    name: str
    client_id: str | None
    client_key: SecretStr | None
    realm: str
    auth_url: str
    api_base: str
    agent_api_base: str
    upload_base: str = DEFAULT_UPLOAD_BASE
    agent_tools_base: str = DEFAULT_AGENT_TOOLS_BASE
    timeout: float | None = None
    max_retries: int = MAX_RETRIES
    rpm: int | None = None
    extra_headers: Mapping[str, SecretStr] = field(default_factory=dict)
    network: Network = Network()
    aliases: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    looked_in: tuple[str, ...] = ()
    users_own: bool = True
    stored_key: StoredKey | None = None

    def key(self) -> SecretStr | None:
        """Return the client key: of a variable or a file, else of the system's keyring, which is opened for it."""
        return self.client_key or (self.stored_key.key() if self.stored_key is not None else None)

    def forget_stored_key(self) -> None:
        """Have the keyring asked again by the next call: the key that it gave was refused, and may be an old one."""
        if self.stored_key is not None:
            self.stored_key.forget()

    def origin(self, name: str) -> str:
        """Return where the value of a key came from."""
        in_keyring = name == "api_key" and self.client_key is None and self.key() is not None
        return KEYRING if in_keyring else self.origins.get(name, "default")

    def credentials(self) -> tuple[str, SecretStr]:
        """Return the client id and the client key.

        Raises:
            MissingCredentials: one of them was found nowhere; says which, and where it was looked for.
        """
        key = self.key()
        if self.client_id and key:
            return self.client_id, key
        if self.stored_key is not None and self.stored_key.problem:
            raise MissingCredentials(f"No client key for the provider `{self.name}`: {self.stored_key.problem}")
        missing = [name for name, value in self.required().items() if not value]
        looked_in = ", ".join(self.looked_in)
        if len(looked_in) > _MAX_LOOKED_IN:
            looked_in = f"{len(self.looked_in)} places, which `aider-stackspot doctor` shows"
        raise MissingCredentials(
            f"No StackSpot credentials for the provider `{self.name}`: {' and '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not set. Looked in {looked_in}. Run: aider-stackspot init"
        )

    def named(self, key: str) -> str:
        """Return what a key of the credentials is called where its value came from: a variable, or a key of a file."""
        variable = CREDENTIAL_VARIABLES[key]
        origin = self.origin(key)
        if origin == KEYRING:
            return "the client key in the keyring"
        return variable if origin.startswith((variable, "default")) else f"`{key}`"

    def place(self, key: str) -> str:
        """Return the file, or whatever else it was, that a key of the credentials came from; without a line number."""
        return self.origin(key).removeprefix(f"{CREDENTIAL_VARIABLES[key]} in ").partition(", line ")[0]

    def required(self) -> dict[str, bool]:
        """Return the environment variables that a call needs, each with whether its value was found."""
        return {
            CREDENTIAL_VARIABLES["client_id"]: bool(self.client_id),
            CREDENTIAL_VARIABLES["api_key"]: bool(self.key()),
        }


@dataclass(frozen=True)
class Model:
    """One StackSpot model: a public name, which API of which account serves it, and how.

    Limits are in tokens, prices in US dollars; a price is `None` where nobody said one. `input_origin` tells where the
    input limit comes from.
    """

    name: str
    account: Account
    api: Api
    agent_id: str | None = None
    quick_command: str | None = None
    stackspot_knowledge: bool = False
    knowledge_source_ids: tuple[str, ...] = ()
    deep_search_ks: bool = False
    return_ks_in_response: bool = False
    agent_version_number: int | None = None
    selected_model: str | None = None
    max_input_tokens: int = MAX_INPUT_TOKENS
    input_origin: str = DEFAULT_ORIGIN
    max_output_tokens: int = MAX_OUTPUT_TOKENS
    temperature: float = DEFAULT_TEMPERATURE
    edit_format: str = "diff"
    weak_model: str | None = None
    tools: bool = True
    vision: bool = False
    input_cost_per_token: float | None = None
    output_cost_per_token: float | None = None

    @property
    def route(self) -> str:
        """The name with its provider in front, as LiteLLM writes it."""
        return f"{self.account.name}/{self.name}"


def with_account(name: str, model: Model) -> str:
    """Return a public name of a model with the account in front."""
    prefix = f"{model.account.name}/"
    return name if name.startswith(prefix) else f"{prefix}{name}"


AGENT_PREFIX = "/agent/"
"""Stands in the name of any agent, between the account's and the agent's id."""
AGENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def agent_model(account: Account, agent_id: str) -> Model:
    """Return the model that any agent of an account is, without a word about it in a file."""
    return Model(f"{AGENT_PREFIX[1:]}{agent_id}", account, "agent", agent_id)


@dataclass(frozen=True)
class OAuth2Client:
    """A client of an authorization server, as the configuration has it (RFC 6749 section 4.4).

    `problem` says what is missing for a token, where something is: the first call is refused with it.
    """

    token_url: str
    client_id: str = ""
    client_secret: SecretStr | None = None
    scope: str = ""
    audience: str = ""
    problem: str = ""


@dataclass(frozen=True)
class KeyCommand:
    """A program whose output is a key: its name or path, its arguments, and where it is run.

    `variables` are its environment: the user's own, without what a project's files set.
    """

    arguments: tuple[str, ...]
    directory: str
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class CompatibleProvider:
    """One OpenAI-compatible server. At most one of `api_key`, `oauth2` and `key_command` says who asks.

    `aliases` are other names for its models, each with the model's own.
    """

    name: str
    api_base: str
    api_key: SecretStr | None = None
    oauth2: OAuth2Client | None = None
    key_command: KeyCommand | None = None
    timeout: float | None = None
    max_retries: int | None = None
    rpm: int | None = None
    end_marker: Literal["finish_reason", "done"] | None = None
    extra_headers: Mapping[str, SecretStr] = field(default_factory=dict)
    network: Network = Network()
    aliases: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, ModelKeys] = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    """The whole configuration.

    `models` maps every public name, bare and with its provider, to its StackSpot model; aliases are such names.
    `problem` is set when a file cannot be used: names are then the built-in ones, and every call is refused with that
    text. `refused` are then the names of other servers, so that their calls are refused too and do not reach whoever
    else has such a name. `ignored` has the line about each server that was left out, as only a project's file has it.
    `notices` are lines that the user should see once. `files` are the files that were read, closest first. `home` is
    the user's home directory, whatever a project's `.env` says; `switches` tells for each switch whether it is on, and
    `log_target` where calls are logged to. `agent` makes the model of any agent, which needs no name in a file.
    """

    accounts: Mapping[str, Account]
    models: Mapping[str, Model]
    compatible: Mapping[str, CompatibleProvider] = field(default_factory=dict)
    problem: str | None = None
    refused: tuple[str, ...] = ()
    ignored: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    home: Path | None = None
    switches: Mapping[str, bool] = field(default_factory=dict)
    log_target: str | None = None
    agent: Callable[[Account, str], Model] = agent_model

    def find(self, name: object) -> Model | None:
        """Return a StackSpot model by its public name, or the agent that a name such as `stackspot/agent/ID` means."""
        if not isinstance(name, str):
            return None
        if name in self.models:
            return self.models[name]
        account, slash, agent_id = name.partition(AGENT_PREFIX)
        if slash and account in self.accounts and AGENT_ID.fullmatch(agent_id):
            return self.agent(self.accounts[account], agent_id)
        return None

    def listed_models(self) -> dict[str, Model]:
        """Return each StackSpot model by its shortest name: the account is in front where the bare one is another's.

        The same of each of its aliases.
        """
        shortest: dict[str, str] = {}
        for name, model in self.models.items():  # the bare ones come first
            shortest.setdefault(with_account(name, model), name)
        return {name: self.models[name] for name in shortest.values()}

    def aliases(self) -> dict[str, list[str]]:
        """Return the aliases of StackSpot's models by the model's route, each as short as it can be used."""
        found: dict[str, list[str]] = {}
        for name, model in self.listed_models().items():
            if name not in (model.name, model.route):
                found.setdefault(model.route, []).append(name)
        return found

    def model(self, name: str) -> Model:
        """Return a StackSpot model by its public name.

        Raises:
            ConfigurationError: the configuration cannot be used, or has no such model.
        """
        if self.problem is not None:
            raise ConfigurationError(self.problem)
        model = self.find(name)
        if model is None:
            nearest = get_close_matches(name, self.listed_models(), n=3, cutoff=0)
            raise ConfigurationError(
                f"There is no StackSpot model `{name}`. `aider-stackspot models` lists them ({', '.join(nearest)} …), "
                "and any agent is stackspot/agent/ID."
            )
        return model
