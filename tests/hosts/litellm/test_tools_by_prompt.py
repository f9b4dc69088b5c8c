"""Tools and JSON of servers that know neither, through LiteLLM: sync and async, streaming and not, over sockets."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import litellm
import pytest

from tests.compatible.openai_server import OpenAIServer, Reply
from tests.gateway.assistant import CHAT_TOOL, FILES, FINAL, tool_using_assistant
from tests.hosts.litellm.server_fixtures import HI, MODEL, Ask, async_stream, raised, sync_stream
from tests.tools.tool_samples import TOOLS, block, call

pytest_plugins = ["tests.hosts.litellm.server_fixtures"]
pytestmark = [
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings"),
    pytest.mark.filterwarnings("ignore:coroutine 'Logging.async_success_handler'"),
]

PROMPT = "    models: {qwen2.5-coder-7b: {tools: prompt}}\n"


@pytest.fixture
def prompting(configured: Callable[..., None], server: OpenAIServer) -> OpenAIServer:
    configured(more=PROMPT)
    return server


def calls(answer: Any) -> list[tuple[str, Any]]:
    found = answer.choices[0].message.tool_calls or []
    assert len({one.id for one in found}) == len(found), "each call has an id of its own"
    return [(one.function.name, json.loads(one.function.arguments)) for one in found]


def reason(answer: Any) -> Any:
    return answer.choices[0].finish_reason


def prompt_of(server: OpenAIServer) -> str:
    [message] = server.chats[-1].json["messages"]
    assert message["role"] == "user"
    return str(message["content"])


def test_text_and_parallel_calls(prompting: OpenAIServer, ask: Ask) -> None:
    prompting.reply = Reply(list("I look.\n" + call("a.py") + "\n" + call("b.py")))
    answer = ask(tools=TOOLS, temperature=0.3)
    assert answer.choices[0].message.content.rstrip() == "I look."
    assert calls(answer) == [("read_file", {"path": "a.py"}), ("read_file", {"path": "b.py"})]
    assert reason(answer) == "tool_calls"
    sent = prompting.chats[0].json
    assert "tools" not in sent and sent["temperature"] == 0.3
    assert '"name":"read_file"' in prompt_of(prompting).replace(": ", ":")


def test_results_go_back_and_the_answer_comes(prompting: OpenAIServer, ask: Ask) -> None:
    prompting.reply = lambda request: Reply(list(tool_using_assistant(request["messages"][-1]["content"])))
    history: list[Any] = [{"role": "user", "content": "What do a.py and b.py say?"}]
    first = ask(messages=history, tools=[CHAT_TOOL]).choices[0].message
    history.append(first)
    for one in first.tool_calls:
        path = json.loads(one.function.arguments)["path"]
        history.append({"role": "tool", "tool_call_id": one.id, "content": FILES[path]})
    final = ask(messages=history, tools=[CHAT_TOOL])
    assert (final.choices[0].message.content, reason(final)) == (FINAL, "stop")
    assert ask(messages=history).choices[0].message.content == FINAL, "a history with tools needs no `tools`"


@pytest.mark.parametrize("name", ["scalytics", "Scalytics-Connect"])
def test_a_kind_of_server_without_tools_needs_no_setting(
    server: OpenAIServer, ask: Ask, configured: Callable[..., None], name: str
) -> None:
    configured(name=name, more="    models: {'1': {}}\n")
    server.reply = Reply([call()])
    answer = ask(model=f"{name}/1", tools=TOOLS, parallel_tool_calls=True, tool_choice="auto")
    assert calls(answer) == [("read_file", {"path": "a.py"})]
    assert server.chats[0].json.keys() <= {"model", "messages", "stream", "stream_options"}


OWN = {"id": "call_own", "type": "function", "function": {"name": "echo", "arguments": '{"text": "hi"}'}}


@pytest.mark.parametrize("own_first", [True, False])
def test_a_servers_own_calls_stay_beside_those_in_its_text(prompting: OpenAIServer, ask: Ask, own_first: bool) -> None:
    own: dict[str, Any] = {"tool_calls": [{"index": 0, **OWN}]}
    deltas: list[Any] = [own, call("a.py"), call("b.py")] if own_first else [call("a.py"), call("b.py"), own]
    prompting.reply = Reply(deltas, message={"tool_calls": [OWN]}, finish="tool_calls")
    expected = [("echo", {"text": "hi"}), ("read_file", {"path": "a.py"}), ("read_file", {"path": "b.py"})]
    assert sorted(calls(ask(tools=TOOLS)), key=str) == expected


def test_the_choice_of_a_tool(prompting: OpenAIServer, ask: Ask) -> None:
    prompting.reply = Reply([call()])
    only = {"type": "function", "function": {"name": "read_file"}}
    assert calls(ask(tools=TOOLS, tool_choice=only))
    assert '"echo"' not in prompt_of(prompting)
    assert "must contain a call" in prompt_of(prompting)
    answer = ask(tools=TOOLS, tool_choice="none")
    assert (calls(answer), answer.choices[0].message.content, reason(answer)) == ([], call(), "stop")
    prompting.reply = Reply([call("a.py"), call("b.py")])
    assert len(calls(ask(tools=TOOLS, parallel_tool_calls=False))) == 1


def test_a_call_that_may_not_be_made_is_text(
    prompting: OpenAIServer, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    broken = block('{"name": "read_file", "arguments": {"path": 7}}')
    prompting.reply = Reply(list(f"So: {broken}"))
    with caplog.at_level(logging.WARNING):
        answer = ask(tools=TOOLS)
    assert (answer.choices[0].message.content, calls(answer), reason(answer)) == (f"So: {broken}", [], "stop")
    assert f"{MODEL}: " in caplog.text and "read_file" in caplog.text


def test_a_cut_answer_stays_cut(prompting: OpenAIServer, ask: Ask) -> None:
    prompting.reply = Reply([call(), "<stk:tool_call>"], finish="length")
    answer = ask(tools=TOOLS)
    assert (calls(answer), reason(answer)) == ([("read_file", {"path": "a.py"})], "length")


def test_an_answer_without_a_call_is_an_answer(prompting: OpenAIServer, ask: Ask) -> None:
    answer = ask(tools=TOOLS)
    assert (answer.choices[0].message.content, reason(answer)) == ("Hello wörld 😀", "stop")


def test_json_by_way_of_the_prompt(prompting: OpenAIServer, ask: Ask) -> None:
    prompting.reply = Reply(['```json\n{"a": ', "1}\n```"])
    answer = ask(response_format={"type": "json_object"})
    assert json.loads(answer.choices[0].message.content) == {"a": 1}
    assert "response_format" not in prompting.chats[0].json
    assert "one JSON object" in prompt_of(prompting)


def test_without_a_demand_the_messages_go_as_they_are(prompting: OpenAIServer, ask: Ask) -> None:
    ask()
    assert prompting.chats[0].json["messages"] == HI


def test_a_server_that_knows_tools_gets_them(server: OpenAIServer, ask: Ask, configured: Callable[..., None]) -> None:
    ask(tools=TOOLS)
    assert server.chats[0].json["tools"] == TOOLS


def test_what_cannot_be_honoured_is_refused_by_name(prompting: OpenAIServer, ask: Ask) -> None:
    error = raised(ask, tools=TOOLS, tool_choice={"type": "function", "function": {"name": "none_of_them"}})
    assert type(error) is litellm.BadRequestError
    assert "tool_choice names 'none_of_them'" in str(error)
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    error = raised(ask, tools=TOOLS, messages=[{"role": "user", "content": [image]}])
    assert "messages[0].content[0] has the type `image_url`. This model takes text only" in str(error)
    assert prompting.chats == []


@pytest.mark.parametrize("ask", [sync_stream, async_stream], indirect=True)
def test_a_stream_that_breaks_off_is_no_answer(prompting: OpenAIServer, ask: Ask) -> None:
    prompting.reply = Reply(["I look.", call()], finish=None, done=False)
    assert not isinstance(raised(ask, tools=TOOLS, max_retries=0), litellm.BadRequestError)


@pytest.mark.parametrize("ask", [sync_stream, async_stream], indirect=True)
def test_the_text_before_a_call_is_not_held_back(prompting: OpenAIServer, ask: Ask) -> None:
    prompting.reply = Reply(["one ", "two ", call()], delay=0.05)
    stream = litellm.completion(model=MODEL, messages=HI, tools=TOOLS, stream=True)
    said = [chunk.choices[0].delta.content for chunk in stream if chunk.choices[0].delta.content]
    assert said[0] == "one "


def test_reasoning_passes(prompting: OpenAIServer, ask: Ask) -> None:
    prompting.reply = Reply([{"reasoning_content": "hm"}, call()], message={"reasoning_content": "hm"})
    answer = ask(tools=TOOLS)
    assert answer.choices[0].message.reasoning_content == "hm"
    assert calls(answer)


def test_a_router_passes_them_on(prompting: OpenAIServer, ask: Ask) -> None:
    prompting.reply = Reply([call()])
    deployment = {"model_name": "mine", "litellm_params": {"model": MODEL}}
    answer = litellm.Router(model_list=[deployment]).completion(model="mine", messages=HI, tools=TOOLS)
    assert calls(answer) == [("read_file", {"path": "a.py"})]


def test_litellm_knows_that_tools_work(prompting: OpenAIServer, ask: Ask) -> None:
    assert litellm.supports_function_calling(MODEL)
