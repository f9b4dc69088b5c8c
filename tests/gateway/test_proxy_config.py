"""The configuration for LiteLLM Proxy, and what is served of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from aider_stackspot.compatible.server import models_of
from aider_stackspot.config import current
from aider_stackspot.gateway.proxy_config import is_served, proxy_config, to_yaml
from aider_stackspot.pipeline.audience import GATEWAY_ARGUMENT

FILE = """
providers:
  stackspot:
    models:
      stackspot-ai-code: {max_input_tokens: 100000, max_tokens: 4000}
      shared: {tools: false}
  second:
    type: stackspot
    client_id: other-id
    api_key: other-secret
    models: {shared: {}, own: {}}
"""


def entries(config: dict[str, Any]) -> dict[str, Any]:
    return {entry["model_name"]: entry for entry in config["model_list"]}


def test_every_name_once_with_its_limits(isolated: Path) -> None:
    (isolated / ".aider.litellm.yml").write_text(FILE)
    config = proxy_config(current())
    found = entries(config)
    assert len(found) == len(config["model_list"])
    assert {"stackspot-ai-code", "stackspot-ai", "shared", "second/shared", "own"} < set(found)
    assert not {"stackspot/shared", "second/own"} & set(found)
    info = found["stackspot-ai-code"]["model_info"]
    assert (info["max_input_tokens"], info["max_output_tokens"]) == (100_000, 4_000)
    assert [found[name]["model_info"]["supports_function_calling"] for name in ("shared", "own")] == [False, True]
    assert found["second/shared"]["litellm_params"]["model"] == "second/shared"


def test_names_with_a_provider_are_hidden_aliases() -> None:
    aliases = proxy_config(current())["router_settings"]["model_group_alias"]
    assert aliases["stackspot/stackspot-ai"] == {"model": "stackspot-ai", "hidden": True}


def test_servers_that_speak_openai(isolated: Path) -> None:
    (isolated.parent / "home" / ".aider.litellm.yml").write_text(
        "providers: {local: {api_base: 'http://127.0.0.1:1234/v1', api_key: server-secret, "
        "models: {qwen: {max_input_tokens: 32768, max_tokens: 4096}}}, open: {api_base: 'http://127.0.0.1:1/v1'}}"
    )
    settings = current()
    known = {name: models_of(server, None) for name, server in settings.compatible.items()}
    found = entries(proxy_config(settings, known))
    assert found["local/qwen"]["litellm_params"] == {"model": "local/qwen"}
    info = found["local/qwen"]["model_info"]
    assert (info["max_input_tokens"], info["max_output_tokens"]) == (32768, 4096)
    assert found["open/*"]["litellm_params"] == {"model": "open/*"}
    # Beside the models of StackSpot it is an argument of the call; that of a server would be sent to it.
    assert [found[name]["model_info"][GATEWAY_ARGUMENT] for name in ("local/qwen", "open/*")] == [True, True]
    assert "server-secret" not in to_yaml(proxy_config(settings, known))


def test_no_secret_stands_in_it(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (isolated / ".aider.litellm.yml").write_text(FILE)
    monkeypatch.setenv("STACKSPOTAI_CLIENT_KEY", "very-secret")
    text = to_yaml(proxy_config(current()))
    assert not re.search("very-secret|other-secret", text)
    assert yaml.safe_load(text)["general_settings"]["master_key"] == "os.environ/LITELLM_MASTER_KEY"


SERVED = [
    "/v1/chat/completions",
    "/chat/completions",
    "/v1/completions",
    "/v1/responses",
    "/v1/messages",
    "/v1/messages/count_tokens",
    "/v1/embeddings",
    "/v1/images/generations",
    "/v1/audio/transcriptions",
    "/v1/models",
    "/models/",
    "/v1/models/local/qwen2.5-coder:7b",
    "/v1/model/info",
    "/health",
    "/health/readiness",
]
NOT_SERVED = [
    "/v1/moderations",
    "/moderations",
    "/v1/files",
    "/v1/batches",
    "/v1/fine_tuning/jobs",
    "/v1/assistants",
    "/v1/responses/resp_1",
    "/openai/v1/chat/completions",
    "/openai/chat/completions",
    "/openai/deployments/stackspot-ai-code/chat/completions",
    "/anthropic/v1/messages",
    "/vertex_ai/v1/models",
    "/v1/realtime",
    "/key/generate",
    "/config/update",
    "/",
    "",
    "/evil/v1/chat/completions",
    "/v1/chat/completions/../files",
    "/v1/chat/completions\n",
]


@pytest.mark.parametrize("path", SERVED)
def test_served(path: str) -> None:
    assert is_served(path)


@pytest.mark.parametrize("path", NOT_SERVED)
def test_not_served(path: str) -> None:
    assert not is_served(path)
