"""Which paths of LiteLLM Proxy a gateway serves: those with a model of the configuration behind them."""

from __future__ import annotations

import pytest

from aider_stackspot.gateway.endpoints import is_served

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
