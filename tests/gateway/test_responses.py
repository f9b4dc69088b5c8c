"""OpenAI's Responses, with OpenAI's own SDK."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

from aider_stackspot.emulator import Emulator
from aider_stackspot.gateway.errors import GatewayError
from aider_stackspot.gateway.response_store import MAX_AGE, ResponseStore
from tests.gateway.assistant import FILES, FINAL, tool_using_assistant
from tests.gateway.running import MODEL, RESPONSES_TOOL, Running, events_of


def prompt_of(emulator: Emulator) -> str:
    return json.dumps(emulator.chat_requests[-1].json)


def test_an_answer(gateway: Running, emulator: Emulator) -> None:
    emulator.answer = ["Olá, ", "😀"]
    answer = gateway.openai().responses.create(model=MODEL, input="Say hi", instructions="Be BRIEF77", temperature=1.9)
    assert (answer.output_text, answer.status) == ("Olá, 😀", "completed")
    assert answer.id.startswith("resp_") and answer.usage is not None and answer.usage.total_tokens > 0
    assert "BRIEF77" in prompt_of(emulator)


def test_the_order_of_events(gateway: Running, emulator: Emulator) -> None:
    emulator.answer = tool_using_assistant
    body = {"model": MODEL, "input": "x", "tools": [RESPONSES_TOOL], "stream": True}
    events = events_of(gateway.post("/v1/responses", body).text)
    names = [name.removeprefix("response.") for name, _ in events]
    call = ["output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done"]
    assert [name for at, name in enumerate(names) if names[at - 1 : at] != [name]] == [
        *["created", "in_progress", "output_item.added", "content_part.added", "output_text.delta"],
        *["output_text.done", "content_part.done", "output_item.done"],
        *call * 2,
        "completed",
    ]
    assert [json.loads(data)["sequence_number"] for _, data in events] == list(range(len(events)))
    assert json.loads(events[0][1])["response"]["output"] == []


@pytest.mark.parametrize("stream", [False, True])
def test_tools_there_and_back(gateway: Running, emulator: Emulator, stream: bool) -> None:
    emulator.answer = tool_using_assistant
    client = gateway.openai()
    history: list[Any] = [{"role": "user", "content": "What do a.py and b.py say?"}]
    if stream:
        with client.responses.stream(model=MODEL, input=history, tools=[RESPONSES_TOOL]) as events:
            answer: Any = events.get_final_response()
    else:
        answer = client.responses.create(model=MODEL, input=history, tools=[RESPONSES_TOOL])
    calls = [item for item in answer.output if item.type == "function_call"]
    assert answer.output_text.strip() == "I look at both."
    history += [item.to_dict() for item in answer.output]
    for call in calls:
        content = FILES[json.loads(call.arguments)["path"]]
        history.append({"type": "function_call_output", "call_id": call.call_id, "output": content})
    assert client.responses.create(model=MODEL, input=history, tools=[RESPONSES_TOOL]).output_text == FINAL


@pytest.mark.parametrize("stream", [False, True])
def test_the_conversation_before_is_not_lost(gateway: Running, emulator: Emulator, stream: bool) -> None:
    client = gateway.openai()
    emulator.answer = "Nice to meet you WORD78"
    if stream:
        events = client.responses.create(model=MODEL, input="I am ALICE77", stream=True, instructions="GONE79")
        first: Any = next(event.response for event in events if event.type == "response.completed")
    else:
        first = client.responses.create(model=MODEL, input="I am ALICE77", instructions="GONE79")
    second = client.responses.create(model=MODEL, input="Who am I?", previous_response_id=first.id)
    client.responses.create(model=MODEL, input="And now?", previous_response_id=second.id)
    said = prompt_of(emulator)
    assert "ALICE77" in said and "WORD78" in said and "Who am I?" in said
    assert "GONE79" not in said


def test_responses_can_be_read_and_forgotten(gateway: Running) -> None:
    client = gateway.openai()
    made = client.responses.create(model=MODEL, input="x")
    assert client.responses.retrieve(made.id).output_text == made.output_text
    [item] = client.responses.input_items.list(made.id).data
    assert item.to_dict()["content"] == "x"
    client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model=MODEL, input="x", previous_response_id=made.id)
    assert caught.value.code == "previous_response_not_found"


def test_one_that_is_not_to_be_kept_is_not(gateway: Running) -> None:
    client = gateway.openai()
    made = client.responses.create(model=MODEL, input="x", store=False)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)


def test_a_reference_to_an_item_means_the_item(gateway: Running, emulator: Emulator) -> None:
    emulator.answer = "WORD77"
    client = gateway.openai()
    [item] = client.responses.create(model=MODEL, input="x").output
    reference: Any = [{"type": "item_reference", "id": item.id}, {"role": "user", "content": "go on"}]
    client.responses.create(model=MODEL, input=reference)
    assert "WORD77" in prompt_of(emulator)


REFUSED: list[dict[str, Any]] = [
    {"conversation": "c"},
    {"background": True},
    {"previous_response_id": "resp_nowhere"},
    {"prompt": {"id": "p"}},
    {"top_logprobs": 2},
    {"include": ["message.output_text.logprobs"]},
    {"temperature": 2.5},
    {"input": []},
    {"input": [{"type": "item_reference", "id": "msg_nowhere"}]},
    {"input": [{"type": "mcp_call", "id": "x"}]},
    {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "data:x"}]}]},
    {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "x"}]}]},
    {"input": [{"role": "user", "content": "x", "colour": "red"}]},
    {"text": {"format": {"type": "grammar"}}},
    {"tools": [{"type": "web_search"}], "tool_choice": "required"},
    {"tools": [{"type": "web_search"}], "tool_choice": {"type": "web_search"}},
    {"api_base": "http://x"},
]


@pytest.mark.parametrize("more", REFUSED, ids=lambda more: next(iter(more)))
def test_what_cannot_be_honoured_is_refused(gateway: Running, emulator: Emulator, more: dict[str, Any]) -> None:
    answer = gateway.post("/v1/responses", {"model": MODEL, "input": "x", **more})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert emulator.chat_requests == []


@pytest.mark.parametrize("choice", [{}, {"tool_choice": "auto"}])
def test_tools_of_the_vendors_are_left_out_where_none_is_demanded(
    gateway: Running, emulator: Emulator, choice: dict[str, Any]
) -> None:
    hosted = [{"type": kind} for kind in ("web_search", "local_shell", "image_generation")]
    mcp = {"type": "mcp", "server_label": "x", "server_url": "https://x"}
    body = {"model": MODEL, "input": "x", "tools": [*hosted, mcp, RESPONSES_TOOL], **choice}
    assert gateway.post("/v1/responses", body).status_code == 200
    assert "web_search" not in prompt_of(emulator) and "read_file" in prompt_of(emulator)


def test_json_is_asked_for_and_mended(gateway: Running, emulator: Emulator) -> None:
    emulator.answer = 'Sure:\n```json\n{"n": 1,}\n```\n'
    wanted: Any = {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}}
    answer = gateway.openai().responses.create(model=MODEL, input="x", text=wanted)
    assert json.loads(answer.output_text) == {"n": 1}


def response(identifier: str, text: str = "") -> dict[str, Any]:
    return {"id": identifier, "output": [{"id": f"msg_{identifier}", "text": text}]}


def test_the_store_is_bounded_in_size() -> None:
    store = ResponseStore(max_bytes=1000)
    for number in range(10):
        store.add(response(f"r{number}", "x" * 100), [], [])
    with pytest.raises(GatewayError):
        store.get("r0")
    assert store.get("r9").response["id"] == "r9"
    store.add(response("huge", "x" * 2000), [], [])
    with pytest.raises(GatewayError):
        store.get("huge")
    assert store.get("r9").response["id"] == "r9"


def test_the_store_is_bounded_in_age() -> None:
    now = [0.0]
    store = ResponseStore(clock=lambda: now[0])
    store.add(response("r"), [], [])
    now[0] = MAX_AGE - 1
    assert store.item("msg_r") is not None
    now[0] = MAX_AGE
    with pytest.raises(GatewayError):
        store.get("r")
    assert store.item("msg_r") is None
