"""Models of an OpenAI-compatible server of the file, behind the same gateway as StackSpot's."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from aider_stackspot.emulator import Emulator
from tests.gateway.gateway_process import Gateway, serving
from tests.gateway.gateway_ways import Way, openai_client, sdk_errors

pytestmark = pytest.mark.slow
pytest_plugins = ["tests.gateway.gateway_fixtures"]

_SERVER = Path(__file__).parent.parent / "with_compatible" / "openai_server.py"


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    """A server that lists one model."""
    import sys

    spec = importlib.util.spec_from_file_location("openai_server_of_the_gateway", _SERVER)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    listed = {"object": "list", "data": [{"id": "gpt-4o", "object": "model", "max_model_len": 40960}]}
    with module.OpenAIServer(models=listed, key="server-key") as running:
        yield running


@pytest.fixture(scope="module")
def gateway(server: Any, stackspot: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    home = tmp_path_factory.mktemp("home")
    (home / ".aider.litellm.yml").write_text(
        f"providers: {{local: {{api_base: '{server.url}/v1', api_key: server-key}}}}"
    )
    with serving(home, stackspot.environment()) as gateway:
        yield gateway


@pytest.fixture
def client(gateway: Gateway) -> openai.OpenAI:
    return openai_client(gateway)


def test_both_are_listed(client: openai.OpenAI) -> None:
    listed = {model.id: model.model_extra or {} for model in client.models.list()}
    assert {"local/gpt-4o", "stackspot-ai-code"} < set(listed)
    assert listed["local/gpt-4o"]["max_input_tokens"] == 40960


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_goes_to_the_server_with_its_own_key(client: openai.OpenAI, server: Any, stream: bool) -> None:
    history: Any = [{"role": "user", "content": "Say hi"}]
    if stream:
        chunks = client.chat.completions.create(model="local/gpt-4o", messages=history, stream=True)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    else:
        text = str(client.chat.completions.create(model="local/gpt-4o", messages=history).choices[0].message.content)
    assert text == "Hello wörld 😀"
    request = server.requests[-1]
    assert request.json["model"] == "gpt-4o"
    assert request.headers["authorization"] == "Bearer server-key"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_of_the_gateways_key_for_the_server_does_not_look_like_a_wrong_key(
    gateway: Gateway, server: Any, way: Way, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = type(server.reply)(status=status, body={"error": {"message": "Incorrect API key: server-key"}})
    monkeypatch.setattr(server, "reply", refusal)
    with pytest.raises(sdk_errors("APIError"), match="The gateway accepted your key, but cannot use") as caught:
        way(gateway, model="local/gpt-4o")
    assert getattr(caught.value, "status_code", None) == 502
    assert "server-key" not in str(caught.value)
