"""Aliases behind the gateway: served, listed, and answered by the model that they mean."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aider_stackspot.config import current
from aider_stackspot.emulator import Emulator
from aider_stackspot.gateway.proxy_config import proxy_config
from tests.compatible.openai_server import OpenAIServer, models
from tests.gateway.json_server import JsonServer
from tests.gateway.running import HI, Running, running_gateway

FILE = """\
providers:
  stackspot:
    aliases: {fast: reviewer}
    models: {reviewer: {agent_id: one, max_input_tokens: 99}}
  lab:
    base_url: %s
    aliases: {fast: qwen, other: brand/new}
"""


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(models("qwen", max_model_len=777)) as running:
        yield running


@pytest.fixture
def gateway(emulator: Emulator, server: OpenAIServer) -> Iterator[Running]:
    (Path.home() / ".aider.litellm.yml").write_text(FILE % server.base, encoding="utf-8")
    with running_gateway() as running:
        yield running


def test_they_are_listed(gateway: Running) -> None:
    listed = {model.id: model for model in gateway.openai().models.list()}
    assert {"reviewer", "fast", "lab/qwen", "lab/fast", "lab/brand/new", "lab/other"} <= set(listed)
    assert "stackspot/fast" not in listed
    limits = [listed[name].model_extra["max_input_tokens"] for name in ("fast", "lab/fast")]  # type: ignore[index]
    assert limits == [99, 777]


@pytest.mark.parametrize(("name", "limit"), [("fast", 99), ("stackspot/fast", 99), ("lab/fast", 777)])
def test_each_is_told_about(gateway: Running, name: str, limit: int) -> None:
    gateway.openai().models.list()
    model = gateway.openai().models.retrieve(name)
    assert (model.id, model.model_extra["max_input_tokens"]) == (name, limit)  # type: ignore[index]


@pytest.mark.parametrize("name", ["fast", "stackspot/fast"])
def test_stackspots_answer_in_every_protocol(gateway: Running, emulator: Emulator, name: str) -> None:
    assert gateway.openai().chat.completions.create(model=name, messages=HI).choices[0].message.content
    assert gateway.openai().responses.create(model=name, input="hi").output_text
    assert gateway.anthropic().messages.create(model=name, messages=HI, max_tokens=50).content
    assert {request.path for request in emulator.chat_requests} == {"/v1/agent/one/chat"}


def test_servers_answer_in_every_protocol(gateway: Running, server: OpenAIServer, emulator: Emulator) -> None:
    assert gateway.openai().chat.completions.create(model="lab/fast", messages=HI).choices[0].message.content
    assert gateway.openai().responses.create(model="lab/fast", input="hi").output_text
    assert gateway.anthropic().messages.create(model="lab/fast", messages=HI, max_tokens=50).content
    assert {request.json["model"] for request in server.requests if request.json} == {"qwen"}
    assert emulator.chat_requests == []


def test_a_servers_other_endpoints(emulator: Emulator) -> None:
    with JsonServer({"object": "list", "data": []}) as server:
        (Path.home() / ".aider.litellm.yml").write_text(FILE % f"{server.url}/v1", encoding="utf-8")
        with running_gateway() as gateway:
            assert gateway.post("/v1/embeddings", {"model": "lab/fast", "input": "x"}).status_code == 200
    assert server.seen == [("/v1/embeddings", {"model": "qwen", "input": "x"})]


def test_a_new_meaning_counts_at_once(gateway: Running, server: OpenAIServer) -> None:
    (Path.home() / ".aider.litellm.yml").write_text((FILE % server.base).replace("fast: qwen", "fast: seven"))
    gateway.openai().chat.completions.create(model="lab/fast", messages=HI)
    assert [chat.json["model"] for chat in server.chats] == ["seven"]


def test_litellm_proxys_file_has_them(gateway: Running) -> None:
    config = proxy_config(current())
    by_name = {entry["model_name"]: entry["litellm_params"]["model"] for entry in config["model_list"]}
    assert by_name["fast"] == by_name["reviewer"] == "stackspot/reviewer"
    hidden = config["router_settings"]["model_group_alias"]
    assert hidden["stackspot/fast"] == {"model": "fast", "hidden": True}
    assert hidden["stackspot/reviewer"] == {"model": "reviewer", "hidden": True}
