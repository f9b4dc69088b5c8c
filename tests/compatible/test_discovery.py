"""Asking servers for their models over HTTP, and remembering what they said."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from aider_stackspot.compatible import cache
from aider_stackspot.compatible.catalogue import Catalogue
from aider_stackspot.compatible.discovery import discover
from aider_stackspot.compatible.server import models_of, profile_of
from aider_stackspot.config import CompatibleProvider
from aider_stackspot.config.schema import ModelKeys
from tests.compatible.openai_server import OpenAIServer, models

KEY = "a-key-that-must-not-be-kept"


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(models("a", "b", max_model_len=1000), key=KEY) as running:
        yield running


def _provider(server: OpenAIServer, base: str | None = None, name: str = "local", **more: Any) -> CompatibleProvider:
    return CompatibleProvider(name, base or server.base, SecretStr(KEY), **more)


def _context(provider: CompatibleProvider, known: Any, name: str) -> tuple[int, str] | None:
    found = next(model for model in models_of(provider, known) if model.name == name).context
    return (found.value, found.origin) if found else None


@pytest.mark.parametrize("path", ["/v1", ""])
def test_one_request_finds_the_list_with_and_without_v1(server: OpenAIServer, path: str) -> None:
    found = discover([_provider(server, server.url + path)])["local"].snapshot
    assert found is not None
    assert [model.id for model in found.models] == ["a", "b"]
    assert found.base == server.base
    assert server.gets == ["/v1/models"]


@pytest.mark.parametrize("page", [None, b"<!doctype html><title>Welcome</title>"])
def test_a_path_without_v1_is_tried_as_it_stands_first(server: OpenAIServer, page: Any) -> None:
    server.pages = {"/api/models": page, "/api/v1/models": models("a")}
    found = discover([_provider(server, f"{server.url}/api")])["local"].snapshot
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
    provider = _provider(server)
    assert _context(provider, discover([provider])["local"].snapshot, name) == expected


def test_a_further_endpoint_is_not_asked_for_what_is_known(server: OpenAIServer) -> None:
    server.pages = {"/v1/models": models("a", owned_by="llamacpp", meta={"n_ctx": 512})}
    discover([_provider(server)])
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
    found = discover([_provider(server)], budget=0.5)["local"].snapshot
    assert found is not None
    assert time.monotonic() - started < 1.2


FAILURES = {
    "another key": (401, "another key"),
    "no list": (404, "no list of models"),
    "an error of its own": (500, "answered 500"),
    "a login page": (b"<!doctype html><title>Sign in</title>", "HTML page"),
    "a redirect": (302, "answered 302"),
}


@pytest.mark.parametrize(("page", "said"), FAILURES.values(), ids=FAILURES)
def test_a_failure_says_what_is_wrong_and_never_the_key(server: OpenAIServer, page: Any, said: str) -> None:
    server.pages = {"/v1/models": page}
    outcome = discover([_provider(server)])["local"]
    assert outcome.snapshot is None
    assert said in str(outcome.error)
    assert KEY not in repr(outcome)


def test_dead_servers_cost_the_budget_once(server: OpenAIServer) -> None:
    server.wait = 5
    started = time.monotonic()
    found = discover([_provider(server, name=name) for name in ("one", "two", "three")], budget=0.4)
    assert time.monotonic() - started < 1.5
    assert all("within the time" in str(outcome.error) for outcome in found.values())


def test_the_key_and_the_configured_headers_are_sent(server: OpenAIServer) -> None:
    discover([_provider(server, extra_headers={"X-Team": SecretStr("blue")})])
    headers = server.requests[0].headers
    assert (headers["authorization"], headers["x-team"]) == (f"Bearer {KEY}", "blue")


def test_it_is_remembered_for_the_next_start(server: OpenAIServer) -> None:
    provider = _provider(server)
    Catalogue().fresh([provider])
    later = Catalogue()
    later.fresh([provider])
    assert len(server.requests) == 1
    assert _context(provider, later.known(provider), "a") == (1000, "served: max_model_len")


def test_the_file_does_not_hold_the_key(server: OpenAIServer) -> None:
    provider = _provider(server, extra_headers={"X-Key": SecretStr("another-secret-value")})
    Catalogue().fresh([provider])
    path = cache.file_of(provider)
    assert path is not None
    assert path.parent == Path.home() / ".aider" / "caches" / "aider-stackspot"
    assert KEY not in path.read_text(encoding="utf-8") + path.name
    assert "another-secret-value" not in path.read_text(encoding="utf-8")
    assert [file.name for file in path.parent.iterdir()] == [path.name], "no temporary file is left"


def test_another_key_is_another_server(server: OpenAIServer) -> None:
    Catalogue().fresh([_provider(server)])
    assert Catalogue().known(replace(_provider(server), api_key=SecretStr("another"))) is None


@pytest.mark.parametrize(("age", "asked"), [(0, 1), (3500, 1), (3700, 2), (-5000, 2)])
def test_a_list_is_fresh_for_an_hour(server: OpenAIServer, age: int, asked: int) -> None:
    provider = _provider(server)
    _remembered(provider, age)
    Catalogue().fresh([provider])
    assert len(server.requests) == asked


def test_a_shared_rate_limit_keeps_it_fresh_for_longer(server: OpenAIServer) -> None:
    provider = _provider(server, name="scalytics")
    _remembered(provider, 20 * 3600)
    Catalogue().fresh([provider])
    assert len(server.requests) == 1


def _remembered(provider: CompatibleProvider, age: float) -> None:
    first = Catalogue()
    first.fresh([provider])
    known = first.known(provider)
    assert known is not None
    cache.save(provider, replace(known, fetched_at=time.time() - age))


def test_an_old_list_serves_while_the_server_is_away(server: OpenAIServer) -> None:
    provider = _provider(server)
    _remembered(provider, 999_999)
    server.pages["/v1/models"] = 500
    later = Catalogue()
    later.fresh([provider])
    assert [model.name for model in models_of(provider, later.known(provider))] == ["a", "b"]
    assert "500" in str(later.errors["local"])


def test_a_server_that_is_away_is_asked_once_in_a_start(server: OpenAIServer) -> None:
    server.pages = {}
    catalogue = Catalogue()
    for _ in range(3):
        catalogue.fresh([_provider(server)])
    assert len(server.requests) == 1


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"version": 0}', b'{"version": 1, "models": 3}', b"\xff"])
def test_a_damaged_file_is_as_good_as_none(server: OpenAIServer, damage: bytes) -> None:
    provider = _provider(server)
    Catalogue().fresh([provider])
    path = cache.file_of(provider)
    assert path is not None
    path.write_bytes(damage)
    assert Catalogue().known(provider) is None


def test_what_an_error_taught_lasts_until_the_server_says_otherwise(server: OpenAIServer) -> None:
    provider = _provider(server)
    first = Catalogue()
    first.fresh([provider])
    first.learn(provider, "a", 600)
    assert _context(provider, Catalogue().known(provider), "a") == (600, "learned: the server's own error")
    same = Catalogue()
    same.refresh([provider], 2)
    assert _context(provider, same.known(provider), "a") == (1000, "served: max_model_len")


def test_listed_models_and_figures_win_over_reported_ones(server: OpenAIServer) -> None:
    mine = {"mine": ModelKeys(model="a", max_input_tokens=50), "own": ModelKeys()}
    provider = _provider(server, models=mine)
    known = discover([provider])["local"].snapshot
    assert [model.name for model in models_of(provider, known)] == ["mine", "own", "b"]
    assert _context(provider, known, "mine") == (50, "configured")


def test_a_display_name_leads_to_the_id(server: OpenAIServer) -> None:
    server.pages = {"/v1/models": {"data": [{"id": "7", "name": "Llama 3.1 8B", "object": "model"}]}}
    provider = _provider(server)
    catalogue = Catalogue()
    catalogue.fresh([provider])
    assert catalogue.describe(provider, "Llama 3.1 8B").id == "7"
    assert profile_of(provider, catalogue.known(provider)).name == "scalytics"


def test_a_list_of_a_thousand_models_with_nonsense_in_it(server: OpenAIServer) -> None:
    page = models(*(f"org/m-{number}" for number in range(1000)))
    page["data"][5:5] = [None, 3, {"id": None}, {"id": ""}, "just-a-name"]
    server.pages = {"/v1/models": json.loads(json.dumps(page))}
    found = discover([_provider(server)])["local"].snapshot
    assert found is not None
    assert len(found.models) == 1001 + 1
