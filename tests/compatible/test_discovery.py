"""Asking servers for their models over HTTP."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from pydantic import SecretStr

from aider_stackspot.compatible.discovery import discover
from aider_stackspot.compatible.server import ServerSnapshot, base_of, models_of
from aider_stackspot.config import CompatibleProvider
from aider_stackspot.config.schema import ModelKeys
from tests.compatible.helper import KEY, context_of, provider_of
from tests.compatible.openai_server import OpenAIServer, models


@pytest.mark.parametrize("path", ["/v1", ""])
def test_one_request_finds_the_list_with_and_without_v1(server: OpenAIServer, path: str) -> None:
    found = discover([provider_of(server, server.url + path)])["local"].snapshot
    assert found is not None
    assert [model.id for model in found.models] == ["a", "b"]
    assert found.base == server.base
    assert server.gets == ["/v1/models"]


@pytest.mark.parametrize("page", [None, b"<!doctype html><title>Welcome</title>"])
def test_a_path_without_v1_is_tried_as_it_stands_first(server: OpenAIServer, page: Any) -> None:
    server.pages = {"/api/models": page, "/api/v1/models": models("a")}
    found = discover([provider_of(server, f"{server.url}/api")])["local"].snapshot
    assert found is not None
    assert found.base == f"{server.url}/api/v1"
    assert server.gets == ["/api/models", "/api/v1/models"]


LLAMA = {"data": [{"id": "m.gguf", "object": "model", "created": 1, "owned_by": "llamacpp", "meta": None}]}
LM_STUDIO = models("qwen", "embed", owned_by="organization_owner")
NATIVE = {
    "models": [
        {
            "type": "llm",
            "key": "qwen",
            "display_name": "Qwen",
            "loaded_instances": [{"id": "qwen", "config": {"context_length": 4096}}],
            "max_context_length": 131072,
            "capabilities": {"vision": False, "trained_for_tool_use": True},
        },
        {"type": "embedding", "key": "embed", "loaded_instances": [], "max_context_length": 2048},
    ]
}
OLLAMA = models("qwen3:8b", owned_by="library")
SHOWN = {
    "capabilities": ["completion", "tools"],
    "model_info": {"general.architecture": "qwen3", "qwen3.context_length": 40960},
    "parameters": "num_ctx 8192\n",
}
MORE: dict[str, tuple[dict[str, Any], str, tuple[int, str]]] = {
    "llama.cpp, older": (
        {"/v1/models": LLAMA, "/props": {"total_slots": 1, "n_ctx": 768, "model_path": "m.gguf"}},
        "m.gguf",
        (768, "served: n_ctx"),
    ),
    "llama.cpp": (
        {"/v1/models": LLAMA, "/props": {"default_generation_settings": {"n_ctx": 512}, "total_slots": 2}},
        "m.gguf",
        (512, "served: default_generation_settings.n_ctx"),
    ),
    "lmstudio": (
        {"/v1/models": LM_STUDIO, "/api/v1/models": NATIVE},
        "qwen",
        (4096, "served: loaded_instances.config.context_length"),
    ),
    "lmstudio before 0.4": (
        {
            "/v1/models": LM_STUDIO,
            "/api/v0/models": {
                "data": [
                    {
                        "id": "qwen",
                        "type": "llm",
                        "state": "loaded",
                        "max_context_length": 9,
                        "loaded_context_length": 8,
                    }
                ]
            },
        },
        "qwen",
        (8, "served: loaded_context_length"),
    ),
    "ollama": ({"/v1/models": OLLAMA, "/api/show": SHOWN}, "qwen3:8b", (8192, "served: parameters.num_ctx")),
    "tgi": (
        {"/v1/models": models("org/m", owned_by="org/m", created=0), "/info": {"max_total_tokens": 2048}},
        "org/m",
        (2048, "served: max_total_tokens"),
    ),
    "localai": (
        {
            "/v1/models": {"data": [{"id": "phi", "object": "model"}]},
            "/v1/models/capabilities": {"data": [{"id": "phi", "context_size": 4000}]},
        },
        "phi",
        (4000, "served: context_size"),
    ),
    "litellm": (
        {
            "/v1/models": models("x", owned_by="openai", created=1677610602),
            "/model/info": {"data": [{"model_name": "x", "model_info": {"mode": "chat", "max_input_tokens": 777}}]},
        },
        "x",
        (777, "served: model_info.max_input_tokens"),
    ),
}


@pytest.mark.parametrize(("pages", "name", "expected"), MORE.values(), ids=MORE)
def test_further_endpoints_say_what_the_list_leaves_out(
    server: OpenAIServer, pages: dict[str, Any], name: str, expected: tuple[int, str]
) -> None:
    server.pages = pages
    provider = provider_of(server)
    assert context_of(provider, discover([provider])["local"].snapshot, name) == expected


def test_a_further_endpoint_is_not_asked_for_what_is_known(server: OpenAIServer) -> None:
    server.pages = {"/v1/models": models("a", owned_by="llamacpp", meta={"n_ctx": 512})}
    discover([provider_of(server)])
    assert server.gets == ["/v1/models"]


def test_a_list_that_came_in_time_counts_even_if_more_did_not(server: OpenAIServer) -> None:
    server.pages = {"/v1/models": LLAMA}

    class Slow(dict[str, Any]):
        def get(self, path: str, default: Any = None) -> Any:
            if path == "/props":
                time.sleep(1.5)
            return super().get(path, default)

    server.pages = Slow(server.pages)
    started = time.monotonic()
    found = discover([provider_of(server)], budget=0.5)["local"].snapshot
    assert found is not None
    assert time.monotonic() - started < 1.2


FAILURES = {
    "another key": (
        401,
        "The server `local` answered 401 for {base}/models: no. The server wants another key (`api_key`).",
    ),
    "no list": (
        404,
        "The server `local` answered 404 for {base}/models: no. There is no list of models. Its base URL reads {base}: "
        "check it, or name its models in the configuration (`models`).",
    ),
    "an error of its own": (500, "The server `local` answered 500 for {base}/models: no."),
    "a login page": (
        b"<!doctype html><title>Sign in</title>",
        "The server `local` answered for {base}/models with an HTML page (Sign in), and with no list. Its base URL "
        "reads {base}: check it, or name its models in the configuration (`models`).",
    ),
    "a redirect": (
        302,
        "The server `local` answered 302 for {base}/models: no. Redirects are not followed: a key must not reach "
        "another host. Check the base URL.",
    ),
}


@pytest.mark.parametrize(("page", "said"), FAILURES.values(), ids=FAILURES)
def test_a_failure_says_what_is_wrong_and_never_the_key(server: OpenAIServer, page: Any, said: str) -> None:
    server.pages = {"/v1/models": page}
    outcome = discover([provider_of(server)])["local"]
    assert outcome.snapshot is None
    assert str(outcome.error) == said.format(base=server.base)
    assert KEY not in repr(outcome)


@pytest.mark.parametrize("path", ["", "/", "/v2", "/openai/v1/", "/v1/chat"])
def test_a_bare_404_says_what_was_asked_and_how_the_base_reads(server: OpenAIServer, path: str) -> None:
    """A 404 without a word of the server's own, as nginx and many frameworks answer it."""
    base = server.url + path
    server.pages = {}
    server.missing = b"404 page not found"
    error = str(discover([provider_of(server, base)])["local"].error)
    assert error.startswith(f"The server `local` answered 404 for {server.url}{server.gets[-1]}: 404 page not found.")
    assert f"Its base URL reads {base}: check it" in error


@pytest.mark.parametrize(
    "said",
    [
        "Incorrect API key provided: {key}",
        "no such key: {key}",
        "{key}",
        "header={header}",
    ],
)
def test_a_server_that_repeats_the_key_does_not_have_it_shown(server: OpenAIServer, said: str) -> None:
    secret = "blue-team-word"
    text = said.format(key=KEY, header=secret)
    server.missing = json.dumps({"error": {"message": text}}).encode()
    server.pages = {}
    outcome = discover([provider_of(server, extra_headers={"X-Team": SecretStr(secret)})])["local"]
    assert "answered 404" in str(outcome.error)
    for word in (KEY, secret):
        assert word not in str(outcome.error)


def test_dead_servers_cost_the_budget_once(server: OpenAIServer) -> None:
    server.wait = 5
    started = time.monotonic()
    found = discover([provider_of(server, name=name) for name in ("one", "two", "three")], budget=0.4)
    assert time.monotonic() - started < 1.5
    assert all("in time" in str(outcome.error) for outcome in found.values())


def test_the_key_and_the_configured_headers_are_sent(server: OpenAIServer) -> None:
    discover([provider_of(server, extra_headers={"X-Team": SecretStr("blue")})])
    headers = server.requests[0].headers
    assert (headers["authorization"], headers["x-team"]) == (f"Bearer {KEY}", "blue")


def test_listed_models_and_figures_win_over_reported_ones(server: OpenAIServer) -> None:
    mine = {"mine": ModelKeys(model="a", max_input_tokens=50), "own": ModelKeys()}
    provider = provider_of(server, models=mine)
    known = discover([provider])["local"].snapshot
    assert [model.name for model in models_of(provider, known)] == ["mine", "own", "b"]
    assert context_of(provider, known, "mine") == (50, "configured")


def test_a_list_of_a_thousand_models_with_nonsense_in_it(server: OpenAIServer) -> None:
    page = models(*(f"org/m-{number}" for number in range(1000)))
    page["data"][5:5] = [None, 3, {"id": None}, {"id": ""}, "just-a-name"]
    server.pages = {"/v1/models": json.loads(json.dumps(page))}
    found = discover([provider_of(server)])["local"].snapshot
    assert found is not None
    assert len(found.models) == 1001 + 1


@pytest.mark.parametrize("base", ["https://evil.example/v1", "http://localhost:2/v1", "http://localhost:1/v1/x", ""])
def test_a_remembered_base_counts_only_where_it_is_the_configured_one(base: str) -> None:
    """Else a cache that somebody prepared would lead the code elsewhere."""
    provider = CompatibleProvider("lab", "http://localhost:1")
    assert base_of(provider, ServerSnapshot(base, fetched_at=1.0)) == "http://localhost:1/v1"
    assert base_of(provider, ServerSnapshot("http://localhost:1", fetched_at=1.0)) == "http://localhost:1"
