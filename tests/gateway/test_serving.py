"""The gateway as real clients see it: OpenAI's SDK (chat and responses), Anthropic's SDK, and plain HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import openai
import pytest

from aider_stackspot.emulator import Emulator, Style
from tests.gateway.assistant import CHAT_TOOL, FILES, FINAL, MESSAGES_TOOL, RESPONSES_TOOL, tool_using_assistant
from tests.gateway.gateway_process import Gateway
from tests.gateway.gateway_ways import HI, MODEL, Way, anthropic_client, openai_client

pytestmark = pytest.mark.slow
pytest_plugins = ["tests.gateway.gateway_fixtures"]

TOOLS: list[Any] = [CHAT_TOOL]


def test_the_models_and_their_limits(gateway: Gateway) -> None:
    listed = {model.id: model.model_extra or {} for model in openai_client(gateway).models.list()}
    assert set(listed) == {"stackspot-ai", "stackspot-ai-chat", MODEL}
    assert listed[MODEL]["max_input_tokens"] == 16384
    assert listed[MODEL]["max_output_tokens"] == 8192


def test_an_answer(gateway: Gateway, stackspot: Emulator, way: Way) -> None:
    stackspot.answer = ["Olá, ", "mundo ", "😀"]
    assert way(gateway) == "Olá, mundo 😀"


def usage_of_chat(gateway: Gateway) -> tuple[int, int]:
    stream = openai_client(gateway).chat.completions.create(
        model=MODEL, messages=HI, stream=True, stream_options={"include_usage": True}
    )
    [usage] = [chunk.usage for chunk in stream if chunk.usage is not None]
    return usage.prompt_tokens, usage.completion_tokens


def usage_of_responses(gateway: Gateway) -> tuple[int, int]:
    events = openai_client(gateway).responses.create(model=MODEL, input="Say hi", stream=True)
    [usage] = [event.response.usage for event in events if event.type == "response.completed"]
    assert usage is not None
    return usage.input_tokens, usage.output_tokens


def usage_of_messages(gateway: Gateway) -> tuple[int, int]:
    with anthropic_client(gateway).messages.stream(model=MODEL, messages=HI, max_tokens=100) as stream:
        usage = stream.get_final_message().usage
    return int(usage.input_tokens), int(usage.output_tokens)


@pytest.mark.parametrize("usage", [usage_of_chat, usage_of_responses, usage_of_messages])
def test_usage_comes_with_a_stream(
    gateway: Gateway, stackspot: Emulator, usage: Callable[[Gateway], tuple[int, int]]
) -> None:
    prompt, answer = usage(gateway)
    assert prompt > 0
    assert answer > 0


def test_the_name_with_its_provider_works_too(gateway: Gateway) -> None:
    client = openai_client(gateway)
    assert client.chat.completions.create(model=f"stackspot/{MODEL}", messages=HI).choices[0].message.content


@pytest.mark.parametrize("stream", [False, True])
def test_tools_with_the_chat_protocol(gateway: Gateway, stackspot: Emulator, stream: bool) -> None:
    stackspot.answer = tool_using_assistant
    client = openai_client(gateway)
    history: list[Any] = [{"role": "user", "content": "What do a.py and b.py say?"}]
    if stream:
        with client.chat.completions.stream(model=MODEL, messages=history, tools=TOOLS) as events:
            choice: Any = events.get_final_completion().choices[0]
    else:
        choice = client.chat.completions.create(model=MODEL, messages=history, tools=TOOLS).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert (choice.message.content or "").strip() == "I look at both."
    calls: Any = choice.message.tool_calls
    history.append(choice.message.to_dict())
    for call in calls:
        content = FILES[json.loads(call.function.arguments)["path"]]
        history.append({"role": "tool", "tool_call_id": call.id, "content": content})
    final = client.chat.completions.create(model=MODEL, messages=history, tools=TOOLS).choices[0]
    assert (final.message.content, final.finish_reason) == (FINAL, "stop")


@pytest.mark.parametrize("stream", [False, True])
def test_tools_with_the_responses_protocol(gateway: Gateway, stackspot: Emulator, stream: bool) -> None:
    stackspot.answer = tool_using_assistant
    client = openai_client(gateway)
    history: list[Any] = [{"role": "user", "content": "What do a.py and b.py say?"}]
    tools: Any = [RESPONSES_TOOL]
    if stream:
        events = client.responses.create(model=MODEL, input=history, tools=tools, stream=True)
        answer: Any = next(event.response for event in events if event.type == "response.completed")
    else:
        answer = client.responses.create(model=MODEL, input=history, tools=tools)
    calls = [item for item in answer.output if item.type == "function_call"]
    assert answer.output_text.strip() == "I look at both."
    for call in calls:
        fields = {"call_id": call.call_id, "name": call.name, "arguments": call.arguments}
        history.append({"type": "function_call", **fields})
    for call in calls:
        content = FILES[json.loads(call.arguments)["path"]]
        history.append({"type": "function_call_output", "call_id": call.call_id, "output": content})
    assert client.responses.create(model=MODEL, input=history, tools=tools).output_text == FINAL


@pytest.mark.parametrize("stream", [False, True])
def test_tools_with_the_messages_protocol(gateway: Gateway, stackspot: Emulator, stream: bool) -> None:
    stackspot.answer = tool_using_assistant
    client = anthropic_client(gateway)
    history: list[Any] = [{"role": "user", "content": "What do a.py and b.py say?"}]
    given: Any = {"model": MODEL, "max_tokens": 1000, "tools": [MESSAGES_TOOL]}
    if stream:
        with client.messages.stream(messages=history, **given) as events:
            answer: Any = events.get_final_message()
    else:
        answer = client.messages.create(messages=history, **given)
    assert answer.stop_reason == "tool_use"
    assert answer.content[0].text.strip() == "I look at both."
    calls = [block for block in answer.content if block.type == "tool_use"]
    history.append({"role": "assistant", "content": [block.to_dict() for block in answer.content]})
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": FILES[call.input["path"]]} for call in calls]
    history.append({"role": "user", "content": results})
    final: Any = client.messages.create(messages=history, **given)
    assert (final.content[0].text, final.stop_reason) == (FINAL, "end_turn")


def test_json_is_asked_for_and_checked(gateway: Gateway, stackspot: Emulator) -> None:
    stackspot.answer = 'Sure:\n```json\n{"n": 1,}\n```\n'
    answer = openai_client(gateway).chat.completions.create(
        model=MODEL, messages=HI, response_format={"type": "json_object"}
    )
    assert json.loads(answer.choices[0].message.content or "") == {"n": 1}


def test_fifty_streams_at_once_over_two_workers(gateway: Gateway, stackspot: Emulator) -> None:
    stackspot.revoke_tokens()  # so that each worker that takes part needs a new one
    stackspot.answer = lambda prompt: [f"{prompt} ", *(f"{number} " for number in range(20))]
    stackspot.style = Style(delay=0.02)

    async def ask(client: openai.AsyncOpenAI, number: int) -> str:
        text = f"I am {number}."
        history: Any = [{"role": "user", "content": text}]
        stream = await client.chat.completions.create(model=MODEL, messages=history, stream=True)
        answer = "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])
        assert answer == f"{text} " + "".join(f"{n} " for n in range(20))
        return text

    async def ask_all() -> set[str]:
        async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0) as client:
            return set(await asyncio.gather(*(ask(client, number) for number in range(50))))

    assert len(asyncio.run(ask_all())) == 50
    assert len(stackspot.token_requests) == 2


def test_embeddings_are_refused_once_and_for_all(gateway: Gateway) -> None:
    with pytest.raises(openai.BadRequestError, match="StackSpot has no embeddings"):
        openai_client(gateway).embeddings.create(model=MODEL, input="x")


def test_health(gateway: Gateway) -> None:
    assert httpx.get(f"{gateway.url}/health/liveliness").status_code == 200
    assert httpx.get(f"{gateway.url}/health/readiness").status_code == 200
    assert httpx.get(f"{gateway.url}/health").status_code == 401
    asked = httpx.get(f"{gateway.url}/health", headers={"Authorization": f"Bearer {gateway.key}"}, timeout=60)
    assert asked.json()["unhealthy_endpoints"] == []
    assert asked.json()["healthy_count"] == 3


def test_nothing_secret_is_printed_but_the_new_key_once(gateway: Gateway) -> None:
    output = gateway.output.read_text()
    introduction, _, log = output.partition("curl ")
    assert gateway.key in introduction
    assert gateway.key not in log.partition("\n\n")[2]
    assert "client-key" not in output
