"""Anthropic's Messages, with Anthropic's own SDK."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import pytest

from aider_stackspot.emulator import Emulator
from tests.gateway.assistant import FILES, FINAL, tool_using_assistant
from tests.gateway.running import HI, MESSAGES_TOOL, MODEL, Running, events_of

ASK: dict[str, Any] = {"model": MODEL, "max_tokens": 100}


def test_an_answer(gateway: Running, emulator: Emulator) -> None:
    emulator.answer = ["Olá, ", "😀"]
    answer = gateway.anthropic().messages.create(messages=HI, **ASK)
    assert [getattr(block, "text", None) for block in answer.content] == ["Olá, 😀"]
    assert (answer.stop_reason, answer.role, answer.model) == ("end_turn", "assistant", MODEL)
    assert answer.id.startswith("msg_") and answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0


def test_the_order_of_events(gateway: Running, emulator: Emulator) -> None:
    emulator.answer = tool_using_assistant
    body = {**ASK, "messages": HI, "tools": [MESSAGES_TOOL], "stream": True}
    names = [name for name, _ in events_of(gateway.post("/v1/messages", body).text)]
    assert [name for at, name in enumerate(names) if names[at - 1 : at] != [name]] == [
        "message_start",
        *["content_block_start", "content_block_delta", "content_block_stop"] * 3,
        "message_delta",
        "message_stop",
    ]


@pytest.mark.parametrize("stream", [False, True])
def test_tools_there_and_back(gateway: Running, emulator: Emulator, stream: bool) -> None:
    emulator.answer = tool_using_assistant
    client = gateway.anthropic()
    history: list[Any] = [{"role": "user", "content": "What do a.py and b.py say?"}]
    given: Any = {**ASK, "tools": [MESSAGES_TOOL]}
    if stream:
        with client.messages.stream(messages=history, **given) as events:
            answer: Any = events.get_final_message()
    else:
        answer = client.messages.create(messages=history, **given)
    assert answer.stop_reason == "tool_use"
    assert answer.content[0].text.strip() == "I look at both."
    calls = [block for block in answer.content if block.type == "tool_use"]
    assert all(call.id.startswith("toolu_") for call in calls)
    history.append({"role": "assistant", "content": [block.to_dict() for block in answer.content]})
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": FILES[call.input["path"]]} for call in calls]
    history.append({"role": "user", "content": results})
    final: Any = client.messages.create(messages=history, **given)
    assert (final.content[0].text, final.stop_reason) == (FINAL, "end_turn")


def test_one_call_where_only_one_is_wanted(gateway: Running, emulator: Emulator) -> None:
    emulator.answer = tool_using_assistant
    choice: Any = {"type": "any", "disable_parallel_tool_use": True}
    answer = gateway.anthropic().messages.create(messages=HI, tools=[MESSAGES_TOOL], tool_choice=choice, **ASK)
    assert [block.type for block in answer.content].count("tool_use") == 1


def test_a_stop_sequence_is_named(gateway: Running, emulator: Emulator) -> None:
    emulator.answer = ["one ST", "OP two"]
    for stream in (False, True):
        given: Any = {"messages": HI, "stop_sequences": ["x", "STOP"], **ASK}
        if stream:
            with gateway.anthropic().messages.stream(**given) as events:
                answer: Any = events.get_final_message()
        else:
            answer = gateway.anthropic().messages.create(**given)
        assert (answer.stop_reason, answer.stop_sequence) == ("stop_sequence", "STOP")
        assert answer.content[0].text == "one "


TEXT = {"type": "text", "text": "WORD77"}
DOCUMENT = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "WORD77"}}
USED = {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "read_file", "input": {}}]}


def result(**more: Any) -> list[Any]:
    return [*HI, USED, {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", **more}]}]


SEEN: dict[str, Any] = {
    "a text": [{"role": "user", "content": [TEXT]}],
    "a document": [{"role": "user", "content": [DOCUMENT]}],
    "a document's parts": [
        {"role": "user", "content": [{"type": "document", "source": {"type": "content", "content": [TEXT]}}]}
    ],
    "a document's title": [{"role": "user", "content": [{**DOCUMENT, "title": "WORD77", "context": "c"}]}],
    "a search result": [
        {"role": "user", "content": [{"type": "search_result", "source": "u", "title": "t", "content": [TEXT]}]}
    ],
    "a result": result(content="WORD77"),
    "a result's parts": result(content=[TEXT]),
    "a document in a result": result(content=[DOCUMENT]),
    "a result that is an error": result(content="WORD77", is_error=True),
    "words of the system in the middle": [*HI, {"role": "system", "content": "WORD77"}],
    "the model's own words": [*HI, {"role": "assistant", "content": "WORD77"}, *HI],
    "a call's arguments": [
        *HI,
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"x": "WORD77"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]},
    ],
}


@pytest.mark.parametrize("messages", SEEN.values(), ids=SEEN)
def test_the_model_sees_all_of_it(gateway: Running, emulator: Emulator, messages: Any) -> None:
    gateway.anthropic().messages.create(messages=messages, tools=[MESSAGES_TOOL], **ASK)
    assert "WORD77" in json.dumps(emulator.chat_requests[-1].json)


def test_the_model_sees_that_a_tool_failed(gateway: Running, emulator: Emulator) -> None:
    gateway.anthropic().messages.create(messages=result(content="no", is_error=True), **ASK)
    assert "The tool reported an error:" in json.dumps(emulator.chat_requests[-1].json)


UNSENDABLE: dict[str, Any] = {
    "a PDF": {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}},
    "a page": {"type": "document", "source": {"type": "url", "url": "https://example.com/x.pdf"}},
    "a file": {"type": "document", "source": {"type": "file", "file_id": "f1"}},
    "a picture": {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
    "a vendor's block": {"type": "server_tool_use", "id": "x", "name": "web_search", "input": {}},
    "nothing known": {"type": "hologram"},
    "no object": "text",
    "a text that is none": {"type": "text", "text": 3},
    "an unknown field": {**TEXT, "colour": "red"},
}


@pytest.mark.parametrize("block", UNSENDABLE.values(), ids=UNSENDABLE)
@pytest.mark.parametrize("inside", [False, True], ids=["in a message", "in a result"])
def test_what_the_model_cannot_see_is_refused(gateway: Running, emulator: Emulator, block: Any, inside: bool) -> None:
    messages = result(content=[block]) if inside else [{"role": "user", "content": [block]}]
    answer = gateway.post("/v1/messages", {**ASK, "messages": messages})
    assert answer.status_code == 400
    assert answer.json()["type"] == "error" and answer.json()["error"]["type"] == "invalid_request_error"
    assert "content[0]" in answer.json()["error"]["message"]
    assert emulator.chat_requests == []


REFUSED: list[dict[str, Any]] = [
    {"mcp_servers": [{"type": "url", "url": "https://x", "name": "x"}]},
    {"container": "c"},
    {"temperature": 1.5},
    {"max_tokens": 0},
    {"max_tokens": None},
    {"api_base": "http://x"},
    {"tool_choice": {"type": "tool", "name": "nope"}},
    {"tool_choice": {"type": "any"}},
    {"output_config": {"format": {"type": "grammar"}}},
    {"system": [{"type": "image"}]},
]


@pytest.mark.parametrize("more", REFUSED, ids=lambda more: next(iter(more)))
def test_what_cannot_be_honoured_is_refused_by_name(gateway: Running, emulator: Emulator, more: dict[str, Any]) -> None:
    answer = gateway.post("/v1/messages", {**ASK, "messages": HI, **more})
    assert answer.status_code == 400
    assert next(iter(more)) in answer.json()["error"]["message"]
    assert emulator.chat_requests == []


HOSTED: Any = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}


def test_a_tool_of_the_vendors_is_left_out_unless_it_is_demanded(gateway: Running, emulator: Emulator) -> None:
    client = gateway.anthropic()
    client.messages.create(messages=HI, tools=[HOSTED, MESSAGES_TOOL], **ASK)
    assert "web_search" not in json.dumps(emulator.chat_requests[-1].json)
    for choice in ({"type": "any"}, {"type": "tool", "name": "web_search"}):
        with pytest.raises(anthropic.BadRequestError, match=r"tools\[0\]|web_search"):
            client.messages.create(messages=HI, tools=[HOSTED, MESSAGES_TOOL], tool_choice=choice, **ASK)  # type: ignore[call-overload]


def test_what_has_no_effect_is_accepted(gateway: Running) -> None:
    more: Any = {
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "metadata": {"user_id": "u"},
        "top_k": 3,
        "top_p": 0.5,
        "service_tier": "auto",
        "system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}],
        "temperature": 1.0,
    }
    body = {**ASK, "messages": HI, **more, "context_management": {"edits": []}, "output_config": {"effort": "low"}}
    assert gateway.post("/v1/messages?beta=true", body).status_code == 200


def test_json_is_asked_for(gateway: Running, emulator: Emulator) -> None:
    emulator.answer = 'Sure:\n```json\n{"n": 1,}\n```\n'
    wanted = {"format": {"type": "json_schema", "schema": {"type": "object", "title": "WORD77"}}}
    answer = gateway.post("/v1/messages", {**ASK, "messages": HI, "output_config": wanted}).json()
    assert json.loads(answer["content"][0]["text"]) == {"n": 1}
    assert "WORD77" in json.dumps(emulator.chat_requests[-1].json)


def test_tokens_are_counted_without_a_call(gateway: Running, emulator: Emulator) -> None:
    client = gateway.anthropic()
    few = client.messages.count_tokens(model=MODEL, messages=HI).input_tokens
    more = client.messages.count_tokens(model=MODEL, messages=HI, tools=[MESSAGES_TOOL], system="x" * 4000).input_tokens
    assert few > 0 and few + 1000 < more
    assert emulator.chat_requests == []


def test_thoughts_of_earlier_turns_do_not_matter(gateway: Running, emulator: Emulator) -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
    history = [*HI, {"role": "assistant", "content": [thought, TEXT]}, *HI]
    assert gateway.post("/v1/messages", {**ASK, "messages": history}).status_code == 200
    assert "WORD77" in json.dumps(emulator.chat_requests[-1].json)
