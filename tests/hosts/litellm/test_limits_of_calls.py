"""What guides of other tools have people enter: no limit of tokens as -1, temperatures above 2, one model for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import litellm
import pytest

import aider_stackspot
from aider_stackspot.compatible.catalogue import Catalogue
from aider_stackspot.config import current
from aider_stackspot.hosts.litellm import openai_path
from tests.compatible.openai_server import OpenAIServer, Reply, models

HI = [{"role": "user", "content": "Say hi"}]
Configure = Callable[[str], None]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    monkeypatch.setattr(openai_path, "catalogue", Catalogue())
    with OpenAIServer(
        {"object": "list", "data": [{"id": "7", "object": "model", "name": "deepseek-coder"}]}
    ) as running:
        yield running


@pytest.fixture
def configure(server: OpenAIServer, isolated: Path) -> Configure:
    def write(lines: str = "") -> None:
        (isolated.parent / "home" / ".aider.litellm.yml").write_text(
            f"providers:\n  lab:\n    api_base: {server.base}\n{lines}", encoding="utf-8"
        )
        aider_stackspot.register()

    write()
    return write


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize("stream", [False, True])
def test_minus_one_in_a_call_means_not_limited_and_is_not_sent(
    server: OpenAIServer, configure: Configure, name: str, stream: bool
) -> None:
    for unlimited in (-1, "-1"):
        list(litellm.completion("lab/7", HI, stream=stream, **{name: unlimited}))
    list(litellm.completion("lab/7", HI, stream=stream, **{name: 100}))
    *first, second = (request.json for request in server.chats)
    assert not {"max_tokens", "max_completion_tokens"} & {key for body in first for key in body}
    assert second.get(name) == 100 or second.get("max_tokens") == 100


@pytest.mark.parametrize("written", ["-1", "'-1'", "'${NO_SUCH_LIMIT:--1}'"])
def test_minus_one_in_the_file_is_the_same_as_nothing(configure: Configure, written: str) -> None:
    models = f"models: {{m: {{max_tokens: {written}}}}}"
    configure(f"    {models}\n  stackspot: {{models: {{stackspot-ai: {{max_tokens: {written}}}}}}}\n")
    settings = current()
    assert settings.problem is None
    assert settings.compatible["lab"].models["m"].max_tokens is None
    assert settings.models["stackspot-ai"].max_output_tokens == 8192
    configure("    models: {m: {max_tokens: -2}}\n")
    assert "max_tokens" in str(current().problem)


@pytest.mark.parametrize("temperature", [5, 8.5])
def test_a_temperature_above_2_goes_to_the_server_as_it_is(
    server: OpenAIServer, configure: Configure, temperature: float
) -> None:
    configure(f"    models: {{deepseek-coder: {{model: '7', temperature: {temperature}}}}}\n")
    litellm.completion("lab/deepseek-coder", HI)
    litellm.completion("lab/7", HI, temperature=temperature)
    assert [request.json["temperature"] for request in server.chats] == [temperature] * 2
    configure("  stackspot: {models: {stackspot-ai: {temperature: 5}}}\n")
    assert "StackSpot's temperatures are 0.0 to 1.0" in str(current().problem)


@pytest.mark.parametrize("name", ["lab", "lab/"])
def test_the_providers_name_is_enough_where_the_server_has_one_model(
    server: OpenAIServer, configure: Configure, name: str
) -> None:
    for _ in range(2):
        assert litellm.completion(name, HI).choices[0].message.content == Reply().text
    assert [request.json["model"] for request in server.chats] == ["7", "7"]
    assert server.gets.count("/v1/models") == 1


def test_any_name_is_passed_on(server: OpenAIServer, configure: Configure) -> None:
    litellm.completion("lab/anything/at-all", HI)
    assert server.chats[0].json["model"] == "anything/at-all"


def test_with_two_models_a_name_is_wanted(server: OpenAIServer, configure: Configure) -> None:
    server.pages["/v1/models"] = models("one", "two", "text-embedding-3-small")
    with pytest.raises(litellm.BadRequestError, match="names no model: `aider-stackspot models lab` lists them"):
        litellm.completion("lab", HI)
    assert server.chats == []


def test_what_does_not_chat_is_not_counted(server: OpenAIServer, configure: Configure) -> None:
    server.pages["/v1/models"] = models("one", "text-embedding-3-small")
    litellm.completion("lab", HI)
    assert server.chats[0].json["model"] == "one"
