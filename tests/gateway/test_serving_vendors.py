"""The gateway's key is no key to other accounts: a vendor's variables in its environment reach nobody."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest

from aider_stackspot.emulator import Emulator
from tests.gateway.gateway_process import Gateway, serving

pytestmark = pytest.mark.slow
pytest_plugins = ["tests.gateway.gateway_fixtures"]

CAUGHT: list[str] = []


class Trap(BaseHTTPRequestHandler):
    """Stands where the vendors are, and notes whoever comes."""

    def do_POST(self) -> None:
        CAUGHT.append(self.path)
        self.send_error(500)

    do_GET = do_DELETE = do_PUT = do_POST

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@pytest.fixture(scope="module")
def gateway(stackspot: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Trap)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    bases = ("OPENAI_BASE_URL", "OPENAI_API_BASE", "ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL", "MISTRAL_API_BASE")
    vendors = dict.fromkeys(bases, url) | dict.fromkeys(
        ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "MISTRAL_API_KEY"), "sk-of-the-operator"
    )
    with serving(tmp_path_factory.mktemp("vendors"), {**stackspot.environment(), **vendors}) as gateway:
        yield gateway
    server.shutdown()
    server.server_close()


BODY = {
    "messages": [{"role": "user", "content": "private"}],
    "max_tokens": 9,
    **dict.fromkeys(("input", "prompt", "query"), "private"),
    "documents": ["private"],
    "voice": "alloy",
}
SERVED = [
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/responses",
    "/v1/messages",
    "/v1/messages/count_tokens",
    "/v1/embeddings",
    "/v1/images/generations",
    "/v1/audio/speech",
    "/v1/rerank",
]
NOT_SERVED = ["/v1/moderations", "/openai/v1/chat/completions", "/anthropic/v1/messages", "/v1/assistants"]
MODELS = ["stackspot-ai-code", "gpt-4o", "openai/gpt-4o", "claude-sonnet-4-5", "dall-e-3"]


@pytest.mark.parametrize("model", [{"model": model} for model in MODELS] + [{}])
@pytest.mark.parametrize("path", SERVED + NOT_SERVED)
def test_nothing_is_sent_to_one(gateway: Gateway, path: str, model: dict[str, str]) -> None:
    CAUGHT.clear()
    answer = httpx.post(
        gateway.url + path, json=BODY | model, headers={"Authorization": f"Bearer {gateway.key}"}, timeout=60
    )
    assert CAUGHT == []
    if path in NOT_SERVED:
        assert answer.status_code == 404
        assert "does not serve" in answer.text


@pytest.mark.parametrize("path", ["/v1/files", "/v1/batches", "/v1/fine_tuning/jobs", "/v1/responses/resp_1"])
def test_nothing_is_read_from_one(gateway: Gateway, path: str) -> None:
    CAUGHT.clear()
    answer = httpx.get(gateway.url + path, headers={"Authorization": f"Bearer {gateway.key}"}, timeout=60)
    assert (answer.status_code, CAUGHT) == (404, [])
    assert "does not serve" in answer.text
