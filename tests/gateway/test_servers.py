"""Models of OpenAI-compatible servers behind the gateway."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.compatible.openai_server import OpenAIServer, Reply, models
from tests.gateway.assistant import FILES, FINAL, tool_using_assistant
from tests.gateway.json_server import JsonServer
from tests.gateway.running import CHAT_TOOL, HI, MESSAGES_TOOL, RESPONSES_TOOL, Running, running_gateway

MODEL = "lab/qwen"


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(models("qwen", "other"), key="server-secret") as running:
        yield running


def configure(server: OpenAIServer, more: str = "") -> None:
    text = f"providers:\n  lab:\n    base_url: {server.base}\n    api_key: server-secret\n{more}"
    (Path.home() / ".aider.litellm.yml").write_text(text, encoding="utf-8")


@pytest.fixture
def gateway(server: OpenAIServer) -> Iterator[Running]:
    configure(server)
    with running_gateway() as running:
        yield running


def test_without_stackspots_credentials_only_the_servers_models_are_listed(gateway: Running) -> None:
    assert [model.id for model in gateway.openai().models.list()] == ["lab/qwen", "lab/other"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_chat_passes_with_all_its_fields(gateway: Running, server: OpenAIServer, stream: bool) -> None:
    body: dict[str, Any] = {
        "model": MODEL,
        "messages": [{"role": "user", "content": "hi", "own_of_the_message": 1}],
        "stream": stream,
        "temperature": 1.7,
        "logprobs": True,
        "n": 2,
        "repetition_penalty": 1.1,
        "chat_template_kwargs": {"enable_thinking": False},
        "tools": [CHAT_TOOL],
    }
    server.reply = Reply(choice={"logprobs": {"content": [{"token": "x"}]}}, message={"reasoning_content": "hm"})
    answer = gateway.post("/v1/chat/completions", body)
    assert answer.status_code == 200, answer.text
    [request] = server.chats
    assert request.json == {**body, "model": "qwen"}
    assert request.headers["authorization"] == "Bearer server-secret"
    assert "logprobs" in answer.text
    if stream:
        assert answer.text.endswith("data: [DONE]\n\n")
    else:
        assert answer.json()["choices"][0]["message"]["reasoning_content"] == "hm"


def test_a_name_that_is_not_listed_is_passed_on(gateway: Running, server: OpenAIServer) -> None:
    assert gateway.openai().chat.completions.create(model="lab/brand/new", messages=HI).choices
    assert server.chats[0].json["model"] == "brand/new"


@pytest.mark.parametrize(
    "field", ["api_base", "custom_llm_provider", "extra_headers", "headers", "base_url", "api_key"]
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/embeddings", "/v1/completions", "/v1/rerank"])
def test_what_would_lead_elsewhere_is_not_passed_on(
    gateway: Running, server: OpenAIServer, path: str, field: str
) -> None:
    body = {"model": MODEL, "messages": HI, "input": "x", "prompt": "x", "query": "x", field: "http://evil.example"}
    answer = gateway.post(path, body)
    assert answer.status_code == 400 and field in answer.json()["error"]["message"]
    assert server.chats == []


def test_no_header_of_a_clients_goes_to_a_server(gateway: Running, server: OpenAIServer) -> None:
    headers = {"Host": "evil.example", "OpenAI-Organization": "WORD77", "x-api-key": "WORD77"}
    assert gateway.post("/v1/chat/completions", {"model": MODEL, "messages": HI}, headers=headers).status_code == 200
    sent = server.chats[0].headers
    assert "WORD77" not in str(sent) and "evil" not in str(sent)


CALL = {"id": "c1", "type": "function", "function": {"name": "read_file", "arguments": '{"path": "a.py"}'}}
CALLING = Reply(deltas=[{"tool_calls": [{"index": 0, **CALL}]}], finish="tool_calls")


@pytest.mark.parametrize("stream", [False, True])
def test_messages_are_translated(gateway: Running, server: OpenAIServer, stream: bool) -> None:
    server.reply = CALLING
    given: Any = {"model": MODEL, "max_tokens": 50, "messages": HI, "tools": [MESSAGES_TOOL], "system": "S"}
    if stream:
        with gateway.anthropic().messages.stream(**given) as events:
            answer: Any = events.get_final_message()
    else:
        answer = gateway.anthropic().messages.create(**given)
    assert answer.stop_reason == "tool_use"
    assert (answer.content[0].name, answer.content[0].input) == ("read_file", {"path": "a.py"})
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (12, 5)
    sent = server.chats[0].json
    assert sent["messages"][0] == {"role": "system", "content": "S"}
    assert (sent["max_tokens"], sent["tools"][0]["function"]["name"]) == (50, "read_file")


@pytest.mark.parametrize("stream", [False, True])
def test_responses_are_translated(gateway: Running, server: OpenAIServer, stream: bool) -> None:
    server.reply = CALLING
    client = gateway.openai()
    given: Any = {"model": MODEL, "input": "hi", "tools": [RESPONSES_TOOL], "max_output_tokens": 50}
    if stream:
        with client.responses.stream(**given) as events:
            answer: Any = events.get_final_response()
    else:
        answer = client.responses.create(**given)
    [call] = answer.output
    assert (call.name, json.loads(call.arguments), call.call_id) == ("read_file", {"path": "a.py"}, "c1")
    assert answer.usage.input_tokens == 12
    assert server.chats[0].json["tools"][0]["type"] == "function"


LIMITED: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": HI, "max_tokens": 50},
    "/v1/messages": {"messages": HI, "max_tokens": 50},
    "/v1/responses": {"input": "hi", "max_output_tokens": 50},
}


def refusing(name: str) -> Callable[[Any], Reply]:
    """Return what answers like a server that does not take a field."""
    told = f"Unsupported parameter: '{name}' is not supported with this model."
    refusal = Reply(status=400, body={"error": {"message": told, "param": name, "code": "unsupported_parameter"}})
    return lambda request: refusal if name in request else Reply()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", LIMITED)
def test_a_server_that_wants_the_newer_name_of_the_limit_gets_it_and_is_asked_in_vain_once(
    gateway: Running, server: OpenAIServer, path: str, stream: bool
) -> None:
    server.reply = refusing("max_tokens")
    for _ in range(2):
        answer = gateway.post(path, {"model": MODEL, "stream": stream, **LIMITED[path]})
        assert answer.status_code == 200, answer.text
    limits = [(chat.json.get("max_tokens"), chat.json.get("max_completion_tokens")) for chat in server.chats]
    assert limits == [(50, None), (None, 50), (None, 50)]


def test_a_server_that_refuses_both_names_is_asked_twice_and_no_more(gateway: Running, server: OpenAIServer) -> None:
    server.reply = lambda request: refusing("max_tokens" if "max_tokens" in request else "max_completion_tokens")(
        request
    )
    answer = gateway.post("/v1/messages", {"model": MODEL, **LIMITED["/v1/messages"]})
    assert answer.status_code == 400 and "max_completion_tokens" in answer.text
    assert len(server.chats) == 2


def test_a_chats_limit_goes_under_the_only_name_that_a_kind_of_server_knows(server: OpenAIServer) -> None:
    text = f"providers:\n  ollama:\n    base_url: {server.base}\n    api_key: server-secret\n"
    (Path.home() / ".aider.litellm.yml").write_text(text, encoding="utf-8")
    with running_gateway() as gateway:
        body = {"model": "ollama/qwen", "messages": HI, "max_completion_tokens": 50}
        assert gateway.post("/v1/chat/completions", body).status_code == 200
    [chat] = server.chats
    assert chat.json == {"model": "qwen", "messages": HI, "max_tokens": 50}


LONG = "mcp__" + "a_server_with_a_very_long_name_" * 2
TOOLS_OF: dict[str, Callable[..., list[Any]]] = {
    "/v1/responses": lambda *names: [
        {"type": "namespace", "name": LONG, "tools": [{**RESPONSES_TOOL, "name": name} for name in names]}
    ],
    "/v1/messages": lambda *names: [{**MESSAGES_TOOL, "name": f"{LONG}__{name}"} for name in names],
}


def sends(path: str, *names: str, history: Any = ()) -> dict[str, Any]:
    """Return a request with tools of long names, and calls of them in its history."""
    more = {"input": [*HI, *history]} if path == "/v1/responses" else {"messages": [*HI, *history], "max_tokens": 9}
    return {"model": MODEL, "tools": TOOLS_OF[path](*names), **more}


@pytest.mark.parametrize("path", TOOLS_OF)
def test_long_names_of_tools_go_to_a_server_in_another_form_and_come_back(
    gateway: Running, server: OpenAIServer, path: str
) -> None:
    def calling_the_last(request: Any) -> Reply:
        function = {"name": request["tools"][-1]["function"]["name"], "arguments": "{}"}
        return Reply(deltas=[{"tool_calls": [{"index": 0, **CALL, "function": function}]}], finish="tool_calls")

    server.reply = calling_the_last
    answer = gateway.post(path, sends(path, "look_it_up", "look_it_down")).json()
    if path == "/v1/responses":
        [item] = answer["output"]
        assert (item["namespace"], item["name"]) == (LONG, "look_it_down")
        history = [item, {"type": "function_call_output", "call_id": item["call_id"], "output": "x"}]
    else:
        [item] = answer["content"]
        assert item["name"] == f"{LONG}__look_it_down"
        result = {"type": "tool_result", "tool_use_id": item["id"], "content": "x"}
        history = [{"role": "assistant", "content": [item]}, {"role": "user", "content": [result]}]
    assert gateway.post(path, sends(path, "look_it_down", "read_file", history=history)).status_code == 200
    first, second = ([tool["function"]["name"] for tool in chat.json["tools"]] for chat in server.chats)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in [*first, *second])
    assert len({*first, *second}) == 3 and first[1] == second[0]
    assert server.chats[1].json["messages"][1]["tool_calls"][0]["function"]["name"] == first[1]


@pytest.mark.parametrize("name", ["read.file", "lê_arquivo", "read file"])
def test_signs_that_openais_names_do_not_have_are_replaced(gateway: Running, server: OpenAIServer, name: str) -> None:
    body = {"model": MODEL, "max_tokens": 9, "messages": HI, "tools": [{**MESSAGES_TOOL, "name": name}, MESSAGES_TOOL]}
    assert gateway.post("/v1/messages", body).status_code == 200
    changed, kept = (tool["function"]["name"] for tool in server.chats[0].json["tools"])
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", changed) and kept == "read_file"


def test_pictures_reach_a_server(gateway: Running, server: OpenAIServer) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
    messages = [{"role": "user", "content": [{"type": "image", "source": source}]}]
    assert gateway.post("/v1/messages", {"model": MODEL, "max_tokens": 9, "messages": messages}).status_code == 200
    part = server.chats[0].json["messages"][0]["content"][0]
    assert part == {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def test_thoughts_are_shown_where_they_are_wanted(gateway: Running, server: OpenAIServer) -> None:
    server.reply = Reply(deltas=[{"reasoning_content": "hm"}, "Hello"])
    body = {"model": MODEL, "max_tokens": 9, "messages": HI}
    plain = gateway.post("/v1/messages", body).json()["content"]
    assert [block["type"] for block in plain] == ["text"]
    shown = gateway.post("/v1/messages", {**body, "thinking": {"type": "enabled", "budget_tokens": 1024}}).json()
    assert [block["type"] for block in shown["content"]] == ["thinking", "text"]


def test_arguments_that_are_no_object_are_no_call(gateway: Running, server: OpenAIServer) -> None:
    function = {"name": "read_file", "arguments": '{"path": '}
    server.reply = Reply(deltas=[{"tool_calls": [{"index": 0, **CALL, "function": function}]}], finish="tool_calls")
    body = {"model": MODEL, "max_tokens": 9, "messages": HI, "tools": [MESSAGES_TOOL]}
    answer = gateway.post("/v1/messages", body)
    assert answer.status_code == 502 and "tool call" in answer.text


def test_a_servers_refusal_of_the_key_is_not_the_clients_fault(gateway: Running, server: OpenAIServer) -> None:
    server.reply = Reply(status=401, body={"error": {"message": "bad key server-secret"}})
    with pytest.raises(openai.InternalServerError) as caught:
        gateway.openai().chat.completions.create(model=MODEL, messages=HI)
    assert caught.value.status_code == 502
    assert "server-secret" not in str(caught.value) and "bad key" not in str(caught.value)


def test_a_cut_stream_of_a_servers_is_an_error(gateway: Running, server: OpenAIServer) -> None:
    server.reply = Reply(finish=None, done=False)
    with pytest.raises(openai.APIError):
        list(gateway.openai().chat.completions.create(model=MODEL, messages=HI, stream=True))


PAGES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("/v1/embeddings", {"input": "x"}, {"object": "list", "data": [{"embedding": [0.1], "index": 0}]}),
    ("/v1/rerank", {"query": "q", "documents": ["d"]}, {"results": [{"index": 0, "relevance_score": 0.9}]}),
    ("/v1/completions", {"prompt": "x"}, {"choices": [{"index": 0, "text": "y", "finish_reason": "stop"}]}),
]


@pytest.mark.parametrize(("path", "body", "answer"), PAGES, ids=[path for path, _, _ in PAGES])
def test_other_endpoints_are_passed_on(path: str, body: dict[str, Any], answer: dict[str, Any]) -> None:
    with JsonServer(answer) as server:
        text = f"providers:\n  lab:\n    base_url: {server.url}/v1\n"
        (Path.home() / ".aider.litellm.yml").write_text(text, encoding="utf-8")
        with running_gateway() as gateway:
            given = gateway.post(path, {"model": "lab/m", **body})
    assert given.status_code == 200
    assert given.json() == answer
    assert server.seen == [(path, {"model": "m", **body})]


@pytest.mark.parametrize("path", ["/v1/embeddings", "/v1/rerank", "/v1/completions"])
def test_stackspot_has_none_of_them(gateway: Running, path: str) -> None:
    answer = gateway.post(path, {"model": "stackspot-ai-code", "input": "x", "prompt": "x"})
    assert answer.status_code == 400 and "StackSpot has no" in answer.text


def prompting(server: OpenAIServer) -> None:
    configure(server, "    models:\n      qwen: {tools: prompt}\n")
    server.reply = lambda request: Reply(deltas=list(tool_using_assistant(request["messages"][-1]["content"])))


def test_a_server_without_tools_reads_of_them_in_its_prompt(server: OpenAIServer) -> None:
    prompting(server)
    with running_gateway() as gateway:
        client = gateway.openai()
        history: list[Any] = [{"role": "user", "content": "What do a.py and b.py say?"}]
        choice = client.chat.completions.create(model=MODEL, messages=history, tools=[CHAT_TOOL]).choices[0]
        history.append(choice.message.to_dict())
        for call in choice.message.tool_calls or ():
            arguments = json.loads(call.function.arguments)  # type: ignore[union-attr]
            history.append({"role": "tool", "tool_call_id": call.id, "content": FILES[arguments["path"]]})
        final = client.chat.completions.create(model=MODEL, messages=history, tools=[CHAT_TOOL]).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert final.message.content == FINAL
    assert all("tools" not in request.json for request in server.chats)


def test_a_chat_that_needs_no_tools_passes_to_it_with_all_its_fields(server: OpenAIServer) -> None:
    prompting(server)
    server.reply = Reply()
    own = {"min_p": 0.1, "n": 1, "logit_bias": {"5": 1}, "seed": 7}
    with running_gateway() as gateway:
        assert gateway.post("/v1/chat/completions", {"model": MODEL, "messages": HI, **own}).status_code == 200
    assert own.items() <= server.chats[0].json.items()


@pytest.mark.parametrize("told", ["eos", "tool_calls", "stop"])
def test_it_ends_with_calls_where_there_are_some_and_only_there(server: OpenAIServer, told: str) -> None:
    prompting(server)
    reasons = []
    with running_gateway() as gateway:
        for deltas in (list(tool_using_assistant("go")), ["No call."]):
            server.reply = Reply(deltas=deltas, finish=told)
            body = {"model": MODEL, "messages": HI, "tools": [CHAT_TOOL]}
            reasons.append(gateway.post("/v1/chat/completions", body).json()["choices"][0]["finish_reason"])
    assert reasons == ["tool_calls", "stop"]


def test_a_call_that_a_server_makes_unasked_is_not_dropped_in_silence(server: OpenAIServer) -> None:
    prompting(server)
    own = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "read_file", "arguments": "{}"}}
    server.reply = Reply(deltas=["I look.", {"tool_calls": [own]}], finish="tool_calls")
    body = {"model": MODEL, "messages": HI, "tools": [CHAT_TOOL]}
    with running_gateway() as gateway:
        answer = gateway.post("/v1/chat/completions", body)
    assert answer.status_code == 502, answer.text
    assert "`tools: prompt`" in answer.json()["error"]["message"]


WITHOUT_SECRET = "    token_url: https://login.example/token\n    client_id: me\n    client_secret: ${NOT_SET}\n"
REQUESTS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": HI},
    "/v1/messages": {"messages": HI, "max_tokens": 5},
    "/v1/responses": {"input": "hi"},
    "/v1/embeddings": {"input": "hi"},
}


@pytest.mark.parametrize("tools", ["true", "prompt"])
@pytest.mark.parametrize("path", REQUESTS)
def test_credentials_that_the_gateway_lacks_are_for_its_log(
    path: str, tools: str, caplog: pytest.LogCaptureFixture
) -> None:
    models = f"    models: {{qwen: {{tools: {tools}}}}}\n"
    text = f"providers:\n  lab:\n    base_url: http://127.0.0.1:9/v1\n{WITHOUT_SECRET}{models}"
    (Path.home() / ".aider.litellm.yml").write_text(text, encoding="utf-8")
    with running_gateway() as gateway:
        answer = gateway.post(path, {"model": MODEL, **REQUESTS[path]})
    assert answer.status_code == 502, answer.text
    assert "its log" in answer.text
    assert "NOT_SET" not in answer.text
    assert "NOT_SET is not set" in caplog.text


@pytest.mark.parametrize("demand", [{}, {"tools": [CHAT_TOOL]}])
def test_a_server_that_reads_of_tools_in_its_prompt_gets_the_other_fields_too(
    server: OpenAIServer, demand: dict[str, Any]
) -> None:
    configure(server, "    models: {qwen: {tools: prompt}}\n")
    tuned = {"max_tokens": 77, "top_p": 0.4, "seed": 3}
    with running_gateway() as gateway:
        answer = gateway.post("/v1/chat/completions", {"model": MODEL, "messages": HI, **tuned, **demand})
    assert answer.status_code == 200, answer.text
    [request] = server.chats
    assert {name: request.json.get(name) for name in tuned} == tuned
    assert "tools" not in request.json


def test_a_model_named_like_a_servers_is_listed_with_its_account_in_front(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACKSPOTAI_CLIENT_ID", "me")
    monkeypatch.setenv("STACKSPOTAI_CLIENT_KEY", "key")
    configure(server, "  stackspot:\n    models: {lab/qwen: {}}\n")
    with running_gateway() as gateway:
        listed = [model.id for model in gateway.openai().models.list()]
    assert "stackspot/lab/qwen" in listed
    assert listed.count("lab/qwen") == 1
