"""`litellm.completion` with `provider/id`: LiteLLM's own OpenAI path, to this provider only."""

from __future__ import annotations

import asyncio
import gc
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import litellm
import pytest
from litellm.exceptions import MidStreamFallbackError

import aider_stackspot
from aider_stackspot.pipeline.audience import GATEWAY_ARGUMENT
from tests.compatible.openai_server import OpenAIServer, Reply, models

pytestmark = [
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings"),
    pytest.mark.filterwarnings("ignore:coroutine 'Logging.async_success_handler'"),
]
HI = [{"role": "user", "content": "Say hi"}]
MODEL = "local/qwen2.5-coder-7b"
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture
def trap(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    """Stands wherever LiteLLM may look for OpenAI; every test asserts that it stays empty."""
    with OpenAIServer() as server:
        for name in ("OPENAI_API_BASE", "OPENAI_BASE_URL"):
            monkeypatch.setenv(name, server.base)
        monkeypatch.setenv("OPENAI_API_KEY", "openai-trap-key")
        monkeypatch.setenv("OPENAI_ORGANIZATION", "trap-organization")
        monkeypatch.setenv("OPENAI_ORG_ID", "trap-org-id")
        monkeypatch.setenv("OPENAI_PROJECT_ID", "trap-project-id")
        yield server
        assert server.requests == []


@pytest.fixture
def server(trap: OpenAIServer) -> Iterator[OpenAIServer]:
    with OpenAIServer(models("qwen2.5-coder-7b")) as running:
        yield running
        sent = json.dumps([request.headers for request in running.requests])
        assert "trap" not in sent


@pytest.fixture
def configured(server: OpenAIServer, isolated: Path) -> Callable[..., None]:
    """Write the user's own file, as a person would."""

    def configure(name: str = "local", more: str = "", base: str | None = None) -> None:
        text = f"providers:\n  {name}:\n    api_base: {base or server.base}\n{more}"
        (isolated.parent / "home" / ".aider.litellm.yml").write_text(text, encoding="utf-8")
        aider_stackspot.register()

    configure()
    return configure


Ask = Callable[..., Any]


def _sync(**arguments: Any) -> Any:
    return litellm.completion(**{"model": MODEL, "messages": HI, **arguments})


def _sync_stream(**arguments: Any) -> Any:
    chunks = list(litellm.completion(**{"model": MODEL, "messages": HI, "stream": True, **arguments}))
    return litellm.stream_chunk_builder(chunks)


def _async(**arguments: Any) -> Any:
    return asyncio.run(litellm.acompletion(**{"model": MODEL, "messages": HI, **arguments}))


def _async_stream(**arguments: Any) -> Any:
    async def ask() -> Any:
        stream = await litellm.acompletion(**{"model": MODEL, "messages": HI, "stream": True, **arguments})
        return litellm.stream_chunk_builder([chunk async for chunk in stream])

    return asyncio.run(ask())


@pytest.fixture(params=[_sync, _sync_stream, _async, _async_stream], ids=lambda way: way.__name__.lstrip("_"))
def ask(request: pytest.FixtureRequest, configured: Callable[..., None]) -> Ask:
    """Each of the four ways to call."""
    way: Ask = request.param
    return way


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


@pytest.mark.parametrize("name", ["ollama", "openai", "vllm", "openrouter", "deepseek"])
def test_a_server_may_be_called_like_one_of_litellms_providers(
    server: OpenAIServer, ask: Ask, configured: Callable[..., None], name: str
) -> None:
    configured(name=name)
    assert ask(model=f"{name}/gpt-4o").choices[0].message.content == "Hello wörld 😀"
    assert server.chats[0].json["model"] == "gpt-4o"


def _tool(index: int, function: dict[str, str], **more: str) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, "function": function, **more}]}


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


def _raised(ask: Ask, **arguments: Any) -> Exception:
    """Return the exception of a call; LiteLLM wraps what it may fall back from in an asynchronous stream."""
    with pytest.raises(Exception) as caught:
        ask(**arguments)
    error: Exception = caught.value
    return getattr(error, "original_exception", error) if isinstance(error, MidStreamFallbackError) else error


TOOL_CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "read", "arguments": "{"}}
CUTS = {
    "clean": Reply(["half of it"], finish=None, done=False),
    "torn connection": Reply(["half of it"], finish=None, done=False, abort=True),
    "at once": Reply([], finish=None, done=False),
}


@pytest.mark.parametrize("reply", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize("ask", [_sync_stream, _async_stream], indirect=True)
def test_a_stream_without_its_end_is_no_answer(server: OpenAIServer, ask: Ask, reply: Reply) -> None:
    server.reply = reply
    error = _raised(ask)
    assert type(error) is litellm.APIConnectionError
    assert re.search("ended before its end marker|broke while the answer was awaited", str(error))


NOTHING_YET = {"no frame": Reply([], finish=None, done=False), "the role": Reply([{"role": "assistant"}], finish=None)}


@pytest.mark.parametrize("nothing", NOTHING_YET.values(), ids=NOTHING_YET)
@pytest.mark.parametrize("ask", [_sync_stream, _async_stream], indirect=True)
def test_a_stream_that_ends_before_any_text_is_asked_for_again(server: OpenAIServer, ask: Ask, nothing: Reply) -> None:
    replies = iter([replace(nothing, done=False, abort=True), Reply()])
    server.reply = lambda _request: next(replies)
    assert ask().choices[0].message.content == "Hello wörld 😀"
    assert len(server.chats) == 2


@pytest.mark.parametrize("said", ["half of it", {"reasoning_content": "Well"}, {"tool_calls": [TOOL_CALL]}])
@pytest.mark.parametrize("ask", [_sync_stream, _async_stream], indirect=True)
def test_nothing_is_repeated_once_something_was_said(server: OpenAIServer, ask: Ask, said: Any) -> None:
    server.reply = Reply([said], finish=None, done=False, abort=True)
    assert type(_raised(ask)) is litellm.APIConnectionError
    assert len(server.chats) == 1


@pytest.mark.parametrize("ask", [_sync_stream, _async_stream], indirect=True)
def test_a_reason_to_finish_is_the_end_whether_or_not_done_follows(server: OpenAIServer, ask: Ask) -> None:
    server.reply = Reply(done=False)
    assert ask().choices[0].message.content == "Hello wörld 😀"


@pytest.mark.parametrize("ask", [_sync_stream, _async_stream], indirect=True)
def test_done_alone_is_an_end_only_where_the_provider_says_so(
    server: OpenAIServer, ask: Ask, configured: Callable[..., None]
) -> None:
    server.reply = Reply(finish=None)
    assert "set `end_marker: done` for it" in str(_raised(ask))
    configured(more="    end_marker: done\n")
    assert ask().choices[0].message.content == "Hello wörld 😀"


OVER_LENGTH: dict[str, tuple[int, Any, int | None]] = {
    "llama.cpp": (
        400,
        {
            "error": {
                "code": 400,
                "message": "request (3022 tokens) exceeds the available context size (1024 tokens), try increasing it",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 3022,
                "n_ctx": 1024,
            }
        },
        1024,
    ),
    "TGI": (
        422,
        {
            "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` "
            "tokens and 20 `max_new_tokens`",
            "error_type": "validation",
        },
        4096,
    ),
    "vLLM": (
        400,
        {
            "object": "error",
            "message": "This model's maximum context length is 2048 tokens. However, you requested 3000 tokens.",
            "type": "BadRequestError",
        },
        2048,
    ),
    "Scalytics": (
        500,
        {
            "success": False,
            "error": {
                "message": "The prompt is longer than the model's maximum context length of 8192 tokens",
                "type": "server_error",
            },
        },
        8192,
    ),
}


@pytest.mark.parametrize(("status", "body", "limit"), OVER_LENGTH.values(), ids=OVER_LENGTH)
def test_a_prompt_that_is_too_long_is_recognised_and_teaches_the_limit(
    server: OpenAIServer, ask: Ask, status: int, body: Any, limit: int, configured: Callable[..., None]
) -> None:
    configured(more="    max_retries: 0\n")
    server.reply = Reply(status=status, body=body)
    assert type(_raised(ask)) is litellm.ContextWindowExceededError
    aider_stackspot.register()
    assert litellm.get_model_info(MODEL)["max_input_tokens"] == limit


ERRORS = [
    (400, litellm.BadRequestError),
    (401, litellm.AuthenticationError),
    (403, litellm.AuthenticationError),
    (404, litellm.NotFoundError),
    (422, litellm.BadRequestError),
    (429, litellm.RateLimitError),
    (500, litellm.InternalServerError),
    (503, litellm.ServiceUnavailableError),
]


@pytest.mark.parametrize(("status", "expected"), ERRORS)
def test_errors_are_classes_that_aider_knows(
    server: OpenAIServer, ask: Ask, status: int, expected: type[Exception], configured: Callable[..., None]
) -> None:
    configured(more="    max_retries: 0\n")
    server.reply = Reply(status=status, body={"error": {"message": "as the server says"}})
    error = _raised(ask)
    assert type(error) is expected
    assert "as the server says" in str(error)


def test_a_refusal_is_told_although_aider_lets_parameters_be_dropped(
    server: OpenAIServer, ask: Ask, configured: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """LiteLLM's handler repeats the call without what the answer names, and then returns nothing."""
    monkeypatch.setattr(litellm, "drop_params", True)
    configured(more="    max_retries: 0\n")
    server.reply = Reply(status=422, body={"error": {"message": "as the server says"}})
    error = _raised(ask)
    assert type(error) is litellm.BadRequestError
    assert "as the server says" in str(error)


def test_a_server_that_is_away_is_named(ask: Ask, configured: Callable[..., None]) -> None:
    configured(base="http://127.0.0.1:9/v1", more="    max_retries: 0\n")
    error = _raised(ask)
    assert type(error) is litellm.APIConnectionError
    assert "127.0.0.1:9" in str(error)


def test_the_timeout_of_the_provider_holds(server: OpenAIServer, ask: Ask, configured: Callable[..., None]) -> None:
    configured(more="    max_retries: 0\n    timeout: 0.3\n")

    def slow(request: Any) -> Reply:
        threading.Event().wait(1)
        return Reply()

    server.reply = slow
    assert type(_raised(ask)) is litellm.Timeout


SCALYTICS = "    models: {'1': {}}\n"


def test_scalytics_gets_only_what_it_takes(server: OpenAIServer, ask: Ask, configured: Callable[..., None]) -> None:
    """Its parameters are a closed list; it knows no tool messages or names (docs/servers.md, "Scalytics Connect")."""
    configured(name="scalytics", more=SCALYTICS)
    messages = [{"role": "developer", "content": "Be brief"}, {"role": "user", "name": "me", "content": "hi"}]
    ask(model="scalytics/1", messages=messages, temperature=0.1, user="me", max_tokens=5)
    sent = server.chats[0].json
    assert sent["messages"] == [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "hi"}]
    assert sent.keys() <= {"model", "messages", "stream", "temperature", "max_tokens", "stream_options"}


@pytest.mark.parametrize("more", [{"tools": [TOOL]}, {"stop": ["END"]}, {"response_format": {"type": "json_object"}}])
def test_scalytics_is_not_asked_for_what_it_refuses(
    server: OpenAIServer, ask: Ask, configured: Callable[..., None], more: dict[str, Any]
) -> None:
    configured(name="scalytics", more=SCALYTICS)
    error = _raised(ask, model="scalytics/1", **more)
    assert type(error) is litellm.BadRequestError
    assert f"`{next(iter(more))}`" in str(error)
    ask(model="scalytics/1", drop_params=True, **more)
    assert len(server.chats) == 1


def test_a_text_only_server_refuses_images(server: OpenAIServer, ask: Ask, configured: Callable[..., None]) -> None:
    configured(name="scalytics", more=SCALYTICS)
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    error = _raised(ask, model="scalytics/1", messages=[{"role": "user", "content": [image]}])
    assert type(error) is litellm.BadRequestError
    assert "`image_url`" in str(error)
    assert server.requests == []


@pytest.mark.parametrize("ask", [_sync_stream, _async_stream], indirect=True)
def test_scalytics_streams_end_with_done(server: OpenAIServer, ask: Ask, configured: Callable[..., None]) -> None:
    configured(name="scalytics", more=SCALYTICS)
    working = b'event: processing\ndata: {"status": "working"}\n\n'
    server.reply = Reply(["It ", "works"], frames=(working,), finish=None)
    assert ask(model="scalytics/1").choices[0].message.content == "It works"
    server.reply = Reply([], frames=(working,), finish=None, done=False)
    assert "end marker" in str(_raised(ask, model="scalytics/1"))


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


def test_importing_litellm_asks_nobody(server: OpenAIServer, configured: Callable[..., None]) -> None:
    subprocess.run([sys.executable, "-c", "import litellm"], check=True, timeout=60)
    assert server.requests == []


def test_openais_own_names_stay_openais(configured: Callable[..., None]) -> None:
    configured(name="openai")
    assert litellm.get_llm_provider("gpt-4o")[:2] == ("gpt-4o", "openai")
    assert litellm.get_llm_provider("openai/gpt-4o")[1] == "aider-stackspot-openai"


def test_a_provider_taken_out_of_the_file_is_refused(server: OpenAIServer, configured: Callable[..., None]) -> None:
    configured(name="another")
    Path("~/.aider.litellm.yml").expanduser().write_text("providers: {}\n", encoding="utf-8")
    with pytest.raises(litellm.BadRequestError, match="not configured"):
        litellm.completion("another/x", HI)
    assert server.requests == []


@pytest.mark.parametrize(("status", "asked"), [(503, 3), (500, 3), (429, 1), (400, 1)])
def test_retries_are_few_and_only_where_they_can_help(server: OpenAIServer, ask: Ask, status: int, asked: int) -> None:
    server.reply = Reply(status=status, body={"error": {"message": "no"}})
    _raised(ask)
    assert len(server.chats) == asked


def test_a_server_that_was_busy_is_asked_again(server: OpenAIServer, ask: Ask) -> None:
    replies = iter([Reply(status=503, body={})])
    server.reply = lambda request: next(replies, Reply())
    assert ask().choices[0].message.content == "Hello wörld 😀"


def test_a_spent_limit_is_not_spent_again(server: OpenAIServer, ask: Ask) -> None:
    def slow(request: Any) -> Reply:
        threading.Event().wait(0.8)
        return Reply()

    server.reply = slow
    assert type(_raised(ask, timeout=0.2)) is litellm.Timeout
    assert len(server.chats) == 1


def test_a_key_that_the_server_repeats_is_not_shown(
    server: OpenAIServer, ask: Ask, configured: Callable[..., None]
) -> None:
    configured(more="    api_key: secret-of-the-user\n")
    server.reply = Reply(status=401, body={"error": {"message": "Incorrect API key provided: secret-of-the-user"}})
    error = _raised(ask)
    assert type(error) is litellm.AuthenticationError
    assert "secret-of-the-user" not in str(error)


BEHIND = {"mode": "chat", GATEWAY_ARGUMENT: True}
"""What LiteLLM Proxy says of a model of the gateway's, with each call."""


@pytest.mark.parametrize("status", [401, 403])
def test_behind_the_gateway_a_refused_key_does_not_look_like_the_callers(
    server: OpenAIServer,
    ask: Ask,
    configured: Callable[..., None],
    status: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    configured(more="    api_key: secret-of-the-user\n")
    server.reply = Reply(status=status, body={"error": {"message": "Incorrect API key: secret-of-the-user"}})
    error = _raised(ask, model_info=BEHIND)
    assert type(error) is litellm.BadGatewayError
    assert "The gateway accepted your key, but cannot use the server `local`." in str(error)
    assert "Incorrect API key" not in str(error)
    assert f"answered {status} for model" in caplog.text and "Incorrect API key: [secret]" in caplog.text
    assert len(server.chats) == 1


def test_behind_the_gateway_other_refusals_stay_what_they_are(server: OpenAIServer, ask: Ask) -> None:
    server.reply = Reply(status=422, body={"error": {"message": "no such field"}})
    assert type(_raised(ask, model_info=BEHIND)) is litellm.BadRequestError


def test_that_a_call_comes_from_the_gateway_is_not_told_to_the_server(server: OpenAIServer, ask: Ask) -> None:
    ask(model_info=BEHIND)
    assert GATEWAY_ARGUMENT not in json.dumps([server.chats[0].json, server.chats[0].headers])


def test_behind_the_gateway_a_file_that_broke_later_is_not_the_callers_fault(
    server: OpenAIServer, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    Path("~/.aider.litellm.yml").expanduser().write_text("providers:\n  local:\n    api_bas: x\n", encoding="utf-8")
    aider_stackspot.register()
    error = _raised(ask, model_info=BEHIND)
    assert type(error) is litellm.BadGatewayError
    assert "did you mean `api_base`?" in caplog.text
    assert "api_base" not in str(error)


def test_a_file_that_broke_later_refuses_the_call_with_its_text(server: OpenAIServer, ask: Ask) -> None:
    Path("~/.aider.litellm.yml").expanduser().write_text("providers:\n  local:\n    api_bas: x\n", encoding="utf-8")
    aider_stackspot.register()
    error = _raised(ask)
    assert type(error) is litellm.BadRequestError
    assert "did you mean `api_base`" in str(error)
    assert server.requests == []


def test_who_stops_listening_closes_the_connection(server: OpenAIServer, configured: Callable[..., None]) -> None:
    """A local server would else go on computing an answer that nobody reads."""
    server.reply = Reply(["word "] * 400, delay=0.02)
    for _ in range(2):
        stream = litellm.completion(MODEL, HI, stream=True)
        next(iter(stream))
        del stream
        gc.collect()
    assert server.chats[0].left.wait(4)
    litellm.error_logs.clear()  # in which LiteLLM itself holds a stream until the next one
    gc.collect()
    assert server.chats[1].left.wait(4)
