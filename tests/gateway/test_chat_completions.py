"""OpenAI's Chat Completions, with OpenAI's own SDK."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

from aider_stackspot.emulator import Emulator
from tests.gateway.assistant import FILES, FINAL, tool_using_assistant
from tests.gateway.running import CHAT_TOOL, HI, MODEL, Running, events_of


def test_an_answer(gateway: Running, emulator: Emulator) -> None:
    emulator.answer = ["Olá, ", "mundo ", "😀"]
    answer = gateway.openai().chat.completions.create(model=MODEL, messages=HI)
    assert answer.choices[0].message.content == "Olá, mundo 😀"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.id.startswith("chatcmpl-") and answer.model == MODEL
    assert answer.usage is not None and answer.usage.total_tokens > 0


def test_a_stream_with_usage(gateway: Running, emulator: Emulator) -> None:
    emulator.answer = ["one ", "two"]
    stream = gateway.openai().chat.completions.create(
        model=MODEL, messages=HI, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "one two"
    assert [chunk.choices for chunk in chunks if chunk.usage] == [[]]
    assert chunks[-1].usage is not None and chunks[-1].usage.completion_tokens > 0
    assert len({chunk.id for chunk in chunks}) == 1


def test_a_stream_without_usage_has_no_such_chunk(gateway: Running) -> None:
    body = gateway.post("/v1/chat/completions", {"model": MODEL, "messages": HI, "stream": True}).text
    data = [data for _, data in events_of(body)]
    assert data[-1] == "[DONE]"
    chunks = [json.loads(one) for one in data[:-1]]
    assert all("usage" not in chunk and len(chunk["choices"]) == 1 for chunk in chunks)
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks][-1] == "stop"


@pytest.mark.parametrize("stream", [False, True])
def test_tools_there_and_back(gateway: Running, emulator: Emulator, stream: bool) -> None:
    emulator.answer = tool_using_assistant
    client = gateway.openai()
    history: list[Any] = [{"role": "user", "content": "What do a.py and b.py say?"}]
    if stream:
        with client.chat.completions.stream(model=MODEL, messages=history, tools=[CHAT_TOOL]) as events:
            choice: Any = events.get_final_completion().choices[0]
    else:
        choice = client.chat.completions.create(model=MODEL, messages=history, tools=[CHAT_TOOL]).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert (choice.message.content or "").strip() == "I look at both."
    assert all(call.id.startswith("call_") for call in choice.message.tool_calls)
    history.append(choice.message.to_dict())
    for call in choice.message.tool_calls:
        content = FILES[json.loads(call.function.arguments)["path"]]
        history.append({"role": "tool", "tool_call_id": call.id, "content": content})
    final = client.chat.completions.create(model=MODEL, messages=history, tools=[CHAT_TOOL]).choices[0]
    assert (final.message.content, final.finish_reason) == (FINAL, "stop")


def test_json_is_asked_for_and_mended(gateway: Running, emulator: Emulator) -> None:
    emulator.answer = 'Sure:\n```json\n{"n": 1,}\n```\n'
    schema: Any = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    answer = gateway.openai().chat.completions.create(model=MODEL, messages=HI, response_format=schema)
    assert json.loads(answer.choices[0].message.content or "") == {"n": 1}


def test_a_stop_sequence_ends_the_answer(gateway: Running, emulator: Emulator) -> None:
    emulator.answer = ["one ST", "OP two"]
    answer = gateway.openai().chat.completions.create(model=MODEL, messages=HI, stop=["STOP"])
    assert answer.choices[0].message.content == "one "


def test_the_developers_words_and_parts_reach_the_model(gateway: Running, emulator: Emulator) -> None:
    messages: Any = [
        {"role": "developer", "content": "Be BRIEF77"},
        {"role": "user", "content": [{"type": "text", "text": "PART77"}, {"type": "text", "text": "PART78"}]},
    ]
    gateway.openai().chat.completions.create(model=MODEL, messages=messages)
    said = json.dumps(emulator.chat_requests[-1].json)
    assert all(word in said for word in ("BRIEF77", "PART77", "PART78"))


REFUSED: list[dict[str, Any]] = [
    {"n": 2},
    {"logprobs": True},
    {"top_logprobs": 3},
    {"functions": [{"name": "f"}]},
    {"function_call": "auto"},
    {"logit_bias": {"1": 2}},
    {"modalities": ["text", "audio"]},
    {"audio": {"voice": "x"}},
    {"web_search_options": {"search_context_size": "low"}},
    {"temperature": 1.5},
    {"tool_choice": "required"},
    {"response_format": {"type": "grammar"}},
    {"temperature": "hot"},
    {"stop": 3},
    {"messages": []},
    {"messages": [{"role": "wizard", "content": "x"}]},
    {"custom_llm_provider": "openai"},
    {"max_tokens": 0},
    {"stream": "yes"},
    {"never_heard_of": 1},
]


@pytest.mark.parametrize("more", REFUSED, ids=lambda more: next(iter(more)))
def test_what_cannot_be_honoured_is_refused_by_name(gateway: Running, emulator: Emulator, more: dict[str, Any]) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        gateway.openai().chat.completions.create(model=MODEL, messages=HI, extra_body=more)
    assert next(iter(more)) in str(caught.value)
    assert emulator.chat_requests == []


def test_harmless_fields_are_without_effect(gateway: Running, emulator: Emulator) -> None:
    harmless: Any = {
        "max_tokens": 10,
        "max_completion_tokens": 10,
        "top_p": 0.5,
        "seed": 1,
        "user": "u",
        "store": True,
        "n": 1,
        "logprobs": False,
        "reasoning_effort": "low",
        "metadata": {"a": "b"},
        "functions": None,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.1,
        "service_tier": "auto",
        "modalities": ["text"],
    }
    assert gateway.openai().chat.completions.create(model=MODEL, messages=HI, **harmless).choices
    assert len(emulator.chat_requests) == 1
