"""What is peculiar to each kind of OpenAI-compatible server, as data, and how a server's kind is recognised.

A profile is chosen by the user, by name, or by `recognise` from what the server sends. It changes only what it names:
the generic profile is an ordinary OpenAI API. The facts, one heading for each kind, are in docs/servers.md.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from aider_stackspot.api.openai import EndMarker
from aider_stackspot.compatible.chat_models import chat_verdict
from aider_stackspot.compatible.listing import NotAModelList, entries
from aider_stackspot.compatible.model import ListedModel

Attribute = Literal["served", "advertised", "output", "kind", "root"]
"""What of a `ListedModel` a further endpoint may know."""

LimitName = Literal["max_tokens", "max_completion_tokens"]
"""The field of a chat with the limit of its answer: the first name, and the one that OpenAI gave it later."""
LIMIT_NAMES: tuple[LimitName, ...] = get_args(LimitName)

_HOUR = 3600
_DAY = 24 * _HOUR


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A further endpoint that knows what the model list leaves out.

    Attributes:
        path: below the server's root, which is the base URL without its `/v1`.
        fills: what it may add; it is not worth a request where every model has that (`wanted`).
        per_model: it is about one model, read by `entries.details_of`; otherwise it answers a list, read by `listing`.
        post: it takes a POST of `{"model": id}`, once for each model; otherwise it is a GET.
        fallback: an older name of the endpoint before it, to be asked only where that one answers 404.
    """

    path: str
    fills: frozenset[Attribute]
    per_model: bool = False
    post: bool = False
    fallback: bool = False

    def url(self, base_url: str) -> str:
        """Return the address for a server's base URL, with or without a trailing `/v1`."""
        root = base_url.strip().rstrip("/").removesuffix("/v1").rstrip("/")
        return root + self.path

    def wanted(self, models: Iterable[ListedModel]) -> bool:
        """Tell whether any chat model lacks what this endpoint may add."""
        chat_models = [model for model in models if chat_verdict(model).chat]
        return any(not getattr(model, attribute) for model in chat_models for attribute in self.fills)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What gives a kind of server away, in the entries of its list above all. Every mark that is set must hold.

    Attributes:
        owned_by: the entry's `owned_by`.
        owner_is_id: `owned_by` repeats the id.
        created: the entry's `created`.
        keys: keys that the entry has.
        only: the entry has these keys and no other.
        counted: the id is a number, with or without quotes.
        anywhere: one entry that looks like this is enough; otherwise all must.
        header: a response header and what its value begins with, both in lower case. Enough by itself.
        port: the usual port of a server whose list may be empty. The weakest mark, and enough by itself.
    """

    owned_by: str | None = None
    owner_is_id: bool = False
    created: int | None = None
    keys: frozenset[str] = frozenset()
    only: frozenset[str] | None = None
    counted: bool = False
    anywhere: bool = False
    header: tuple[str, str] | None = None
    port: int | None = None


@dataclass(frozen=True, slots=True)
class ServerProfile:
    """One kind of server.

    Attributes:
        name: how a configuration calls it.
        title: how people call it.
        base_url: where it listens unless told otherwise; `None` for what has no usual place.
        also: other names for it.
        fingerprint: how it is recognised; `None` if only by name.
        endpoints: where to find what its model list leaves out, in the order of their authority.
        parameters: the only request fields it takes, `None` for any. Further ones are answered with 400.
        stream_options: the only fields of `stream_options` it takes, `None` for any.
        roles: the only message roles it takes, `None` for any.
        limit_name: under which name it surely knows the limit of an answer, `None` where it knows both.
        message_name: whether a message may hold a `name`.
        text_only: it refuses, or silently drops, images and audio.
        end_marker: what a complete stream surely has.
        finish_needs_usage: it sends a `finish_reason` only if `stream_options.include_usage` is asked for.
        placeholders: ids it lists without having such models.
        cache_seconds: how long its model list counts as fresh.
    """

    name: str
    title: str
    base_url: str | None = None
    also: tuple[str, ...] = ()
    fingerprint: Fingerprint | None = None
    endpoints: tuple[Endpoint, ...] = ()
    parameters: frozenset[str] | None = None
    stream_options: frozenset[str] | None = None
    roles: frozenset[str] | None = None
    limit_name: LimitName | None = None
    message_name: bool = True
    text_only: bool = False
    end_marker: EndMarker = "finish_reason"
    finish_needs_usage: bool = False
    placeholders: frozenset[str] = frozenset()
    cache_seconds: int = _HOUR


@functools.cache
def named(name: str) -> ServerProfile | None:
    """Return the profile that a configuration means by `name`, however it is spelled, or `None`."""
    wanted = _folded(name)
    for profile in PROFILES:
        if wanted in map(_folded, (profile.name, profile.title, *profile.also)):
            return profile
    return None


def _folded(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _fills(*attributes: Attribute) -> frozenset[Attribute]:
    return frozenset(attributes)


GENERIC = ServerProfile("generic", "OpenAI-compatible server", also=("openai", "openai-compatible"))

PROFILES = (
    GENERIC,
    ServerProfile(
        "lmstudio",
        "LM Studio",
        "http://localhost:1234/v1",
        limit_name="max_tokens",
        fingerprint=Fingerprint(owned_by="organization_owner", port=1234),
        endpoints=(
            Endpoint("/api/v1/models", _fills("served", "advertised", "kind")),
            Endpoint("/api/v0/models", _fills("served", "advertised", "kind"), fallback=True),
        ),
    ),
    ServerProfile(
        "localai",
        "LocalAI",
        "http://localhost:8080/v1",
        limit_name="max_tokens",
        fingerprint=Fingerprint(only=frozenset({"id", "object"})),
        endpoints=(Endpoint("/v1/models/capabilities", _fills("served", "kind")),),
    ),
    ServerProfile(
        "text-generation-webui",
        "text-generation-webui",
        "http://localhost:5000/v1",
        also=("oobabooga", "textgen", "TextGen WebUI"),
        limit_name="max_tokens",
        fingerprint=Fingerprint(owned_by="user", created=0),
        endpoints=(Endpoint("/v1/internal/model/info", _fills("root"), per_model=True),),
        # Older releases list these two whatever is loaded (docs/servers.md, "text-generation-webui").
        placeholders=frozenset({"gpt-3.5-turbo", "text-embedding-ada-002"}),
    ),
    ServerProfile("vllm", "vLLM", "http://localhost:8000/v1", fingerprint=Fingerprint(owned_by="vllm", anywhere=True)),
    ServerProfile(
        "ollama",
        "Ollama",
        "http://localhost:11434/v1",
        limit_name="max_tokens",
        fingerprint=Fingerprint(owned_by="library", anywhere=True, port=11434),
        endpoints=(
            Endpoint("/api/show", _fills("served", "advertised", "kind"), per_model=True, post=True),
            Endpoint("/api/ps", _fills("served")),
            Endpoint("/api/tags", _fills("kind")),
        ),
    ),
    ServerProfile(
        "llama.cpp",
        "llama.cpp",
        "http://localhost:8080/v1",
        also=("llama-server", "llama.cpp server"),
        limit_name="max_tokens",
        fingerprint=Fingerprint(owned_by="llamacpp", anywhere=True, header=("server", "llama.cpp")),
        endpoints=(Endpoint("/props", _fills("served"), per_model=True),),
    ),
    ServerProfile(
        "llama-cpp-python",
        "llama-cpp-python",
        "http://localhost:8000/v1",
        limit_name="max_tokens",
        fingerprint=Fingerprint(owned_by="me", keys=frozenset({"permissions"})),
    ),
    ServerProfile(
        "tgi",
        "Text Generation Inference",
        also=("text-generation-inference",),
        limit_name="max_tokens",
        fingerprint=Fingerprint(owner_is_id=True, created=0),
        endpoints=(Endpoint("/info", _fills("served", "output", "kind"), per_model=True),),
    ),
    ServerProfile(
        "sglang",
        "SGLang",
        "http://localhost:30000/v1",
        fingerprint=Fingerprint(owned_by="sglang", anywhere=True),
        endpoints=(Endpoint("/get_model_info", _fills("kind"), per_model=True),),
    ),
    ServerProfile(
        "litellm",
        "LiteLLM Proxy",
        "http://localhost:4000/v1",
        fingerprint=Fingerprint(owned_by="openai", created=1677610602, header=("x-litellm-version", "")),
        endpoints=(Endpoint("/model/info", _fills("served", "output", "kind")),),
    ),
    ServerProfile(
        "scalytics",
        "Scalytics Connect",
        also=("Scalytics Copilot",),
        fingerprint=Fingerprint(counted=True, keys=frozenset({"name"})),
        parameters=frozenset(
            {
                "messages",
                "stream",
                "model",
                "temperature",
                "max_tokens",
                "top_p",
                "frequency_penalty",
                "presence_penalty",
                "stream_options",
            }
        ),
        stream_options=frozenset({"include_usage"}),
        limit_name="max_tokens",
        roles=frozenset({"user", "assistant", "system"}),
        message_name=False,
        text_only=True,
        end_marker="done",
        finish_needs_usage=True,
        # All users share 100 requests in 15 minutes, and the model list counts (docs/servers.md, "Scalytics Connect").
        cache_seconds=_DAY,
    ),
)
"""Every profile. Among those that share a port the order is no preference: a list tells them apart, a port does not."""

PRESETS = tuple(
    profile
    for name in ("lmstudio", "localai", "text-generation-webui", "vllm", "ollama", "llama.cpp")
    if (profile := named(name))
)
"""The local servers worth offering and looking for, the seed's table first."""


def recognise(document: object, headers: Mapping[str, str] | None = None, base_url: str = "") -> ServerProfile:
    """Return the profile of a server; the generic one if nothing gives it away (docs/servers.md, "Model lists").

    Args:
        document: the decoded answer of `/models`.
        headers: the answer's headers.
        base_url: the server's address. Only the usual port of LM Studio and Ollama means anything, and only where
            the list itself says nothing.
    """
    lowered = {name.lower(): value.lower() for name, value in (headers or {}).items()}
    try:
        found = entries(document)
    except NotAModelList:
        found = []
    port = _port(base_url)
    marked = [(profile, profile.fingerprint) for profile in PROFILES if profile.fingerprint]
    for profile, mark in marked:
        if mark.header and mark.header[0] in lowered and lowered[mark.header[0]].startswith(mark.header[1]):
            return profile
    for profile, mark in marked:
        if _fits(mark, found):
            return profile
    for profile, mark in marked:
        if mark.port and mark.port == port:
            return profile
    return GENERIC


def _fits(fingerprint: Fingerprint, found: list[Any]) -> bool:
    if not found:
        return False
    agrees = any if fingerprint.anywhere else all
    return agrees(isinstance(entry, Mapping) and _looks_like(fingerprint, entry) for entry in found)


def _looks_like(fingerprint: Fingerprint, entry: Mapping[str, Any]) -> bool:
    """Tell whether an entry bears all the marks that are set, of which there must be one."""
    owner, identifier = entry.get("owned_by"), entry.get("id")
    held = []
    if fingerprint.owned_by is not None:
        held.append(owner == fingerprint.owned_by)
    if fingerprint.owner_is_id:
        held.append(isinstance(identifier, str) and owner == identifier)
    if fingerprint.created is not None:
        held.append(entry.get("created") == fingerprint.created)
    if fingerprint.keys:
        held.append(fingerprint.keys <= entry.keys())
    if fingerprint.only is not None:
        held.append(fingerprint.only == entry.keys())
    if fingerprint.counted:
        held.append(isinstance(identifier, (str, int)) and str(identifier).isdecimal())
    return bool(held) and all(held)


def _port(base_url: str) -> int | None:
    try:
        return urlsplit(base_url).port
    except ValueError:
        return None
