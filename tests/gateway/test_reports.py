"""What people have reported of gateways like this one: the requests of agent programs, and what these need back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from aider_stackspot.emulator import Emulator
from aider_stackspot.gateway import thoughts
from tests.compatible.openai_server import OpenAIServer, Reply, models
from tests.gateway.running import HI, MESSAGES_TOOL, MODEL, RESPONSES_TOOL, Running, events_of, running_gateway
from tests.gateway.test_servers import CALL, configure

LAB = "lab/qwen"
SCHEMA = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
FIND_WORD = {"type": "function", "name": "find_word", "description": "Find.", "parameters": SCHEMA, "strict": False}
NAMESPACE = {"type": "namespace", "name": "mcp__lookup", "description": "Words of BOOK77.", "tools": [FIND_WORD]}
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: PATCH77"}
APPLY_PATCH = {"type": "custom", "name": "apply_patch", "description": "Change files.", "format": GRAMMAR}
PATCH = '*** Begin Patch\n+ "x"\n*** End Patch'


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(models("qwen"), key="server-secret") as running:
        configure(running)
        yield running


@pytest.fixture
def lab(server: OpenAIServer) -> Iterator[Running]:
    with running_gateway() as running:
        yield running


def call_text(name: str, arguments: Any) -> str:
    return f"<stk:tool_call>\n{json.dumps({'name': name, 'arguments': arguments})}\n</stk:tool_call>\n"


def prompt_of(emulator: Emulator) -> str:
    return str(emulator.chat_requests[-1].json["user_prompt"])


# Codex: tools that are no plain functions. Programs that get no call of theirs back wait, or say "unsupported call".

USER = {"role": "user", "content": "go"}
OFFERS: dict[str, dict[str, Any]] = {
    "as tools": {"tools": [NAMESPACE], "input": [USER]},
    "in the input": {"input": [{"type": "additional_tools", "role": "developer", "tools": [NAMESPACE]}, USER]},
    "twice": {"input": 2 * [{"type": "additional_tools", "role": "developer", "tools": [NAMESPACE]}, USER]},
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)
def test_a_call_goes_back_with_its_namespace(
    gateway: Running, emulator: Emulator, offer: dict[str, Any], stream: bool
) -> None:
    emulator.answer = call_text("mcp__lookup__find_word", {"word": "blue"})
    call = output_of(gateway, {"model": MODEL, **offer}, stream)[-1]
    assert (call["type"], call["namespace"], call["name"]) == ("function_call", "mcp__lookup", "find_word")
    assert json.loads(call["arguments"]) == {"word": "blue"}
    assert "BOOK77" in prompt_of(emulator)
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "WORD77"}
    emulator.answer = "Found."
    output_of(gateway, {"model": MODEL, "tools": [NAMESPACE], "input": [USER, call, result]}, stream)
    assert '"name":"mcp__lookup__find_word"' in prompt_of(emulator) and "WORD77" in prompt_of(emulator)


def output_of(gateway: Running, body: dict[str, Any], stream: bool) -> list[dict[str, Any]]:
    """The items of an answer; of a stream, those that its events complete, as Codex reads them."""
    answer = gateway.post("/v1/responses", {**body, "stream": stream})
    assert answer.status_code == 200, answer.text
    if not stream:
        return list(answer.json()["output"])
    events = [json.loads(data) for _, data in events_of(answer.text)]
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert events[-1]["type"] == "response.completed" and events[-1]["response"]["output"] == done
    return done


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("choice", ["auto", {"type": "custom", "name": "apply_patch"}])
def test_a_tool_of_plain_text_is_called_with_plain_text(
    gateway: Running, emulator: Emulator, choice: Any, stream: bool
) -> None:
    emulator.answer = call_text("apply_patch", {"input": PATCH})
    body = {"model": MODEL, "input": [USER], "tools": [APPLY_PATCH], "tool_choice": choice}
    call = output_of(gateway, body, stream)[-1]
    assert (call["type"], call["name"], call["input"]) == ("custom_tool_call", "apply_patch", PATCH)
    assert "PATCH77" in prompt_of(emulator)
    result = {"type": "custom_tool_call_output", "call_id": call["call_id"], "output": "WORD77"}
    output_of(gateway, {**body, "tool_choice": "auto", "input": [USER, call, result]}, stream)
    assert "*** Begin Patch" in prompt_of(emulator) and "WORD77" in prompt_of(emulator)


SEARCH = {
    "type": "tool_search",
    "execution": "client",
    "description": "Finds tools of SHELF77.",
    "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("choice", ["auto", {"type": "tool_search"}])
def test_tools_that_a_program_holds_back_are_found_by_its_own_search(
    gateway: Running, emulator: Emulator, choice: Any, stream: bool
) -> None:
    emulator.answer = call_text("tool_search", {"query": "words"})
    body = {"model": MODEL, "tools": [SEARCH], "tool_choice": choice, "input": [USER]}
    search = output_of(gateway, body, stream)[-1]
    assert (search["type"], search["execution"], search["arguments"]) == (
        "tool_search_call",
        "client",
        {"query": "words"},
    )
    assert "SHELF77" in prompt_of(emulator)
    found = {"type": "tool_search_output", "call_id": search["call_id"], "status": "completed", "execution": "client"}
    emulator.answer = call_text("mcp__lookup__find_word", {"word": "blue"})
    items = [USER, search, {**found, "tools": [{**NAMESPACE, "tools": [{**FIND_WORD, "defer_loading": True}]}]}]
    call = output_of(gateway, {**body, "tool_choice": "auto", "input": items}, stream)[-1]
    assert (call["type"], call["namespace"], call["name"]) == ("function_call", "mcp__lookup", "find_word")
    assert "BOOK77" in prompt_of(emulator)
    assert 'These tools were found and can be called: "mcp__lookup__find_word".' in prompt_of(emulator)


def test_a_search_at_the_vendor_is_left_out_as_all_tools_are_offered(gateway: Running, emulator: Emulator) -> None:
    tools = [{"type": "tool_search"}, {**NAMESPACE, "tools": [{**FIND_WORD, "defer_loading": True}]}]
    output_of(gateway, {"model": MODEL, "tools": tools, "input": [USER]}, stream=False)
    assert "tool_search" not in prompt_of(emulator) and "mcp__lookup__find_word" in prompt_of(emulator)


def test_openais_library_knows_the_event_of_a_search(gateway: Running, emulator: Emulator) -> None:
    emulator.answer = call_text("tool_search", {"query": "words"})
    tools: Any = [SEARCH]
    with gateway.openai().responses.stream(model=MODEL, input="x", tools=tools) as events:
        answer = events.get_final_response()
    assert [item.type for item in answer.output] == ["tool_search_call"]


def test_openais_library_knows_the_events_of_a_call_with_plain_text(gateway: Running, emulator: Emulator) -> None:
    emulator.answer = call_text("apply_patch", {"input": PATCH})
    tools: Any = [APPLY_PATCH]
    with gateway.openai().responses.stream(model=MODEL, input="x", tools=tools) as events:
        seen = {event.type: event for event in events}
    assert getattr(seen["response.custom_tool_call_input.done"], "input", "") == PATCH


UNKNOWN: dict[str, tuple[str, dict[str, Any]]] = {
    "a tool of plain text in a chat": (
        "/v1/chat/completions",
        {"messages": HI, "tools": [{"type": "custom", "custom": {"name": "patch"}}]},
    ),
    "a tool that Anthropic's models know by heart": (
        "/v1/messages",
        {"messages": HI, "max_tokens": 9, "tools": [{"type": "bash_20250124", "name": "bash"}]},
    ),
    "a tool without a name in a namespace": (
        "/v1/responses",
        {"input": "x", "tools": [{**NAMESPACE, "tools": [{"type": "function"}]}]},
    ),
}


@pytest.mark.parametrize(("path", "body"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_clients_own_tool_is_not_left_out(
    gateway: Running, emulator: Emulator, path: str, body: dict[str, Any]
) -> None:
    answer = gateway.post(path, {"model": MODEL, **body})
    assert answer.status_code == 400 and "tools[0]" in answer.text
    assert emulator.chat_requests == []


# Claude Code: a session that has used a block once sends it with every request; refused, it is lost.


def result(*content: Any) -> list[Any]:
    used = {"type": "tool_use", "id": "t1", "name": "read_file", "input": {"path": "x"}}
    results = [{"type": "tool_result", "tool_use_id": "t1", "content": list(content)}]
    return [*HI, {"role": "assistant", "content": [used]}, {"role": "user", "content": results}]


def test_a_tool_that_a_search_has_found_can_be_called(gateway: Running, emulator: Emulator) -> None:
    messages = result({"type": "tool_reference", "tool_name": "read_file"})
    body = {"model": MODEL, "max_tokens": 9, "tools": [{**MESSAGES_TOOL, "defer_loading": True}], "messages": messages}
    assert gateway.post("/v1/messages", body).status_code == 200
    assert 'The tool "read_file" can be called.' in prompt_of(emulator)


BLOCKS = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]


def test_servers_get_text_as_text(lab: Running, server: OpenAIServer) -> None:
    """Chat templates that know no lists of parts are many."""
    messages = [{"role": "user", "content": BLOCKS}, {"role": "assistant", "content": BLOCKS}, *result(*BLOCKS)[1:]]
    body = {"model": LAB, "max_tokens": 9, "system": BLOCKS, "messages": messages}
    assert lab.post("/v1/messages", body).status_code == 200
    sent = [(message["role"], message["content"]) for message in server.chats[0].json["messages"]]
    both = "one\n\ntwo"
    assert sent == [("system", both), ("user", both), ("assistant", "onetwo"), ("assistant", None), ("tool", both)]


PNG = "iVBORw0KGgo="
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
PICTURE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}


@pytest.mark.parametrize(
    ("more", "users"),
    [([], 2), ([{"role": "user", "content": "And?"}], 2), ([{"role": "assistant", "content": "a"}, *HI], 3)],
)
def test_a_picture_that_a_tool_has_brought_is_seen(
    lab: Running, server: OpenAIServer, more: list[Any], users: int
) -> None:
    """OpenAI's API takes pictures from users only; others drop them where a tool brings them, and models make it up."""
    messages = [*result({"type": "text", "text": "read"}, IMAGE), *more]
    assert lab.post("/v1/messages", {"model": LAB, "max_tokens": 9, "messages": messages}).status_code == 200
    tool, user = server.chats[0].json["messages"][2:4]
    assert (tool["role"], tool["content"], user["role"], user["content"][1]) == ("tool", "read", "user", PICTURE)
    roles = [message["role"] for message in server.chats[0].json["messages"]]
    assert roles.count("user") == users


# A last message of the model's: what Messages would have to go on with, and the others answer.

SAID = {"role": "assistant", "content": "Here is the JSON: {"}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("last", [SAID, result()[-2]], ids=["text", "a call"])
def test_messages_that_would_have_to_be_gone_on_with_are_refused_in_claudes_words(
    gateway: Running, emulator: Emulator, last: Any, stream: bool
) -> None:
    answer = gateway.post("/v1/messages", {"model": MODEL, "max_tokens": 9, "messages": [*HI, last], "stream": stream})
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert "does not support assistant message prefill. The conversation must end with a user message." in answer.text
    assert emulator.chat_requests == []


def test_so_they_are_for_a_server(lab: Running, server: OpenAIServer) -> None:
    assert lab.post("/v1/messages", {"model": LAB, "max_tokens": 9, "messages": [*HI, SAID]}).status_code == 400
    assert server.chats == []


def test_their_tokens_can_be_counted(gateway: Running) -> None:
    assert gateway.post("/v1/messages/count_tokens", {"model": MODEL, "messages": [*HI, SAID]}).status_code == 200


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses"])
def test_openais_protocols_answer_a_last_message_of_the_models(gateway: Running, emulator: Emulator, path: str) -> None:
    body = {"input" if path == "/v1/responses" else "messages": [*HI, SAID]}
    assert gateway.post(path, {"model": MODEL, **body}).status_code == 200
    assert prompt_of(emulator).endswith(
        '<stackspot-message role="assistant">\nHere is the JSON: {\n</stackspot-message>\n'
    )


@pytest.mark.parametrize(
    "field", [{"prefix": True}, {"partial": True}], ids=["Mistral's and DeepSeek's word", "Moonshot's and Qwen's word"]
)
def test_a_chat_that_says_it_is_to_be_gone_on_with_is_refused_by_name(
    gateway: Running, emulator: Emulator, field: dict[str, bool]
) -> None:
    answer = gateway.post("/v1/chat/completions", {"model": MODEL, "messages": [*HI, {**SAID, **field}]})
    assert answer.status_code == 400 and f"messages[1].{next(iter(field))}" in answer.json()["error"]["message"]
    assert emulator.chat_requests == []


def test_a_picture_that_a_call_has_brought_is_seen(lab: Running, server: OpenAIServer) -> None:
    call = {"type": "function_call", "call_id": "c1", "name": "view_image", "arguments": "{}"}
    output = [{"type": "input_image", "image_url": PICTURE["image_url"]["url"]}]  # type: ignore[index]
    items = [USER, call, {"type": "function_call_output", "call_id": "c1", "output": output}]
    assert lab.post("/v1/responses", {"model": LAB, "input": items}).status_code == 200
    assert server.chats[0].json["messages"][-1]["content"][1]["type"] == "image_url"


# The reason why an answer ended: programs make the calls of one that says so, and no other's.


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("finish", ["stop", "function_call", "tool_use", "eos"])
@pytest.mark.parametrize("calls", [True, False])
def test_an_answer_ends_for_tools_where_it_has_calls(
    lab: Running, server: OpenAIServer, calls: bool, finish: str, stream: bool
) -> None:
    server.reply = Reply(deltas=["Hm", {"tool_calls": [{"index": 0, **CALL}]}] if calls else ["Hm"], finish=finish)
    body = {"model": LAB, "max_tokens": 9, "messages": HI, "tools": [MESSAGES_TOOL], "stream": stream}
    answer = lab.post("/v1/messages", body).text
    assert ('"stop_reason": "tool_use"' in answer) is calls
    assert ('"stop_reason": "end_turn"' in answer) is not calls


def test_an_answer_that_was_cut_stays_cut(lab: Running, server: OpenAIServer) -> None:
    server.reply = Reply(deltas=[{"tool_calls": [{"index": 0, **CALL}]}], finish="length")
    body = {"model": LAB, "max_tokens": 9, "messages": HI, "tools": [MESSAGES_TOOL]}
    assert lab.post("/v1/messages", body).json()["stop_reason"] == "max_tokens"


def test_calls_that_a_server_gives_one_number_are_two(lab: Running, server: OpenAIServer) -> None:
    """Each whole, each with the index 0; put together they would be no JSON."""
    deltas: list[Any] = [{"tool_calls": [{**CALL, "index": 0, "id": name}]} for name in ("c1", "c2")]
    server.reply = Reply(deltas=deltas, finish="stop")
    body = {"model": LAB, "input": "x", "tools": [RESPONSES_TOOL], "stream": True}
    assert [item["call_id"] for item in output_of(lab, body, stream=True)] == ["c1", "c2"]


# Servers whose models think between calls refuse the next request where the thoughts are missing.

THINKING = {"type": "adaptive"}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_a_server_gets_its_models_thoughts_back(lab: Running, server: OpenAIServer, field: str, stream: bool) -> None:
    server.reply = Reply(deltas=[{field: "h"}, {field: "m"}, {"tool_calls": [{"index": 0, **CALL}]}])
    given: Any = {"model": LAB, "max_tokens": 9, "tools": [MESSAGES_TOOL], "thinking": THINKING}
    client = lab.anthropic()
    if stream:
        with client.messages.stream(messages=HI, **given) as events:
            answer: Any = events.get_final_message()
    else:
        answer = client.messages.create(messages=HI, **given)
    blocks = [block.to_dict() for block in answer.content]
    assert [block["type"] for block in blocks] == ["thinking", "tool_use"]
    results: Any = [{"type": "tool_result", "tool_use_id": blocks[1]["id"], "content": "x"}]
    history: Any = [*HI, {"role": "assistant", "content": blocks}, {"role": "user", "content": results}]
    client.messages.create(messages=history, **given)
    assert server.chats[1].json["messages"][1][field] == "hm"


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("stream", [False, True])
def test_a_server_gets_the_thoughts_of_a_response_back(
    lab: Running, server: OpenAIServer, stream: bool, kept: bool
) -> None:
    server.reply = Reply(deltas=[{"reasoning": "h"}, {"reasoning": "m"}, "I look.", {"tool_calls": [CALL]}])
    body: Any = {"model": LAB, "tools": [RESPONSES_TOOL], "store": kept}
    client = lab.openai()
    if stream:
        with client.responses.stream(input="go", **body) as events:
            answer: Any = events.get_final_response()
    else:
        answer = client.responses.create(input="go", **body)
    items = [item.to_dict() for item in answer.output]
    assert [item["type"] for item in items] == ["reasoning", "message", "function_call"]
    assert items[0]["content"] == [{"type": "reasoning_text", "text": "hm"}]
    go: Any = [USER]
    del items[0]["content"]  # Codex sends it without
    result: Any = {"type": "function_call_output", "call_id": "c1", "output": "x"}
    if kept:
        client.responses.create(input=[result], previous_response_id=answer.id, **body)
    else:
        client.responses.create(input=[*go, *items, result], **body)
    message = server.chats[1].json["messages"][1]
    assert (message["content"], message["reasoning"], message["tool_calls"][0]["id"]) == ("I look.", "hm", "c1")


BETWEEN = [("reasoning", "a"), ("call", "c1"), ("reasoning", "b"), ("call", "c2")]


@pytest.mark.parametrize("protocol", ["messages", "responses"])
def test_thoughts_between_calls_stay_together(lab: Running, server: OpenAIServer, protocol: str) -> None:
    if protocol == "messages":
        kinds: dict[str, Any] = {
            "reasoning": lambda text: {"type": "thinking", "thinking": text, "signature": "reasoning_content"},
            "call": lambda id_: {"type": "tool_use", "id": id_, "name": "read_file", "input": {}},
        }
        turn = {"role": "assistant", "content": [kinds[kind](text) for kind, text in BETWEEN]}
        results = [{"type": "tool_result", "tool_use_id": id_, "content": "x"} for id_ in ("c1", "c2")]
        body: Any = {"max_tokens": 9, "messages": [*HI, turn, {"role": "user", "content": results}]}
    else:
        kinds = {
            "reasoning": lambda text: {
                "type": "reasoning",
                "summary": [],
                "encrypted_content": thoughts.sealed("reasoning_content", text),
            },
            "call": lambda id_: {"type": "function_call", "call_id": id_, "name": "read_file", "arguments": "{}"},
        }
        results = [{"type": "function_call_output", "call_id": id_, "output": "x"} for id_ in ("c1", "c2")]
        body = {"input": [USER, *(kinds[kind](text) for kind, text in BETWEEN), *results]}
    assert lab.post(f"/v1/{protocol}", {"model": LAB, **body}).status_code == 200
    message = server.chats[0].json["messages"][1]
    assert (message["reasoning_content"], [call["id"] for call in message["tool_calls"]]) == ("ab", ["c1", "c2"])


def test_what_another_services_model_thought_is_not_passed_on(lab: Running, server: OpenAIServer) -> None:
    """Servers that know no such field refuse it."""
    thought = {"type": "thinking", "thinking": "hm", "signature": "EqQBCgIYAhIM"}
    history = [*HI, {"role": "assistant", "content": [thought, {"type": "text", "text": "a"}]}, *HI]
    assert lab.post("/v1/messages", {"model": LAB, "max_tokens": 9, "messages": history}).status_code == 200
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAABo"}
    items = [USER, reasoning, {"role": "assistant", "content": "a"}, USER]
    assert lab.post("/v1/responses", {"model": LAB, "input": items}).status_code == 200
    for request in server.chats:
        assert request.json["messages"][1] == {"role": "assistant", "content": "a"}


# What every program looks for in a whole answer. Claude Code calls one without it empty or malformed.


@pytest.mark.parametrize("text", ["", " ", "Hello"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_message_is_whole_or_an_error(gateway: Running, emulator: Emulator, stream: bool, text: str) -> None:
    emulator.answer = text
    answer = gateway.post("/v1/messages", {"model": MODEL, "max_tokens": 9, "messages": HI, "stream": stream})
    if answer.status_code != 200:
        assert text == "" and answer.json()["error"]["type"] == "api_error"
        return
    if not stream:
        message = answer.json()
        assert message["content"] and message["stop_reason"] and message["usage"]["input_tokens"] > 0
        return
    events = [json.loads(data) for _, data in events_of(answer.text)]
    start, last = events[0]["message"], events[-2]
    assert start["usage"]["input_tokens"] > 0 and start["content"] == []
    assert last["delta"]["stop_reason"] == "end_turn" and last["usage"]["input_tokens"] > 0
    assert events[-1] == {"type": "message_stop"}


def test_what_tools_have_brought_counts(gateway: Running) -> None:
    """Programs shorten a conversation in time only if all of it is counted."""
    few, many = (
        gateway.post("/v1/messages/count_tokens", {"model": MODEL, "messages": result({"type": "text", "text": text})})
        for text in ("x", "x" * 8000)
    )
    assert many.json()["input_tokens"] - few.json()["input_tokens"] > 1900


BASES = {
    "/v1/v1/messages": "Take `/v1` out of the base URL",
    "/v1/v1/messages/count_tokens": "Take `/v1` out of the base URL",
    "/chat/completions": "should end in `/v1`",
    "/responses": "should end in `/v1`",
}


@pytest.mark.parametrize(("path", "advice"), BASES.items(), ids=BASES)
def test_a_base_url_with_a_wrong_end_is_known(gateway: Running, path: str, advice: str) -> None:
    """Some programs want it with `/v1`, some without, and say of a 404 that there is no such model."""
    answer = gateway.post(path, {"model": MODEL, "messages": HI})
    assert answer.status_code == 404 and advice in answer.json()["error"]["message"]


def test_there_is_no_advice_where_nothing_is_known(gateway: Running) -> None:
    assert gateway.post("/v1/batches", {}).json()["error"]["message"] == "This gateway does not serve /v1/batches."
