"""A model that is called like one of OpenAI's goes to the account that has it, or nowhere: never to OpenAI.

LiteLLM 1.81 sends `account/gpt-4o` to OpenAI although another provider is named (litellm#23352).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import litellm
import pytest

import aider_stackspot
from aider_stackspot.emulator import Emulator
from tests.compatible.openai_server import OpenAIServer, models
from tests.hosts.litellm.trap import Trap

HI = [{"role": "user", "content": "private code"}]
NAMES = sorted(litellm.open_ai_chat_completion_models)
SAMPLE = [name for name in NAMES if name in ("gpt-4o", "gpt-3.5-turbo", "o3", "chatgpt-4o-latest", "gpt-4.1-mini")]


@pytest.fixture
def trap(monkeypatch: pytest.MonkeyPatch) -> Iterator[Trap]:
    with Trap() as running:
        for name in ("OPENAI_API_BASE", "OPENAI_BASE_URL"):
            monkeypatch.setenv(name, running.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-trap")
        yield running
        assert running.caught == []


@pytest.fixture
def service(emulator: Emulator, trap: Trap, isolated: Path) -> Iterator[Emulator]:
    """A StackSpot; afterwards LiteLLM knows these names for what they were before."""
    known = dict(litellm.model_cost)
    emulator.answer = "from StackSpot"
    yield emulator
    file_of(isolated).unlink(missing_ok=True)
    aider_stackspot.register()
    litellm.model_cost.clear()
    litellm.model_cost.update(known)


def file_of(isolated: Path) -> Path:
    """Return the user's own configuration file."""
    return isolated.parent / "home" / ".aider.litellm.yml"


def configure(isolated: Path, emulator: Emulator, account: str, names: list[str], **keys: Any) -> None:
    """Give an account models of these names."""
    own = {
        "type": "stackspot",
        "client_id": "client-id",
        "api_key": "client-key",
        "auth_url": emulator.url,
        "api_base": emulator.url,
        "models": {name: {} for name in names},
        **keys,
    }
    file_of(isolated).write_text(json.dumps({"providers": {account: own}}), encoding="utf-8")
    aider_stackspot.register()


def completion(model: str) -> str:
    return str(litellm.completion(model=model, messages=HI).choices[0].message.content)


def stream(model: str) -> str:
    chunks = litellm.completion(model=model, messages=HI, stream=True)
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def acompletion(model: str) -> str:
    async def ask() -> str:
        return str((await litellm.acompletion(model=model, messages=HI)).choices[0].message.content)

    return asyncio.run(ask())


def astream(model: str) -> str:
    async def ask() -> str:
        chunks = await litellm.acompletion(model=model, messages=HI, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks if chunk.choices])

    return asyncio.run(ask())


WAYS = [stream, acompletion, astream]


def test_there_are_names_to_try() -> None:
    assert len(NAMES) > 100
    assert len(SAMPLE) > 3


@pytest.mark.thorough
@pytest.mark.parametrize("account", ["stackspot", "team"])
def test_every_name_goes_to_the_account_that_has_it(account: str, service: Emulator, isolated: Path) -> None:
    configure(isolated, service, account, NAMES)
    answers = {name: completion(f"{account}/{name}") for name in NAMES}
    assert set(answers.values()) == {"from StackSpot"}
    assert len(service.chat_requests) == len(NAMES)


@pytest.mark.parametrize("account", ["stackspot", "team"])
@pytest.mark.parametrize("way", [completion, *WAYS])
def test_in_each_way_to_call(account: str, way: Any, service: Emulator, isolated: Path) -> None:
    configure(isolated, service, account, SAMPLE)
    assert {way(f"{account}/{name}") for name in SAMPLE} == {"from StackSpot"}
    assert len(service.chat_requests) == len(SAMPLE)


@pytest.mark.thorough
def test_the_bare_name_goes_there_as_well(service: Emulator, isolated: Path) -> None:
    configure(isolated, service, "team", NAMES)
    assert {completion(name) for name in NAMES} == {"from StackSpot"}
    assert len(service.chat_requests) == len(NAMES)


@pytest.mark.thorough
def test_every_name_that_the_account_does_not_have_is_refused(service: Emulator) -> None:
    aider_stackspot.register()
    for name in NAMES:
        with pytest.raises(litellm.BadRequestError, match="There is no StackSpot model"):
            completion(f"stackspot/{name}")
    assert service.requests == []


@pytest.mark.parametrize("way", [completion, *WAYS])
def test_and_so_it_is_in_each_way_to_call(way: Any, service: Emulator) -> None:
    aider_stackspot.register()
    for name in SAMPLE:
        with pytest.raises(litellm.BadRequestError, match="There is no StackSpot model"):
            way(f"stackspot/{name}")
    assert service.requests == []


@pytest.mark.parametrize("account", ["openai", "azure", "anthropic", "text-completion-openai", "litellm_proxy"])
@pytest.mark.parametrize("way", [completion, *WAYS])
def test_an_account_that_is_called_like_a_vendor(account: str, way: Any, service: Emulator, isolated: Path) -> None:
    configure(isolated, service, account, SAMPLE)
    for name in SAMPLE:
        assert way(f"{account}/{name}") == "from StackSpot"


@pytest.mark.parametrize("name", ["openai", "team"])
@pytest.mark.parametrize("way", [completion, *WAYS])
def test_an_account_with_a_name_that_was_a_servers_before(
    way: Any, name: str, service: Emulator, trap: Trap, isolated: Path
) -> None:
    document = {"providers": {name: {"api_base": f"{trap.url}/v1"}}}
    file_of(isolated).write_text(json.dumps(document), encoding="utf-8")
    aider_stackspot.register()
    configure(isolated, service, name, ["gpt-4o"])
    assert way(f"{name}/gpt-4o") == "from StackSpot"


@pytest.mark.parametrize("name", ["openai", "team"])
@pytest.mark.parametrize("way", [completion, *WAYS])
def test_a_server_with_a_name_that_was_an_accounts_before(
    way: Any, name: str, service: Emulator, isolated: Path
) -> None:
    configure(isolated, service, name, ["gpt-4o"])
    with OpenAIServer(models("gpt-4o")) as server:
        document = {"providers": {name: {"api_base": server.base}}}
        file_of(isolated).write_text(json.dumps(document), encoding="utf-8")
        aider_stackspot.register()
        assert way(f"{name}/gpt-4o")
        assert len(server.chats) == 1
    assert service.chat_requests == []
