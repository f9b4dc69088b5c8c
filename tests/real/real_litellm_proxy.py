"""LiteLLM Proxy as a server that is no imitation, started by the tests: as somebody's server, and with our file.

Not part of the ordinary tests (the name keeps them out): `make test-real` makes what they need and runs them.
`REAL_LITELLM` is the command `litellm` with its proxy.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import litellm
import pytest
import yaml

from aider_stackspot.emulator import Emulator, Fault
from tests.real.started import KEY, configured, free_port, running

HI = [{"role": "user", "content": "Say hi"}]


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    where, port = tmp_path_factory.mktemp("proxy"), free_port()
    always = {"api_key": "none", "api_base": "http://127.0.0.1:9/v1", "mock_response": "Hello from the proxy"}
    listed = [
        ("gpt-4o", {"mode": "chat", "max_input_tokens": 131072, "max_output_tokens": 8192}),
        ("team/llama-3.1-8b", {"mode": "chat", "max_input_tokens": 32768}),
        ("vectors", {"mode": "embedding", "max_input_tokens": 2048}),
    ]
    (where / "config.yaml").write_text(
        yaml.safe_dump(
            {
                "model_list": [
                    {"model_name": name, "litellm_params": {"model": f"openai/{name}", **always}, "model_info": info}
                    for name, info in listed
                ],
                "general_settings": {"master_key": KEY},
            }
        ),
        encoding="utf-8",
    )
    options = ["--config", "config.yaml", "--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"]
    command = [os.environ["REAL_LITELLM"], *options]
    yield from running(command, port, where, LITELLM_LOCAL_MODEL_COST_MAP="True", AIDER_STACKSPOT_AUTOLOAD="0")


def test_litellm_proxy(proxy: str, isolated: Path) -> None:
    known = configured(proxy, isolated)
    figures = {name: model.context.value for name, model in known.items() if model.context}
    assert figures == {"gpt-4o": 131072, "team/llama-3.1-8b": 32768, "vectors": 2048}
    assert [name for name, model in known.items() if not model.chat] == ["vectors"]
    assert (known["gpt-4o"].output.value, known["gpt-4o"].output.estimated) == (8192, False)
    for name in ("gpt-4o", "team/llama-3.1-8b"):
        answer = litellm.completion(f"local/{name}", HI)
        assert answer.choices[0].message.content == "Hello from the proxy"
        chunks = list(litellm.completion(f"local/{name}", HI, stream=True))
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello from the proxy"


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Emulator]]:
    """LiteLLM Proxy with the file that `serve --print-config` writes, in front of a StackSpot."""
    where, port = tmp_path_factory.mktemp("printed"), free_port()
    with Emulator() as stackspot:
        mine = {**stackspot.environment(), "HOME": str(where), "LITELLM_MASTER_KEY": KEY}
        command = [sys.executable, "-m", "aider_stackspot", "serve", "--print-config"]
        config = subprocess.run(command, cwd=where, env={**os.environ, **mine}, capture_output=True, check=True).stdout
        (where / "config.yaml").write_bytes(config)
        options = ["--config", "config.yaml", "--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"]
        more = {**mine, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION", "OPENAI_API_KEY": "sk-x"}
        for url in running([os.environ["REAL_LITELLM"], *options], port, where, **more):
            yield url, stackspot


BODY = {"model": "stackspot-ai-code", "messages": HI}


def _asked(url: str, **more: object) -> httpx.Response:
    headers = {"Authorization": f"Bearer {KEY}"}
    return httpx.post(f"{url}/v1/chat/completions", json=BODY | more, headers=headers, trust_env=False, timeout=60)


def test_the_printed_file_repeats_what_heals(printed: tuple[str, Emulator]) -> None:
    url, stackspot = printed
    stackspot.fail("any chat", Fault.status(503))
    assert _asked(url).status_code == 200


@pytest.mark.parametrize("field", ["custom_llm_provider", "headers", "extra_headers", "api_key", "fallbacks"])
def test_its_guard_refuses_what_leads_elsewhere(printed: tuple[str, Emulator], field: str) -> None:
    url, stackspot = printed
    before = len(stackspot.requests)
    answer = _asked(url, **{field: {"Host": "x"} if "headers" in field else "openai"})
    assert answer.status_code == 400 and field in answer.text, answer.text
    assert len(stackspot.requests) == before


def test_an_address_in_the_body_is_refused_before_the_guard_is_asked(printed: tuple[str, Emulator]) -> None:
    """LiteLLM does it itself, with 500 where Prisma's package is not installed: it looks there for what failed."""
    url, stackspot = printed
    before = len(stackspot.requests)
    assert _asked(url, base_url="http://127.0.0.1:9").status_code in (400, 500)
    assert len(stackspot.requests) == before
