"""What is remembered of servers between starts, and what of it is believed."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from aider_stackspot.compatible import catalogue as room
from aider_stackspot.compatible import server as servers
from aider_stackspot.compatible.catalogue import Catalogue
from aider_stackspot.compatible.model import KindField, ListedModel, Price, TokenLimit
from aider_stackspot.compatible.server import ServerSnapshot, models_of, profile_of
from aider_stackspot.config import CompatibleProvider
from tests.compatible.helper import KEY, context_of, provider_of
from tests.compatible.openai_server import OpenAIServer, models


def test_it_is_remembered_for_the_next_start(server: OpenAIServer) -> None:
    provider = provider_of(server)
    Catalogue().fresh([provider])
    later = Catalogue()
    later.fresh([provider])
    assert len(server.requests) == 1
    assert context_of(provider, later.known(provider), "a") == (1000, "served: max_model_len")


def test_the_file_does_not_hold_the_key(server: OpenAIServer) -> None:
    provider = provider_of(server, extra_headers={"X-Key": SecretStr("another-secret-value")})
    Catalogue().fresh([provider])
    path = room.file_of(provider)
    assert path is not None
    assert path.parent == Path.home() / ".aider" / "caches" / "aider-stackspot"
    assert KEY not in path.read_text(encoding="utf-8") + path.name
    assert "another-secret-value" not in path.read_text(encoding="utf-8")
    assert [file.name for file in path.parent.iterdir()] == [path.name], "no temporary file is left"


def test_another_key_is_another_server(server: OpenAIServer) -> None:
    Catalogue().fresh([provider_of(server)])
    assert Catalogue().known(replace(provider_of(server), api_key=SecretStr("another"))) is None


@pytest.mark.parametrize(("age", "asked"), [(0, 1), (3500, 1), (3700, 2), (-5000, 2)])
def test_a_list_is_fresh_for_an_hour(server: OpenAIServer, age: int, asked: int) -> None:
    provider = provider_of(server)
    _remembered(provider, age)
    Catalogue().fresh([provider])
    assert len(server.requests) == asked


def test_a_shared_rate_limit_keeps_it_fresh_for_longer(server: OpenAIServer) -> None:
    provider = provider_of(server, name="scalytics")
    _remembered(provider, 20 * 3600)
    Catalogue().fresh([provider])
    assert len(server.requests) == 1


def _remembered(provider: CompatibleProvider, age: float) -> None:
    first = Catalogue()
    first.fresh([provider])
    known = first.known(provider)
    assert known is not None
    room.save(provider, replace(known, fetched_at=time.time() - age))


def test_an_old_list_serves_while_the_server_is_away(server: OpenAIServer) -> None:
    provider = provider_of(server)
    _remembered(provider, 999_999)
    server.pages["/v1/models"] = 500
    later = Catalogue()
    later.fresh([provider])
    assert [model.name for model in models_of(provider, later.known(provider))] == ["a", "b"]
    assert "500" in str(later.errors["local"])


def test_a_start_does_not_wait_long_for_a_newer_list_and_the_next_start_has_it(server: OpenAIServer) -> None:
    provider = provider_of(server)
    _remembered(provider, 999_999)
    server.pages["/v1/models"] = models("c")
    server.wait = 1.0
    started, asking = time.monotonic(), Catalogue()
    asking.fresh([provider])
    assert time.monotonic() - started < 1.0
    assert [model.name for model in models_of(provider, asking.known(provider))] == ["a", "b"]
    deadline = time.monotonic() + 10
    while [model.name for model in models_of(provider, Catalogue().known(provider))] != ["c"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_first_start_waits_for_the_list(server: OpenAIServer) -> None:
    server.wait = 0.8
    provider, asking = provider_of(server), Catalogue()
    asking.fresh([provider])
    assert [model.name for model in models_of(provider, asking.known(provider))] == ["a", "b"]


def test_a_server_that_is_away_is_asked_once_in_a_start(server: OpenAIServer) -> None:
    server.pages = {}
    catalogue = Catalogue()
    for _ in range(3):
        catalogue.fresh([provider_of(server)])
    assert len(server.requests) == 1


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"version": 0}', b'{"version": 2, "models": 3}', b"\xff"])
def test_a_damaged_file_is_as_good_as_none(server: OpenAIServer, damage: bytes) -> None:
    provider = provider_of(server)
    Catalogue().fresh([provider])
    path = room.file_of(provider)
    assert path is not None
    path.write_bytes(damage)
    assert Catalogue().known(provider) is None


def test_what_an_error_taught_lasts_until_the_server_says_otherwise(server: OpenAIServer) -> None:
    provider = provider_of(server)
    first = Catalogue()
    first.fresh([provider])
    first.learn(provider, "a", 600)
    assert context_of(provider, Catalogue().known(provider), "a") == (600, "learned: the server's own error")
    same = Catalogue()
    same.refresh([provider], 2)
    assert context_of(provider, same.known(provider), "a") == (1000, "served: max_model_len")


def test_a_display_name_leads_to_the_id(server: OpenAIServer) -> None:
    server.pages = {"/v1/models": {"data": [{"id": "7", "name": "Llama 3.1 8B", "object": "model"}]}}
    provider = provider_of(server)
    catalogue = Catalogue()
    catalogue.fresh([provider])
    assert catalogue.describe(provider, "Llama 3.1 8B").id == "7"
    assert profile_of(provider, catalogue.known(provider)).name == "scalytics"


def _prepared(provider: CompatibleProvider, **changed: Any) -> None:
    """Write a cache file as somebody else may have prepared it, who knows how such files are named and look."""
    model: dict[str, Any] = {
        "id": "a",
        "name": None,
        "aliases": [],
        "owned_by": None,
        "root": None,
        "parent": None,
        "served": {"value": 1000, "origin": "max_model_len", "estimated": False},
        "advertised": None,
        "output": None,
        "capabilities": {"tools": None, "vision": None, "reasoning": None},
        "kind": [],
        "price": None,
        "loaded": None,
    }
    models = [model | changed.pop("model", {})]
    stored = {"version": 2, "base": servers.candidates(provider.api_base)[0], "profile": "generic", "models": models}
    path = room.file_of(provider)
    assert path is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(stored | {"fetched_at": time.time(), "learned": {}} | changed), encoding="utf-8")


def test_a_file_that_another_program_wrote_is_read(server: OpenAIServer) -> None:
    """Otherwise the tests below would show nothing."""
    provider = provider_of(server)
    _prepared(provider)
    assert context_of(provider, Catalogue().known(provider), "a") == (1000, "served: max_model_len")


ELSEWHERE = {
    "another host": "http://attacker.example/v1",
    "another port": "http://127.0.0.1:1/v1",
    "another scheme": "https://{host}/v1",
    "another path": "http://{host}/v1/../evil/v1",
    "a longer path": "http://{host}/v1/v1/v1",
    "another user": "http://{host}@attacker.example/v1",
    "a query": "http://{host}/v1?to=http://attacker.example",
    "a slash more": "http://{host}/v1/",
    "another case": "HTTP://{host}/v1",
    "nothing": "",
    "no text": ["http://{host}/v1"],
}


@pytest.mark.parametrize("path", ["", "/v1"])
@pytest.mark.parametrize("base", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_file_that_leads_to_another_place_is_not_believed(server: OpenAIServer, base: Any, path: str) -> None:
    """A prepared file sent code for the user's own server to another host."""
    host = server.url.partition("//")[2]
    provider = CompatibleProvider("local", server.url + path)
    _prepared(provider, base=base.format(host=host) if isinstance(base, str) else base)
    catalogue = Catalogue()
    assert catalogue.known(provider) is None
    assert servers.base_of(provider, catalogue.known(provider)) == server.base
    assert models_of(provider, catalogue.known(provider)) == []


def test_both_places_that_a_base_url_may_mean_are_believed(server: OpenAIServer) -> None:
    provider = CompatibleProvider("local", server.url)
    for base in (server.base, server.url):
        _prepared(provider, base=base)
        assert servers.base_of(provider, Catalogue().known(provider)) == base


NONSENSE: dict[str, dict[str, Any]] = {
    "an id that is no text": {"model": {"id": 7}},
    "no id": {"model": {"id": ""}},
    "aliases that are no texts": {"model": {"aliases": [7]}},
    "aliases that are no list": {"model": {"aliases": 7}},
    "a price that is none": {"model": {"price": {"input_per_token": "x", "output_per_token": 1, "origin": "x"}}},
    "a limit without an origin": {"model": {"served": {"value": 1000}}},
    "words that are no texts": {"model": {"kind": [{"path": "type", "words": [None]}]}},
    "unknown abilities": {"model": {"capabilities": {"flying": True}}},
    "models that are none": {"models": [None]},
    "a date that is none": {"fetched_at": "yesterday"},
    "nothing learned": {"learned": None},
}


@pytest.mark.parametrize("changed", NONSENSE.values(), ids=NONSENSE)
def test_a_file_with_nonsense_in_it_is_as_good_as_none(server: OpenAIServer, changed: dict[str, Any]) -> None:
    provider = provider_of(server)
    _prepared(provider, **changed)
    assert Catalogue().known(provider) is None


@pytest.mark.parametrize("value", [0, -1, "many", 10**30, True])
def test_a_limit_that_is_none_is_left_out(server: OpenAIServer, value: object) -> None:
    provider = provider_of(server)
    _prepared(provider, model={"served": {"value": value, "origin": "x", "estimated": False}})
    assert context_of(provider, Catalogue().known(provider), "a") is None


def test_what_is_remembered_cannot_steer_the_terminal(server: OpenAIServer) -> None:
    provider = provider_of(server)
    served = {"value": 1000, "origin": "\x1b[2Jx", "estimated": False}
    _prepared(provider, model={"name": "A\x1b]0;pwned\x07", "served": served})
    known = Catalogue().known(provider)
    assert known is not None
    (model,) = known.models
    assert (model.name, model.served) == ("A]0;pwned", TokenLimit(1000, "[2Jx"))


def test_everything_that_is_known_of_a_model_is_remembered(server: OpenAIServer) -> None:
    provider = provider_of(server)
    model = ListedModel(
        "a",
        name="A",
        aliases=("b",),
        owned_by="x",
        root="r",
        parent="p",
        served=TokenLimit(1, "s"),
        advertised=TokenLimit(2, "t"),
        output=TokenLimit(3, "u"),
        kind=(KindField("type", ("chat",)),),
        price=Price(1e-6, 2e-6, "pricing"),
        loaded=True,
    )
    snapshot = ServerSnapshot(server.base, "vllm", (model,), 5.0, {"a": 600})
    room.save(provider, snapshot)
    assert room.load(provider) == snapshot


def test_what_is_forgotten_is_gone(server: OpenAIServer) -> None:
    provider = provider_of(server)
    room.save(provider, ServerSnapshot(server.base))
    room.forget(provider)
    room.forget(provider)
    assert room.load(provider) is None
