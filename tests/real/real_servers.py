"""Servers that are no imitation, started by the tests: llama-cpp-python with a tiny model, and LiteLLM Proxy.

Not part of the ordinary tests (the name keeps them out): `make test-real` makes what they need and runs them.
`REAL_PYTHON` is a Python with `llama_cpp` and `gguf`, `REAL_LITELLM` the command `litellm` with its proxy.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import litellm
import pytest
import yaml

import aider_stackspot
from aider_stackspot.compatible.catalogue import Catalogue
from aider_stackspot.compatible.server import KnownModel, models_of
from aider_stackspot.config import current
from aider_stackspot.emulator import Emulator, Fault

HI = [{"role": "user", "content": "Say hi"}]
KEY = "sk-key-of-the-server"
CONTEXT = 256


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _until_it_answers(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")
        try:
            if httpx.get(url, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    pytest.fail(log.read_text(encoding="utf-8", errors="replace"))


def _running(arguments: list[str], port: int, where: Path, **more: str) -> Iterator[str]:
    log = where / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            arguments, cwd=where, stdout=output, stderr=output, env={**os.environ, "NO_PROXY": "127.0.0.1", **more}
        )
    try:
        _until_it_answers(process, f"http://127.0.0.1:{port}/v1/models", log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    where, port, python = tmp_path_factory.mktemp("llama"), _free_port(), os.environ["REAL_PYTHON"]
    writer = Path(__file__).with_name("tiny_model.py")
    subprocess.run([python, str(writer), "tiny.gguf"], cwd=where, check=True)
    options = ["--model", "tiny.gguf", "--model_alias", "tiny-random-llama", "--n_ctx", str(CONTEXT)]
    address = ["--host", "127.0.0.1", "--port", str(port), "--api_key", KEY]
    yield from _running([python, "-m", "llama_cpp.server", *options, *address], port, where)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    where, port = tmp_path_factory.mktemp("proxy"), _free_port()
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
    yield from _running(command, port, where, LITELLM_LOCAL_MODEL_COST_MAP="True", AIDER_STACKSPOT_AUTOLOAD="0")


def _configure(base: str, isolated: Path) -> dict[str, KnownModel]:
    """Configure the server as `local`; return what is found out about its models."""
    (isolated.parent / "home" / ".aider.litellm.yml").write_text(
        f"providers:\n  local:\n    api_base: {base}\n    api_key: {KEY}\n    max_retries: 0\n", encoding="utf-8"
    )
    aider_stackspot.register()
    provider, catalogue = current().compatible["local"], Catalogue()
    catalogue.fresh([provider])
    return {model.name: model for model in models_of(provider, catalogue.known(provider))}


@pytest.mark.parametrize("path", ["", "/v1"])
def test_llama_cpp_python(llama: str, isolated: Path, path: str) -> None:
    known = _configure(llama + path, isolated)
    assert list(known) == ["tiny-random-llama"]
    asked = {"model": "local/tiny-random-llama", "messages": HI, "temperature": 0, "max_tokens": 8}
    whole = litellm.completion(**asked)
    chunks = list(litellm.completion(**asked, stream=True))
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert whole.choices[0].message.content.strip() == said.strip() != ""
    assert whole.choices[0].finish_reason == "length"
    assert [reason for chunk in chunks if (reason := chunk.choices[0].finish_reason)] == ["length"]


def test_llama_cpp_python_says_when_a_prompt_is_too_long(llama: str, isolated: Path) -> None:
    _configure(llama, isolated)
    with pytest.raises(litellm.ContextWindowExceededError):
        litellm.completion("local/tiny-random-llama", [{"role": "user", "content": "word " * 400}])
    aider_stackspot.register()
    assert litellm.get_model_info("local/tiny-random-llama")["max_input_tokens"] == CONTEXT


def test_a_wrong_key_is_an_authentication_error(llama: str, isolated: Path) -> None:
    _configure(llama, isolated)
    with pytest.raises(litellm.AuthenticationError):
        litellm.completion("local/tiny-random-llama", HI, api_key="another")


def test_litellm_proxy(proxy: str, isolated: Path) -> None:
    known = _configure(proxy, isolated)
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
    where, port = tmp_path_factory.mktemp("printed"), _free_port()
    with Emulator() as stackspot:
        mine = {**stackspot.environment(), "HOME": str(where), "LITELLM_MASTER_KEY": KEY}
        command = [sys.executable, "-m", "aider_stackspot", "serve", "--print-config"]
        config = subprocess.run(command, cwd=where, env={**os.environ, **mine}, capture_output=True, check=True).stdout
        (where / "config.yaml").write_bytes(config)
        options = ["--config", "config.yaml", "--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"]
        more = {**mine, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION", "OPENAI_API_KEY": "sk-x"}
        for url in _running([os.environ["REAL_LITELLM"], *options], port, where, **more):
            yield url, stackspot


BODY = {"model": "stackspot-ai-code", "messages": HI}


def _asked(url: str, **more: object) -> httpx.Response:
    headers = {"Authorization": f"Bearer {KEY}"}
    return httpx.post(f"{url}/v1/chat/completions", json=BODY | more, headers=headers, trust_env=False, timeout=60)


def test_the_printed_file_repeats_what_heals(printed: tuple[str, Emulator]) -> None:
    url, stackspot = printed
    stackspot.fail("any chat", Fault.status(503))
    assert _asked(url).status_code == 200


@pytest.mark.parametrize(
    "field", ["custom_llm_provider", "base_url", "headers", "extra_headers", "api_key", "fallbacks"]
)
def test_its_guard_refuses_what_leads_elsewhere(printed: tuple[str, Emulator], field: str) -> None:
    url, stackspot = printed
    before = len(stackspot.requests)
    answer = _asked(url, **{field: {"Host": "x"} if "headers" in field else "openai"})
    assert answer.status_code == 400 and field in answer.text
    assert len(stackspot.requests) == before
