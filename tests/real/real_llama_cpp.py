"""llama.cpp's own server, started by the tests with a tiny model: its lists, errors, thoughts and tool calls.

Not part of the ordinary tests (the name keeps them out): `make test-real` makes what they need and runs them.
`REAL_PYTHON` is a Python with `xllamacpp` and `gguf`. What the model says is written in `llama_server.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import litellm
import pytest

from tests.gateway.running import running_gateway
from tests.real.started import KEY, configured, free_port, running

MODEL = "local/tiny-llama"
SERVED = 8192
"""Tokens that the server gives the model, of the 16,384 that it was made for."""
PARAMETERS = {"type": "object", "properties": {"at": {"type": "string"}}, "required": ["at"]}
TOOL = {"type": "function", "function": {"name": "look", "description": "Look.", "parameters": PARAMETERS}}
PNG = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    where, port = tmp_path_factory.mktemp("llama"), free_port()
    program = str(Path(__file__).with_name("llama_server.py"))
    yield from running([os.environ["REAL_PYTHON"], program, str(port), KEY], port, where)


@pytest.fixture(autouse=True)
def _configured(server: str, isolated: Path) -> None:
    configured(server, isolated)


def asked(text: str, **more: Any) -> Any:
    """Return the whole answer, and what the pieces of a stream make together."""
    question = {"model": MODEL, "messages": [{"role": "user", "content": text}], "temperature": 0, **more}
    whole = litellm.completion(**question)
    streamed = litellm.stream_chunk_builder(list(litellm.completion(**question, stream=True)))
    assert streamed is not None
    return whole.choices[0], streamed.choices[0]


@pytest.mark.parametrize("path", ["", "/v1"])
def test_its_model_and_what_it_takes(server: str, isolated: Path, path: str) -> None:
    known = configured(server + path, isolated)
    assert {name: model.context.value for name, model in known.items() if model.context} == {"tiny-llama": SERVED}


@pytest.mark.parametrize("model", [MODEL, "local", "local/any-name"])
def test_the_one_model_answers_under_any_name(model: str) -> None:
    for answer in asked("Say hi", model=model):
        assert (answer.message.content, answer.finish_reason) == ("Hello from llama.cpp.", "stop")


def test_an_answer_that_reaches_its_limit_says_so() -> None:
    whole, streamed = asked("babble", max_tokens=8)
    assert len(whole.message.content) == 8
    assert whole.message.content == streamed.message.content
    assert whole.finish_reason == streamed.finish_reason == "length"


def test_tokens_are_counted_by_the_server() -> None:
    question = {"model": MODEL, "messages": [{"role": "user", "content": "Say hi"}], "temperature": 0}
    whole = litellm.completion(**question).usage
    *_, last = litellm.completion(**question, stream=True, stream_options={"include_usage": True})
    assert (whole.prompt_tokens, whole.completion_tokens) == (last.usage.prompt_tokens, last.usage.completion_tokens)
    assert whole.prompt_tokens > 40, "it counts its template, which nobody else knows"


def test_thoughts_come_apart_from_the_answer() -> None:
    for answer in asked("think"):
        assert answer.message.content.strip() == "Hello there."
        assert answer.message.reasoning_content.strip() == "A greeting."


def test_a_tool_is_called_and_its_answer_understood() -> None:
    for answer in asked("Look at it", tools=[TOOL]):
        [call] = answer.message.tool_calls
        assert (call.function.name, json.loads(call.function.arguments)) == ("look", {"at": "it"})
        assert answer.finish_reason == "tool_calls"
        told = {"role": "tool", "tool_call_id": call.id, "content": "blue"}
        messages = [{"role": "user", "content": "Look at it"}, answer.message.model_dump(), told]
        for said in asked("", messages=messages, tools=[TOOL]):
            assert said.message.content == "The tool says so."


def test_claudes_protocol_reaches_its_tools_through_the_gateway() -> None:
    tool: Any = {"name": "look", "description": "Look.", "input_schema": PARAMETERS}
    with running_gateway() as gateway:
        client = gateway.anthropic()
        asking: Any = {"model": MODEL, "max_tokens": 200, "messages": [{"role": "user", "content": "Look at it"}]}
        whole = client.messages.create(**asking, tools=[tool])
        with client.messages.stream(**asking, tools=[tool]) as stream:
            streamed = stream.get_final_message()
    for message in (whole, streamed):
        [call] = [part for part in message.model_dump()["content"] if part["type"] == "tool_use"]
        assert (call["name"], call["input"]) == ("look", {"at": "it"})
        assert message.stop_reason == "tool_use"


@pytest.mark.parametrize("stream", [False, True])
def test_a_prompt_that_is_too_long_says_what_fits(stream: bool) -> None:
    with pytest.raises(litellm.ContextWindowExceededError, match=r"8,?192"):
        litellm.completion(MODEL, [{"role": "user", "content": "word " * 2000}], stream=stream)


def test_a_wrong_key_is_an_authentication_error() -> None:
    with pytest.raises(litellm.AuthenticationError):
        litellm.completion(MODEL, [{"role": "user", "content": "Say hi"}], api_key="another")


def test_a_picture_is_refused_for_good() -> None:
    picture = {"type": "image_url", "image_url": {"url": PNG}}
    with pytest.raises(litellm.BadRequestError, match="image input is not supported"):
        litellm.completion(MODEL, [{"role": "user", "content": [picture]}])


@pytest.mark.parametrize("stream", ["--stream", "--no-stream"])
def test_the_real_aider(isolated: Path, stream: str) -> None:
    aider = Path(sys.executable).with_name("aider")
    options = ["--yes-always", "--no-check-update", "--no-show-release-notes", "--analytics-disable", "--no-git"]
    done = subprocess.run(
        [str(aider), "--model", MODEL, stream, *options, "--message", "Hi"],
        env={**os.environ, "COLUMNS": "1000"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Hello from llama.cpp." in done.stdout, done.stdout + done.stderr
