"""`litellm.completion` with `provider/id`: LiteLLM's own OpenAI path, to this provider only."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import litellm
import pytest

from aider_stackspot.hosts.litellm import servers
from tests.compatible.openai_server import OpenAIServer, Reply, models
from tests.hosts.litellm.server_fixtures import HI, MODEL, Ask, async_stream, raised, sync_stream

pytest_plugins = ["tests.hosts.litellm.server_fixtures"]
pytestmark = [
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings"),
    pytest.mark.filterwarnings("ignore:coroutine 'Logging.async_success_handler'"),
]


TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


def test_text_and_reason(server: OpenAIServer, ask: Ask) -> None:
    answer = ask()
    assert answer.choices[0].message.content == "Hello wörld 😀"
    assert answer.choices[0].finish_reason == "stop"
    assert [request.path for request in server.requests] == ["/v1/chat/completions"]
    assert server.chats[0].json["model"] == "qwen2.5-coder-7b"
    assert server.chats[0].json["messages"] == HI


def test_without_a_key_none_is_sent(server: OpenAIServer, ask: Ask) -> None:
    ask()
    assert "authorization" not in server.chats[0].headers


def test_the_providers_own_key_is_sent(server: OpenAIServer, ask: Ask, configured: Callable[..., None]) -> None:
    server.key = "server-key"
    configured(more="    api_key: server-key\n")
    ask()
    assert server.chats[0].headers["authorization"] == "Bearer server-key"


def test_key_base_and_headers_of_the_call_win(server: OpenAIServer, ask: Ask, configured: Callable[..., None]) -> None:
    configured(more="    api_key: configured\n    extra_headers: {X-Team: blue}\n", base="http://127.0.0.1:9/v1")
    ask(api_key="of-the-call", api_base=server.base, extra_headers={"X-Run": "7"})
    headers = server.chats[0].headers
    assert (headers["authorization"], headers["x-team"], headers["x-run"]) == ("Bearer of-the-call", "blue", "7")


IDS = [
    "org/model:7b",
    "gpt-4o",
    "o3",
    "gpt-5",
    "local/own",
    "openai/gpt-4o",
    "models/a b.gguf",
    "llama-3.1-8b",
    "davinci-002",
]


@pytest.mark.parametrize("model_id", IDS)
def test_any_id_goes_to_this_server_verbatim(server: OpenAIServer, ask: Ask, model_id: str) -> None:
    assert ask(model=f"local/{model_id}").choices[0].message.content == "Hello wörld 😀"
    assert server.chats[0].json["model"] == model_id


def test_litellm_is_told_of_one_model_where_an_id_begins_like_its_public_name(configured: Callable[..., None]) -> None:
    """LiteLLM asks for every name's provider while it registers: that must not register another one."""
    before = {*servers.told}
    litellm.get_llm_provider("local/local/its-own")
    assert servers.told - before == {"local/local/its-own"}


@pytest.mark.parametrize("name", ["ollama", "openai", "vllm", "openrouter", "deepseek"])
def test_a_server_may_be_called_like_one_of_litellms_providers(
    server: OpenAIServer, ask: Ask, configured: Callable[..., None], name: str
) -> None:
    configured(name=name)
    assert ask(model=f"{name}/gpt-4-turbo").choices[0].message.content == "Hello wörld 😀"
    assert server.chats[0].json["model"] == "gpt-4-turbo"


STREAMS = {
    "text": Reply(),
    "tools in pieces": Reply(
        [
            {"role": "assistant", "content": None},
            {
                "tool_calls": [
                    {"index": 0, "id": "a", "type": "function", "function": {"name": "look", "arguments": ""}}
                ]
            },
            {"tool_calls": [{"index": 0, "function": {"arguments": '{"at":'}}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": '"sea"}'}}]},
            {
                "tool_calls": [
                    {"index": 1, "id": "b", "type": "function", "function": {"name": "look", "arguments": "{}"}}
                ]
            },
        ],
        finish="tool_calls",
        message={
            "tool_calls": [{"id": "a", "type": "function", "function": {"name": "look", "arguments": '{"at":"sea"}'}}]
        },
    ),
    "reasoning": Reply(
        [{"reasoning_content": "hm "}, {"reasoning_content": "yes"}, "Yes"], message={"reasoning_content": "hm yes"}
    ),
    "logprobs": Reply(
        ["a"], choice={"logprobs": {"content": [{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}]}}
    ),
    "length": Reply(["cut"], finish="length"),
}


PARAMETERS: dict[str, Any] = {
    "temperature": 0.3,
    "max_tokens": 17,
    "top_p": 0.9,
    "stop": ["END"],
    "seed": 4,
    "presence_penalty": 0.1,
    "logit_bias": {"1": 2},
    "logprobs": True,
    "top_logprobs": 2,
    "tools": [TOOL],
    "tool_choice": "auto",
    "response_format": {"type": "json_object"},
    "extra_body": {"top_k": 20},
    "min_p": 0.05,
}


def _plain(answer: Any) -> dict[str, Any]:
    """Return an answer without what differs in every call, and without the provider's name."""
    plain: dict[str, Any] = json.loads(answer.model_dump_json())
    return {key: value for key, value in plain.items() if key not in ("id", "created", "model")}


@pytest.mark.parametrize("reply", STREAMS.values(), ids=STREAMS)
def test_nothing_is_lost_that_litellms_openai_route_has(server: OpenAIServer, ask: Ask, reply: Reply) -> None:
    """The same call through `openai/` with a base of its own is the yardstick: same request, same answer."""
    server.reply = reply
    options = {**PARAMETERS, "stream_options": {"include_usage": True}} if "stream" in ask.__name__ else PARAMETERS
    ours = ask(model="local/some-model", **options)
    theirs = ask(model="openai/some-model", api_base=server.base, api_key="any", **options)
    assert _plain(ours) == _plain(theirs)
    assert server.chats[0].json == server.chats[1].json
    del server.requests[1]  # the yardstick's, which has OpenAI's organisation in it
    if "stream" in ask.__name__:
        assert ours.usage.total_tokens == 17


@pytest.mark.parametrize("ask", [sync_stream, async_stream], indirect=True)
def test_a_reason_to_finish_is_the_end_whether_or_not_done_follows(server: OpenAIServer, ask: Ask) -> None:
    server.reply = Reply(done=False)
    assert ask().choices[0].message.content == "Hello wörld 😀"


@pytest.mark.parametrize("ask", [sync_stream, async_stream], indirect=True)
def test_done_alone_is_an_end_only_where_the_provider_says_so(
    server: OpenAIServer, ask: Ask, configured: Callable[..., None]
) -> None:
    server.reply = Reply(finish=None)
    assert "set `end_marker: done` for it" in str(raised(ask))
    configured(more="    end_marker: done\n")
    assert ask().choices[0].message.content == "Hello wörld 😀"


SCALYTICS = "    models: {'1': {}}\n"


def test_scalytics_gets_only_what_it_takes(server: OpenAIServer, ask: Ask, configured: Callable[..., None]) -> None:
    """Its parameters are a closed list; it knows no tool messages or names (docs/servers.md, "Scalytics Connect")."""
    configured(name="scalytics", more=SCALYTICS)
    messages = [{"role": "developer", "content": "Be brief"}, {"role": "user", "name": "me", "content": "hi"}]
    ask(model="scalytics/1", messages=messages, temperature=0.1, user="me", max_tokens=5)
    sent = server.chats[0].json
    assert sent["messages"] == [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "hi"}]
    assert sent.keys() <= {"model", "messages", "stream", "temperature", "max_tokens", "stream_options"}


@pytest.mark.parametrize("more", [{"stop": ["END"]}, {"seed": 1}])
def test_scalytics_is_not_asked_for_what_it_refuses(
    server: OpenAIServer, ask: Ask, configured: Callable[..., None], more: dict[str, Any]
) -> None:
    configured(name="scalytics", more=SCALYTICS)
    error = raised(ask, model="scalytics/1", **more)
    assert type(error) is litellm.BadRequestError
    assert f"`{next(iter(more))}`" in str(error)
    ask(model="scalytics/1", drop_params=True, **more)
    assert len(server.chats) == 1


def test_a_text_only_server_refuses_images(server: OpenAIServer, ask: Ask, configured: Callable[..., None]) -> None:
    configured(name="scalytics", more=SCALYTICS)
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    error = raised(ask, model="scalytics/1", messages=[{"role": "user", "content": [image]}])
    assert type(error) is litellm.BadRequestError
    assert "`image_url`" in str(error)
    assert server.requests == []


@pytest.mark.parametrize("ask", [sync_stream, async_stream], indirect=True)
def test_scalytics_streams_end_with_done(server: OpenAIServer, ask: Ask, configured: Callable[..., None]) -> None:
    configured(name="scalytics", more=SCALYTICS)
    working = b'event: processing\ndata: {"status": "working"}\n\n'
    server.reply = Reply(["It ", "works"], frames=(working,), finish=None)
    assert ask(model="scalytics/1").choices[0].message.content == "It works"
    server.reply = Reply([], frames=(working,), finish=None, done=False)
    assert "end marker" in str(raised(ask, model="scalytics/1"))


def test_images_reach_every_other_server(server: OpenAIServer, ask: Ask) -> None:
    messages = [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}
    ]
    ask(messages=messages)
    assert server.chats[0].json["messages"] == messages


def test_the_files_own_keys_of_a_model(server: OpenAIServer, ask: Ask, configured: Callable[..., None]) -> None:
    configured(more="    models:\n      fast: {model: org/real-7b, temperature: 0.4}\n")
    ask(model="local/fast")
    ask(model="local/fast", temperature=0.9)
    assert [(request.json["model"], request.json["temperature"]) for request in server.chats] == [
        ("org/real-7b", 0.4),
        ("org/real-7b", 0.9),
    ]


def test_an_estimated_output_limit_is_never_sent(server: OpenAIServer, ask: Ask) -> None:
    ask(model="local/llama-3.3-70b")
    assert litellm.get_model_info("local/llama-3.3-70b")["max_output_tokens"] == 8192
    assert not {"max_tokens", "max_completion_tokens"} & server.chats[0].json.keys()


def test_a_limit_goes_under_the_name_that_the_server_takes(server: OpenAIServer, ask: Ask) -> None:
    told = {"error": {"message": "Unsupported parameter: 'max_tokens'.", "code": "unsupported_parameter"}}
    server.reply = lambda request: Reply(status=400, body=told) if "max_tokens" in request else Reply()
    for _ in range(2):
        assert ask(model="local/deployment", max_tokens=50).choices[0].message.content == Reply().text
    limits = [{name: value for name, value in chat.json.items() if name.startswith("max_")} for chat in server.chats]
    assert limits == [{"max_tokens": 50}, {"max_completion_tokens": 50}, {"max_completion_tokens": 50}]


def test_counting_tokens_reaches_for_nothing(configured: Callable[..., None]) -> None:
    started = time.monotonic()
    assert litellm.token_counter(model="local/meta-llama-3.1-8b-instruct", text="one two three") == 3
    assert time.monotonic() - started < 1


def test_nothing_is_printed(configured: Callable[..., None], capfd: pytest.CaptureFixture[str]) -> None:
    """LiteLLM prints a list of providers for a name that it cannot place."""
    litellm.completion(MODEL, HI)
    list(litellm.completion(MODEL, HI, stream=True))
    litellm.get_model_info(MODEL)
    litellm.completion_cost(model=MODEL, prompt="a", completion="b")
    assert capfd.readouterr() == ("", "")


def test_no_variable_is_asked_for(configured: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    assert litellm.validate_environment(MODEL) == {"keys_in_environment": True, "missing_keys": []}


def test_who_asks_for_the_limits_gets_the_servers_word(server: OpenAIServer, configured: Callable[..., None]) -> None:
    server.pages["/v1/models"] = models("asked-about", max_model_len=4321)
    assert litellm.get_model_info("local/asked-about")["max_input_tokens"] == 4321
    assert litellm.get_model_info("local/not-listed")["max_input_tokens"] is None
    assert server.gets == ["/v1/models"]
    litellm.register_model({"own-model": {"max_input_tokens": 5, "litellm_provider": "openai", "mode": "chat"}})
    assert litellm.get_model_info("own-model")["max_input_tokens"] == 5


@pytest.mark.thorough
def test_importing_litellm_asks_nobody(server: OpenAIServer, configured: Callable[..., None]) -> None:
    subprocess.run([sys.executable, "-c", "import litellm"], check=True, timeout=60)
    assert server.requests == []


def test_openais_own_names_stay_openais(configured: Callable[..., None]) -> None:
    configured(name="openai")
    assert litellm.get_llm_provider("gpt-4o")[:2] == ("gpt-4o", "openai")
    assert litellm.get_llm_provider("openai/gpt-4o")[1] == "aider-stackspot-openai"


@pytest.mark.thorough
def test_who_stops_listening_closes_the_connection(server: OpenAIServer, configured: Callable[..., None]) -> None:
    """A local server would else go on computing an answer that nobody reads."""
    server.reply = Reply([f"word {n} " for n in range(400)], delay=0.02)
    for _ in range(2):
        stream = litellm.completion(MODEL, HI, stream=True)
        next(iter(stream))
        del stream
        gc.collect()
    assert server.chats[0].left.wait(4)
    litellm.error_logs.clear()  # in which LiteLLM itself holds a stream until the next one
    gc.collect()
    assert server.chats[1].left.wait(4)
