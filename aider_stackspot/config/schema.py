"""The keys of `.aider.litellm.yml`, and what may stand in them. `docs/configuration.md` is made from this file."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from aider_stackspot.config.display import shortened
from aider_stackspot.config.header_values import api_key, header_name, header_value
from aider_stackspot.config.yaml_file import Document, Location
from aider_stackspot.errors import ConfigurationError, InvalidRequest

STATCODE_KEYS = {"orchestration_model", "summarize_model"}
"""Top-level keys of a StatCode `providers.json`, which has otherwise the same shape."""
MAX_PROVIDERS = 200
"""Of one file: each costs a millisecond."""
_STRICT = ConfigDict(extra="forbid", protected_namespaces=(), defer_build=True)
"""Unknown keys are errors. pydantic builds what it validates with when it is first needed: many starts never do."""
UNLIMITED = -1
"""What other tools' guides have people enter for "no limit of tokens"."""
STACKSPOT: Final = "stackspot"
"""The provider that is there without a file, and the type of each account."""
PROVIDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""Of an alias too: LiteLLM has vendors and models of its own behind slashes and colons."""
NO_AGENT_ID = "an agent's id is one word, without spaces or slashes"
NO_MODEL_NAME = "a model's name has no spaces, and is not empty."


def _none_if_empty(value: Any) -> Any:
    return None if value == "" else value


def _no_truth(value: Any) -> Any:
    # `yes` is a truth value in YAML, and Python counts those as 1.
    if isinstance(value, bool):
        raise ValueError("a number is expected")
    return value


def _none_if_unlimited(value: Any) -> Any:
    return None if is_unlimited(value) else value


def is_unlimited(value: object) -> bool:
    """Tell whether a limit of tokens is none: -1, also as the text that a `${VAR}` gives."""
    return value == UNLIMITED or (isinstance(value, str) and value.strip() == str(UNLIMITED))


def is_one_word(text: str) -> bool:
    """Tell whether a text can be an id or the name of a realm: printable, without spaces or slashes."""
    return text.isprintable() and not any(char.isspace() or char == "/" for char in text)


def _no_spaces(value: str | None) -> str | None:
    if value is not None and not is_one_word(value):
        raise ValueError(NO_AGENT_ID)
    return value


def _on_one_line(value: str | None) -> str | None:
    if value is not None and not value.isprintable():
        raise ValueError("a line break or another control character stands in this text")
    return value


Text = Annotated[str | None, AfterValidator(_on_one_line), BeforeValidator(_none_if_empty)]
AgentId = Annotated[str | None, AfterValidator(_no_spaces), BeforeValidator(_none_if_empty)]
Secret = Annotated[SecretStr | None, BeforeValidator(_none_if_empty)]
Count = Annotated[PositiveInt | None, BeforeValidator(_no_truth)]
Limit = Annotated[PositiveInt | None, BeforeValidator(_none_if_unlimited), BeforeValidator(_no_truth)]
Temperature = Annotated[Annotated[float, Field(ge=0, allow_inf_nan=False)] | None, BeforeValidator(_no_truth)]
Seconds = Annotated[Annotated[PositiveFloat, Field(allow_inf_nan=False)] | None, BeforeValidator(_no_truth)]
Command = Annotated[Annotated[list[str], Field(min_length=1)] | None, BeforeValidator(_none_if_empty)]
Retries = Annotated[Annotated[int, Field(ge=0, le=10)] | None, BeforeValidator(_no_truth)]
Price = Annotated[Annotated[float, Field(ge=0, allow_inf_nan=False)] | None, BeforeValidator(_no_truth)]
Id = Annotated[str, Field(min_length=1), AfterValidator(_on_one_line)]


class AgentKeys(BaseModel):
    """What can be asked of a StackSpot agent, by a model's keys and by a call's arguments alike.

    Source: docs/wire.md, "Agents API: request".
    """

    model_config = _STRICT

    agent_id: AgentId = Field(None, description="A StackSpot agent's id; selects the Agents API.")
    stackspot_knowledge: bool | None = Field(None, description="Let StackSpot add its own knowledge (default false).")
    knowledge_source_ids: list[Id] | None = Field(
        None, description="Ids of knowledge sources that an agent, or the chat, uses besides its own."
    )
    deep_search_ks: bool | None = Field(
        None, description="Let an agent search its knowledge more deeply, which takes longer (default false)."
    )
    return_ks_in_response: bool | None = Field(
        None,
        description="Let an agent name the knowledge sources that it used (default false): programs get them with the "
        "answer, aider shows them below it.",
    )
    agent_version_number: Count = Field(None, description="The version of the agent (default: the published one).")
    selected_model: Text = Field(
        None, description="One of the language models that the agent allows (default: the agent's own)."
    )


class CallKeys(AgentKeys):
    """What a call may ask besides: an agent that keeps the history, which is of no use to who edits it, as aider."""

    use_conversation: bool | None = None
    conversation_id: Text = None


class ModelKeys(AgentKeys):
    """The keys of one model."""

    provider: Text = Field(None, description="The provider this model stands under; only for the reader.")
    model: Text = Field(None, description="The model's id at the server, where it differs from the name.")
    model_type: Literal["code", "chat"] | None = Field(
        None,
        description="What the model is for. aider has a model for `code` write diffs, as all of StackSpot's do; for "
        "`chat` of another server it decides by the name.",
    )
    max_tokens: Limit = Field(None, description="Output limit in tokens (StackSpot: 8192); -1 means not limited.")
    max_input_tokens: Count = Field(None, description="Input limit in tokens (StackSpot: 16384).")
    temperature: Temperature = Field(
        None,
        description="Where a call names none: 0.0 to 1.0 for StackSpot (default 0.7; checked, never sent); other "
        "servers get what stands here.",
    )
    api: Literal["agent", "chat", "quick-command"] | None = Field(
        None, description="The StackSpot API that serves it, where the ids below do not say so already."
    )
    quick_command: Text = Field(None, description="A remote quick command's slug; selects quick commands.")
    vision: bool | None = Field(
        None,
        description="Take pictures and files (default false; other servers: what they say). StackSpot gets them "
        "uploaded, which needs an Enterprise account's service credential.",
    )
    tools: bool | Literal["prompt"] | None = Field(
        None,
        description="Let programs call tools: `true`, `false`, or `prompt` for a server that knows none, which reads "
        "of them in the prompt, as StackSpot does (default true; `prompt` for kinds of server without tools).",
    )
    edit_format: Text = Field(None, description="aider's edit format for this model (default diff).")
    weak_model: Text = Field(None, description="aider's model for summaries and commit messages (default: itself).")
    input_cost_per_token: Price = Field(None, description="What a token of a prompt costs, in US dollars.")
    output_cost_per_token: Price = Field(None, description="What a token of an answer costs, in US dollars.")

    @property
    def chosen_edit_format(self) -> str | None:
        """The edit format for aider, as far as these keys choose one."""
        return self.edit_format or ("diff" if self.model_type == "code" else None)


STACKSPOT_KEYS = (*AgentKeys.model_fields, "api", "quick_command")
"""Keys of a model that no other server has."""


class ProviderKeys(BaseModel):
    """The keys of one provider."""

    model_config = _STRICT

    name: Text = Field(None, description="Ignored; other tools' files have it.")
    type: Literal["stackspot", "openai-compatible"] | None = Field(
        None, description="What it speaks. The name `stackspot` means the first, any other name the second."
    )
    api_base: Text = Field(
        None, validation_alias=AliasChoices("api_base", "base_url"), description="Base URL of the API."
    )
    api_key: Secret = Field(None, description="StackSpot's client key, or a server's API key; may be empty.")
    api_key_command: Command = Field(
        None,
        description="A program and its arguments, as a list: the first line that it prints is a server's API key, a "
        "second one the seconds that it lives. It runs without a shell, for 10 s at most, and again after a 401.",
    )
    client_id: Text = Field(None, description="StackSpot's client id, or that of an OAuth2 client.")
    client_secret: Secret = Field(None, description="The OAuth2 client's secret; StackSpot's stands in `api_key`.")
    token_url: Text = Field(
        None,
        description="An OAuth2 token endpoint: client id and secret are exchanged there for the tokens that a server "
        "wants.",
    )
    scope: Text = Field(None, description="The OAuth2 scope to ask for, where the token endpoint wants one.")
    audience: Text = Field(None, description="The OAuth2 audience to ask for, where the token endpoint wants one.")
    client_realm: Text = Field(None, description="StackSpot's realm: the account slug (default stackspot).")
    auth_url: Text = Field(None, description="Base URL of StackSpot's token endpoint.")
    agent_api_base: Text = Field(None, description="Base URL of StackSpot's Agents API.")
    agent_id: AgentId = Field(None, description="The agent for every model that names none.")
    timeout: Seconds = Field(None, description="Total seconds of a call, retries included (default 600).")
    connect_timeout: Seconds = Field(None, description="Seconds for a connection to be made (default 10).")
    idle_timeout: Seconds = Field(
        None, description="Seconds without a byte (default 120; 600 for OpenAI-compatible servers)."
    )
    max_retries: Retries = Field(None, description="Retries of a call before any text has arrived (default 2).")
    rpm: Count = Field(None, description="Requests per minute and credential (default: no limit).")
    end_marker: Literal["finish_reason", "done"] | None = Field(
        None,
        description="What a complete stream of an OpenAI-compatible server surely has: a `finish_reason`, or only "
        "`[DONE]` (default: what its kind of server is known for).",
    )
    ca_bundle: Text = Field(
        None, description="A PEM file with further certificate authorities; relative to the configuration file."
    )
    client_certificate: Text = Field(
        None,
        description="A PEM file with a certificate and its key, for hosts that ask for one (mutual TLS); relative to "
        "the configuration file.",
    )
    proxy: Secret = Field(None, description="The URL of an HTTP proxy, instead of HTTPS_PROXY.")
    allow_insecure_http: bool = Field(False, description="Allow http:// to other hosts than this machine.")
    extra_headers: dict[str, SecretStr] = Field(
        default_factory=dict, description="Headers for every call of the API; not for the token request."
    )
    aliases: dict[str, str] = Field(
        default_factory=dict,
        description="Other names for models, each with the model of this provider that it means: `fast` is `fast` for "
        "StackSpot's, and `lab/fast` for those of a server `lab`.",
    )
    models: dict[str, ModelKeys] | None = Field(
        None, description="Models by name. StackSpot's three are always there; other servers are asked for theirs."
    )

    @field_validator("aliases", mode="before")
    @classmethod
    def _aliases_as_mapping(cls, value: Any) -> Any:
        """Accept the key without anything behind it, and names that YAML takes for numbers."""
        if isinstance(value, dict):
            return {str(alias): model for alias, model in value.items()}
        return value if value is not None else {}

    @field_validator("models", mode="before")
    @classmethod
    def _models_as_mapping(cls, value: Any) -> Any:
        """Accept a list of ids, the records of a discovery, and the empty list other tools write."""
        if isinstance(value, list):
            return {_model_id(item): {} for item in value} or None
        if isinstance(value, dict):
            return {str(name): keys if keys is not None else {} for name, keys in value.items()} or None
        return value

    @model_validator(mode="before")
    @classmethod
    def _one_base(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("api_base") and value.get("base_url"):
            raise ValueError("api_base and base_url are the same key; give one of them")
        return value


def _model_id(item: Any) -> str:
    found = item.get("id") or item.get("name") if isinstance(item, dict) else item
    if not isinstance(found, str) or not found:
        raise ValueError("a list of models holds their ids, as texts")
    return found


class FileKeys(BaseModel):
    """The top level of the file."""

    model_config = _STRICT

    providers: dict[str, ProviderKeys] = Field(default_factory=dict, description="Providers by name.")

    @field_validator("providers", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {str(name): keys if keys is not None else {} for name, keys in value.items()}
        return value if value is not None else {}


def validate(document: Document, data: Any) -> FileKeys:
    """Check a file's data (with its references filled in) against the keys.

    Raises:
        ConfigurationError: names the file, the line, the key and, for an unknown one, the nearest known key.
    """
    is_statcode = document.path.suffix == ".json"
    known = {
        key: value
        for key, value in data.items()
        if key in FileKeys.model_fields or not (key in STATCODE_KEYS or is_statcode)
    }
    try:
        keys = FileKeys.model_validate(known)
    except ValidationError as error:
        raise first_problem(document, error) from None
    if len(keys.providers) > MAX_PROVIDERS:
        raise document.error(("providers",), f"more than {MAX_PROVIDERS} stand in this file.")
    for name, provider in keys.providers.items():
        _check_names(document, name, provider)
        _check_headers(document, name, provider)
    return keys


def is_model_name(name: str) -> bool:
    """Tell whether a model can be called so; `NO_MODEL_NAME` says what is wrong if not."""
    return bool(name) and name.isprintable() and not any(char.isspace() for char in name)


def is_stackspot(name: str, keys: ProviderKeys) -> bool:
    """Tell whether a provider is a StackSpot account, and no OpenAI-compatible server."""
    return STACKSPOT in (name, keys.type)


def _check_names(document: Document, name: str, keys: ProviderKeys) -> None:
    where: Location = ("providers", name)
    if not PROVIDER_NAME.fullmatch(name):
        raise document.error(where, "a provider's name has letters, digits, `.`, `_` and `-` only.")
    if name == STACKSPOT and keys.type == "openai-compatible":
        raise document.error((*where, "type"), "the name `stackspot` is StackSpot's; give this provider another one.")
    for model in keys.models or {}:
        if not is_model_name(model):
            raise document.error((*where, "models", model), NO_MODEL_NAME)


def _check_headers(document: Document, name: str, keys: ProviderKeys) -> None:
    """Take outer white space off, and refuse what no HTTP header can carry.

    The library that sends it would fail in its own words, with the value.
    """
    where: Location = ("providers", name)
    headers = {}
    for header, value in keys.extra_headers.items():
        what = document.what((*where, "extra_headers", header))
        headers[header_name(header, what)] = SecretStr(header_value(value.get_secret_value(), what))
    keys.extra_headers = headers
    if keys.api_key is None:
        return
    key = keys.api_key.get_secret_value()
    # StackSpot's key goes into a form, which carries everything.
    key = key.strip() if is_stackspot(name, keys) else api_key(key, document.what((*where, "api_key")))
    keys.api_key = SecretStr(key) if key else None


_EXPECTED = {
    "string_type": "a text is expected; put a number or a date in quotes",
    "bool_type": "true or false is expected",
    "bool_parsing": "true or false is expected",
    "list_type": "a list of texts is expected",
    "too_short": "at least the program's name is expected",
    "dict_type": "a mapping of keys to values is expected",
    "model_type": "a mapping of keys to values is expected",
    "int_type": "a whole number is expected",
    "int_parsing": "a whole number is expected",
    "int_from_float": "a whole number is expected",
    "float_type": "a number is expected",
    "float_parsing": "a number is expected",
    "finite_number": "a number is expected",
    "string_too_short": "an empty text stands here",
}


_NOTHING_ASKED = CallKeys.model_construct()


def checked_arguments(given: Mapping[str, Any]) -> CallKeys:
    """Return the arguments of a call that have these names, checked as keys of a file are; `None` means: not given.

    Raises:
        InvalidRequest: a value cannot be used; the text names the argument.
    """
    asked = {name: value for name, value in given.items() if value is not None}
    if not asked:
        return _NOTHING_ASKED
    try:
        return CallKeys.model_validate(asked)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in details["loc"])
        raise InvalidRequest(f"The argument `{name}` cannot be used: {_problem(details)}.") from None


def _problem(details: Mapping[str, Any]) -> str:
    problem = _EXPECTED.get(details["type"]) or details["msg"].removeprefix("Value error, ")
    return str(problem[:1].lower() + problem[1:])


def first_problem(document: Document, error: ValidationError, above: Location = ()) -> ConfigurationError:
    """Return what is wrong, with its place; `above` is where the part that was looked at stands in the file."""
    details = error.errors(include_url=False, include_input=False)[0]
    location: Location = (*above, *(part for part in details["loc"] if part != "[key]"))
    if details["type"] == "extra_forbidden":
        return document.error(location, f"unknown key{_suggestion(location)}")
    if location[-1:] == ("api_base",) and (*location[:-1], "base_url") in document.lines:
        location = (*location[:-1], "base_url")
    return document.error(location, f"{_problem(details)}.")


def _suggestion(location: Location) -> str:
    models: dict[int, type[BaseModel]] = {1: FileKeys, 3: ProviderKeys, 5: ModelKeys}
    schema = models.get(len(location))
    if schema is None:
        return "."
    known = [*schema.model_fields, *(["base_url"] if schema is ProviderKeys else [])]
    close = difflib.get_close_matches(shortened(str(location[-1])), known, n=1, cutoff=0.5)
    return f"; did you mean `{close[0]}`?" if close else f"; known keys are {', '.join(known)}."
