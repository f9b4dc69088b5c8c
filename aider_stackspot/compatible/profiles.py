"""What is peculiar to each kind of OpenAI-compatible server, as data (docs/servers.md; seed `statcode-openai-compatible.md`).

A profile is chosen by the user, by name, or by `recognise` from what the server sends. It changes only what it names:
the generic profile is an ordinary OpenAI API.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from aider_stackspot.api.openai import EndMarker
from aider_stackspot.compatible.chat_models import kind_of
from aider_stackspot.compatible.model import ListedModel

Lack = Literal["served", "advertised", "output", "kind", "root"]

_HOUR = 3600
_DAY = 24 * _HOUR


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A further endpoint that knows what the model list leaves out.

    Attributes:
        path: below the server's root, which is the base URL without its `/v1`.
        fills: what it may add; it is not worth a request where every model has that (`wanted`).
        per_model: it is about one model and read by `details`; otherwise it answers a list, read by `listing`.
        post: it takes a POST of `{"model": id}`, once for each model; otherwise it is a GET.
        fallback: an older name of the endpoint before it, to be asked only where that one answers 404.
    """

    path: str
    fills: frozenset[Lack]
    per_model: bool = False
    post: bool = False
    fallback: bool = False

    def url(self, base_url: str) -> str:
        """Return the address for a server's base URL, with or without a trailing `/v1`."""
        root = base_url.strip().rstrip("/").removesuffix("/v1").rstrip("/")
        return root + self.path

    def wanted(self, models: Iterable[ListedModel]) -> bool:
        """Tell whether any chat model lacks what this endpoint may add."""
        return any(_lacks(model, lack) for model in models if kind_of(model).chat for lack in self.fills)


@dataclass(frozen=True, slots=True)
class Marks:
    """How a server's list entries look. Every mark that is set must hold.

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
class Profile:
    """One kind of server.

    Attributes:
        name: how a configuration calls it.
        title: how people call it.
        base_url: where it listens unless told otherwise; `None` for what has no usual place.
        also: other names for it.
        marks: how it is recognised; `None` if only by name.
        endpoints: where to find what its model list leaves out, in the order of their authority.
        parameters: the only request fields it takes, `None` for any. Further ones are answered with 400.
        stream_options: the only fields of `stream_options` it takes, `None` for any.
        roles: the only message roles it takes, `None` for any.
        message_name: whether a message may hold a `name`.
        text_only: it refuses, or silently drops, images and audio.
        end_marker: what a complete stream surely has.
        finish_needs_usage: it sends a `finish_reason` only if `stream_options.include_usage` is asked for.
        ignored_events: SSE event names that are no part of the answer.
        model_ignored: the one loaded model answers, whatever `model` a request names.
        placeholders: ids it lists without having such models.
        truncates: it cuts a prompt that is too long without a word, so a limit that is too high is never noticed.
        cache_seconds: how long its model list counts as fresh.
    """

    name: str
    title: str
    base_url: str | None = None
    also: tuple[str, ...] = ()
    marks: Marks | None = None
    endpoints: tuple[Endpoint, ...] = ()
    parameters: frozenset[str] | None = None
    stream_options: frozenset[str] | None = None
    roles: frozenset[str] | None = None
    message_name: bool = True
    text_only: bool = False
    end_marker: EndMarker = "finish_reason"
    finish_needs_usage: bool = False
    ignored_events: frozenset[str] = frozenset()
    model_ignored: bool = False
    placeholders: frozenset[str] = frozenset()
    truncates: bool = False
    cache_seconds: int = _HOUR


def named(name: str) -> Profile | None:
    """Return the profile that a configuration means by `name`, however it is spelled, or `None`."""
    wanted = _folded(name)
    for profile in PROFILES:
        if wanted in map(_folded, (profile.name, profile.title, *profile.also)):
            return profile
    return None


def _folded(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _lacks(model: ListedModel, lack: Lack) -> bool:
    if lack == "kind":
        return not model.kind
    if lack == "root":
        return model.root is None
    if lack == "served":
        return model.served is None
    if lack == "advertised":
        return model.advertised is None
    return model.output is None


def _fills(*lacks: Lack) -> frozenset[Lack]:
    return frozenset(lacks)


GENERIC = Profile("generic", "OpenAI-compatible server", also=("openai", "openai-compatible"))

PROFILES = (
    GENERIC,
    Profile(
        "lmstudio",
        "LM Studio",
        "http://localhost:1234/v1",
        marks=Marks(owned_by="organization_owner", port=1234),
        endpoints=(
            Endpoint("/api/v1/models", _fills("served", "advertised", "kind")),
            Endpoint("/api/v0/models", _fills("served", "advertised", "kind"), fallback=True),
        ),
    ),
    Profile(
        "localai",
        "LocalAI",
        "http://localhost:8080/v1",
        marks=Marks(only=frozenset({"id", "object"})),
        endpoints=(Endpoint("/v1/models/capabilities", _fills("served", "kind")),),
    ),
    Profile(
        "text-generation-webui",
        "text-generation-webui",
        "http://localhost:5000/v1",
        also=("oobabooga", "textgen", "TextGen WebUI"),
        marks=Marks(owned_by="user", created=0),
        endpoints=(Endpoint("/v1/internal/model/info", _fills("root"), per_model=True),),
        model_ignored=True,
        # Older releases list these two whatever is loaded (docs/servers.md, "text-generation-webui").
        placeholders=frozenset({"gpt-3.5-turbo", "text-embedding-ada-002"}),
    ),
    Profile("vllm", "vLLM", "http://localhost:8000/v1", marks=Marks(owned_by="vllm", anywhere=True)),
    Profile(
        "ollama",
        "Ollama",
        "http://localhost:11434/v1",
        marks=Marks(owned_by="library", anywhere=True, port=11434),
        endpoints=(
            Endpoint("/api/show", _fills("served", "advertised", "kind"), per_model=True, post=True),
            Endpoint("/api/ps", _fills("served")),
            Endpoint("/api/tags", _fills("kind")),
        ),
        truncates=True,
    ),
    Profile(
        "llama.cpp",
        "llama.cpp",
        "http://localhost:8080/v1",
        also=("llama-server", "llama.cpp server"),
        marks=Marks(owned_by="llamacpp", anywhere=True, header=("server", "llama.cpp")),
        endpoints=(Endpoint("/props", _fills("served"), per_model=True),),
        model_ignored=True,
    ),
    Profile(
        "llama-cpp-python",
        "llama-cpp-python",
        "http://localhost:8000/v1",
        marks=Marks(owned_by="me", keys=frozenset({"permissions"})),
        model_ignored=True,
    ),
    Profile(
        "tgi",
        "Text Generation Inference",
        also=("text-generation-inference",),
        marks=Marks(owner_is_id=True, created=0),
        endpoints=(Endpoint("/info", _fills("served", "output", "kind"), per_model=True),),
    ),
    Profile(
        "sglang",
        "SGLang",
        "http://localhost:30000/v1",
        marks=Marks(owned_by="sglang", anywhere=True),
        endpoints=(Endpoint("/get_model_info", _fills("kind"), per_model=True),),
    ),
    Profile(
        "litellm",
        "LiteLLM Proxy",
        "http://localhost:4000/v1",
        marks=Marks(owned_by="openai", created=1677610602, header=("x-litellm-version", "")),
        endpoints=(Endpoint("/model/info", _fills("served", "output", "kind")),),
    ),
    Profile(
        "scalytics",
        "Scalytics Connect",
        also=("Scalytics Copilot",),
        marks=Marks(counted=True, keys=frozenset({"name"})),
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
        roles=frozenset({"user", "assistant", "system"}),
        message_name=False,
        text_only=True,
        end_marker="done",
        finish_needs_usage=True,
        ignored_events=frozenset({"processing"}),
        truncates=True,
        # 100 requests in a quarter of an hour for all users together, and the model list counts (docs/servers.md, "Scalytics Connect").
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
