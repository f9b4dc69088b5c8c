"""Calls by an alias: they go where the model goes that it means, and its limits and prices are that model's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import litellm
import pytest

import aider_stackspot
from aider_stackspot.emulator import Emulator
from tests.compatible.openai_server import OpenAIServer
from tests.gateway.json_server import JsonServer
from tests.hosts.litellm.server_fixtures import HI, Ask

pytest_plugins = ["tests.hosts.litellm.server_fixtures"]
pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")

ACCOUNT = """\
  stackspot:
    aliases: {fast: reviewer, gpt-4o: reviewer, rev: agent/01HZ}
    models: {reviewer: {agent_id: one, max_input_tokens: 99, input_cost_per_token: 0.5}}
"""
SERVER = """\
    aliases: {fast: qwen, gpt-4o-mini: qwen, listed: qwen2.5-coder-7b}
    models: {qwen: {model: org/Qwen, max_input_tokens: 777, input_cost_per_token: 0.25}}
"""


@pytest.fixture
def configured_aliases(configured: Any, emulator: Emulator) -> None:
    configured(name="lab", more=SERVER + ACCOUNT)


@pytest.mark.parametrize(
    ("name", "agent"),
    [("fast", "one"), ("stackspot/fast", "one"), ("gpt-4o", "one"), ("stackspot/gpt-4o", "one"), ("rev", "01HZ")],
)
def test_of_stackspot(configured_aliases: None, emulator: Emulator, ask: Ask, name: str, agent: str) -> None:
    answer = ask(model=name)
    assert answer.choices[0].finish_reason == "stop"
    assert [request.path for request in emulator.chat_requests] == [f"/v1/agent/{agent}/chat"]


@pytest.mark.parametrize("name", ["fast", "stackspot/gpt-4o", "lab/fast", "lab/listed"])
def test_litellm_prints_no_list_of_providers(
    configured_aliases: None, emulator: Emulator, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    litellm.completion(name, HI)
    list(litellm.completion(name, HI, stream=True))
    assert "Provider List" not in capfd.readouterr().out


@pytest.mark.parametrize(
    ("name", "sent"), [("lab/fast", "org/Qwen"), ("lab/gpt-4o-mini", "org/Qwen"), ("lab/listed", "qwen2.5-coder-7b")]
)
def test_of_a_server(configured_aliases: None, server: OpenAIServer, ask: Ask, name: str, sent: str) -> None:
    answer = ask(model=name)
    assert answer.choices[0].finish_reason == "stop"
    assert [chat.json["model"] for chat in server.chats] == [sent]


def test_the_halves_of_the_name_alone(configured_aliases: None, server: OpenAIServer, emulator: Emulator) -> None:
    litellm.completion("fast", HI, custom_llm_provider="lab")
    litellm.completion("fast", HI, custom_llm_provider="stackspot")
    assert ([chat.json["model"] for chat in server.chats], len(emulator.chat_requests)) == (["org/Qwen"], 1)


def test_a_servers_embeddings(configured: Any, emulator: Emulator) -> None:
    answer = {"object": "list", "model": "m", "data": [{"object": "embedding", "embedding": [0.1], "index": 0}]}
    with JsonServer(answer) as server:
        configured(name="lab", more=SERVER, base=f"{server.url}/v1")
        assert litellm.embedding("lab/fast", input=["text"]).data
    assert [body["model"] for _, body in server.seen] == ["org/Qwen"]


def test_the_vendors_model_of_the_name_keeps_its_figures(configured_aliases: None) -> None:
    litellm.get_model_info.cache_clear()
    info = litellm.get_model_info("openai/gpt-4o")
    assert (info["litellm_provider"], info["max_input_tokens"]) == ("openai", 128000)
    assert info["output_cost_per_token"] > 0


@pytest.mark.parametrize(
    ("name", "model", "limit"),
    [
        ("fast", "reviewer", 99),
        ("stackspot/fast", "reviewer", 99),
        ("gpt-4o", "reviewer", 99),
        ("lab/fast", "lab/qwen", 777),
        ("lab/gpt-4o-mini", "lab/qwen", 777),
    ],
)
def test_figures(configured_aliases: None, name: str, model: str, limit: int) -> None:
    assert litellm.get_model_info(name)["max_input_tokens"] == limit
    differing = {
        key for key, value in litellm.get_model_info(name).items() if value != litellm.get_model_info(model)[key]
    }
    assert differing <= {"key", "supported_openai_params"}  # LiteLLM's own guess, by the name
    costs = [litellm.cost_per_token(one, prompt_tokens=10, completion_tokens=1) for one in (name, model)]
    assert costs[0] == costs[1] != (0.0, 0.0)


def test_another_provider_is_refused(configured_aliases: None, trap: OpenAIServer) -> None:
    with pytest.raises(litellm.BadRequestError, match="custom_llm_provider"):
        litellm.completion("fast", HI, custom_llm_provider="openai")


def test_missing_variables_are_named(isolated: Path) -> None:
    (isolated.parent / "home" / ".aider.litellm.yml").write_text("providers:\n" + ACCOUNT, encoding="utf-8")
    aider_stackspot.register()
    assert litellm.validate_environment("fast")["missing_keys"] == ["STACKSPOTAI_CLIENT_ID", "STACKSPOTAI_CLIENT_KEY"]


def test_while_the_file_is_broken_nothing_is_sent(configured: Any, emulator: Emulator, server: OpenAIServer) -> None:
    configured(name="lab", more=SERVER + ACCOUNT + "    tymeout: 3\n")
    for name in ("fast", "gpt-4o", "lab/fast", "lab/gpt-4o-mini"):
        with pytest.raises(litellm.BadRequestError, match="tymeout"):
            litellm.completion(name, HI)
    assert (emulator.requests, server.requests) == ([], [])


def test_a_changed_alias_leads_to_the_other_model(configured: Any, emulator: Emulator) -> None:
    for agent in ("one", "two"):
        configured(name="lab", more=f"  stackspot: {{aliases: {{fast: agent/{agent}}}}}\n")
        litellm.completion("fast", HI)
    assert [request.path for request in emulator.chat_requests] == ["/v1/agent/one/chat", "/v1/agent/two/chat"]
