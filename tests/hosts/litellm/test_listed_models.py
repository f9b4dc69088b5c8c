"""A server's list can have thousands of models: LiteLLM knows each, and nobody waits until all are registered."""

from __future__ import annotations

import copy
import functools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import litellm
import pytest

import aider_stackspot
from aider_stackspot.compatible import catalogue as cached
from aider_stackspot.compatible import listing
from aider_stackspot.compatible.catalogue import catalogue
from aider_stackspot.compatible.server import ServerSnapshot
from aider_stackspot.config import current
from aider_stackspot.hosts.litellm import servers
from tests.compatible.openai_server import OpenAIServer, models

NAMES = [f"mistral-7b-v{number}" for number in range(1000)]
ONE, OTHER = "shelf/mistral-7b-v3", "shelf/mistral-7b-v999"


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Count how many models LiteLLM registers, and how many files of the cache are read."""
    done = {"registered": 0, "read": 0}

    def count(owner: ModuleType, name: str, what: str, number: Callable[[Any], int]) -> None:
        original = getattr(owner, name)

        @functools.wraps(original)
        def counted(given: Any, *args: Any, **more: Any) -> Any:
            done[what] += number(given)
            return original(given, *args, **more)

        monkeypatch.setattr(owner, name, counted)

    count(litellm, "register_model", "registered", lambda known: sum(name.startswith("shelf/") for name in known))
    count(cached, "load", "read", lambda _: 1)
    return done


@pytest.fixture
def shelf(isolated: Path, work: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    """A server with a thousand models and one that is not for chats, in the cache of an earlier start."""
    monkeypatch.setattr(servers, "_users_figures", {})
    with OpenAIServer(models(*NAMES, "bge-m3", context_length=32768)) as running:
        file = isolated.parent / "home" / ".aider.litellm.yml"
        file.write_text(f"providers:\n  shelf:\n    api_base: {running.base}\n", encoding="utf-8")
        remember(json.dumps(running.pages["/v1/models"]))
        catalogue._snapshots.clear()
        aider_stackspot.register()
        yield running
        file.unlink()
        aider_stackspot.register()
        for name in of_shelf(litellm.model_cost):
            del litellm.model_cost[name]


def remember(answer: str) -> None:
    provider = current().compatible["shelf"]
    cached.save(
        provider, ServerSnapshot(provider.api_base, models=tuple(listing.parse(answer)), fetched_at=time.time())
    )


def of_shelf(names: Any) -> list[str]:
    return sorted(name for name in names if name.startswith("shelf/"))


def test_registering_reads_no_list_and_registers_no_model(shelf: OpenAIServer, work: dict[str, int]) -> None:
    assert work == {"registered": 0, "read": 0}


def test_a_name_that_is_asked_for_is_known_and_the_only_one(shelf: OpenAIServer, work: dict[str, int]) -> None:
    assert ONE in litellm.model_cost
    assert litellm.model_cost[ONE]["max_input_tokens"] == 32768
    assert work == {"registered": 1, "read": 1}
    assert litellm.model_cost.get(OTHER)["max_input_tokens"] == 32768
    assert work == {"registered": 2, "read": 1}
    assert shelf.requests == []


def test_the_users_own_figures_stay_when_the_server_is_asked_again(shelf: OpenAIServer) -> None:
    servers.take_users_figures({ONE: {"max_input_tokens": 55_000, "litellm_provider": "openai", "mode": "chat"}})
    servers.tell(current().compatible["shelf"])
    assert litellm.get_model_info(ONE)["max_input_tokens"] == 55_000
    assert litellm.get_model_info(OTHER)["max_input_tokens"] == 32768
    assert litellm.get_llm_provider(ONE)[1] == "shelf", "the file cannot say who serves it"


@pytest.mark.parametrize("name", ["shelf/bge-m3", "shelf/absent", "shelf", "shelf/", "shelf/shelf/mistral-7b-v3"])
def test_what_the_server_does_not_have_for_chats_is_not_there(shelf: OpenAIServer, name: str) -> None:
    assert name not in litellm.model_cost
    assert litellm.model_cost.get(name, "nothing") == "nothing"
    with pytest.raises(KeyError):
        litellm.model_cost[name]


@pytest.mark.parametrize(
    "ask",
    [litellm.get_model_info, litellm.get_max_tokens, litellm.get_llm_provider, litellm.supports_function_calling],
)
def test_litellms_own_functions_know_it(shelf: OpenAIServer, work: dict[str, int], ask: Callable[[str], Any]) -> None:
    """A limit is the server's, and a walk over all names in the course of it enters none."""
    assert ask(ONE) is not None
    assert work["registered"] == 1
    assert litellm.get_model_info(OTHER)["max_input_tokens"] == 32768


WALKS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a loop": lambda known: [name for name in known],
    "list": list,
    "keys": lambda known: known.keys(),
    "items": lambda known: [name for name, entry in known.items() if entry.get("litellm_provider") == "shelf"],
    "values": lambda known: [f"shelf/{entry}" for entry in known.values() if entry.get("litellm_provider") == "shelf"],
    "length": lambda known: ["shelf/"] * (len(known) - sum(not name.startswith("shelf/") for name in known)),
    "dict": dict,
    "a double star": lambda known: {**known},
    "copy": lambda known: known.copy(),
    "deepcopy": copy.deepcopy,
    "JSON": lambda known: json.loads(json.dumps(known, default=str)),
}


@pytest.mark.parametrize("walk", WALKS.values(), ids=WALKS)
def test_whoever_walks_over_all_models_meets_all(
    shelf: OpenAIServer, work: dict[str, int], walk: Callable[[dict[str, Any]], Any]
) -> None:
    """They are entered without being registered, which takes half a millisecond each."""
    assert len(of_shelf(walk(litellm.model_cost))) == len(NAMES)
    assert work == {"registered": 0, "read": 1}


def test_a_call_registers_its_model_after_a_walk_too(shelf: OpenAIServer, work: dict[str, int]) -> None:
    assert ONE in list(litellm.model_cost)
    litellm.completion(ONE, [{"role": "user", "content": "Say hi"}])
    assert work["registered"] == 1
    assert len(of_shelf(litellm.model_cost)) == len(NAMES)


def test_the_users_own_metadata_stands_over_what_the_server_says(shelf: OpenAIServer) -> None:
    servers.take_users_figures({ONE: {"max_input_tokens": 7}})
    assert litellm.model_cost[ONE]["max_input_tokens"] == 7
    assert litellm.model_cost[ONE]["max_output_tokens"] == 4096
    assert OTHER in list(litellm.model_cost)
    assert litellm.model_cost[ONE]["max_input_tokens"] == 7


def test_an_entry_of_litellms_own_is_not_taken_out_with_the_list(shelf: OpenAIServer) -> None:
    dict.__setitem__(litellm.model_cost, OTHER, {"litellm_provider": "somebody"})
    assert ONE in list(litellm.model_cost)
    servers.tell(current().compatible["shelf"])
    assert dict.get(litellm.model_cost, OTHER) == {"litellm_provider": "somebody"}
    assert dict.get(litellm.model_cost, ONE) is None


def test_a_newer_list_takes_the_place_of_the_older(shelf: OpenAIServer) -> None:
    assert {ONE, OTHER} <= {*litellm.model_cost}
    shelf.pages["/v1/models"] = models(*NAMES[:10], context_length=1234)
    catalogue.refresh(current().compatible.values(), 2)
    servers.tell(current().compatible["shelf"])
    assert litellm.model_cost[ONE]["max_input_tokens"] == 1234
    assert OTHER not in litellm.model_cost
    assert len(of_shelf(litellm.model_cost)) == 10
