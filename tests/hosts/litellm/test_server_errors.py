"""What goes wrong at a configured server, as LiteLLM's and aider's users are told of it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import litellm
import pytest

import aider_stackspot
from aider_stackspot.pipeline.audience import GATEWAY_ARGUMENT
from tests.compatible.openai_server import OpenAIServer, Reply
from tests.hosts.litellm.server_fixtures import HI, MODEL, Ask, async_stream, raised, sync_stream

pytest_plugins = ["tests.hosts.litellm.server_fixtures"]
pytestmark = [
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings"),
    pytest.mark.filterwarnings("ignore:coroutine 'Logging.async_success_handler'"),
]


TOOL_CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "read", "arguments": "{"}}


CUTS = {
    "clean": Reply(["half of it"], finish=None, done=False),
    "torn connection": Reply(["half of it"], finish=None, done=False, abort=True),
    "at once": Reply([], finish=None, done=False),
}


@pytest.mark.parametrize("reply", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize("ask", [sync_stream, async_stream], indirect=True)
def test_a_stream_without_its_end_is_no_answer(server: OpenAIServer, ask: Ask, reply: Reply) -> None:
    server.reply = reply
    error = raised(ask)
    assert type(error) is litellm.APIConnectionError
    assert re.search("ended before its end marker|broke while the answer was awaited", str(error))


NOTHING_YET = {"no frame": Reply([], finish=None, done=False), "the role": Reply([{"role": "assistant"}], finish=None)}


@pytest.mark.parametrize("nothing", NOTHING_YET.values(), ids=NOTHING_YET)
@pytest.mark.parametrize("ask", [sync_stream, async_stream], indirect=True)
def test_a_stream_that_ends_before_any_text_is_asked_for_again(server: OpenAIServer, ask: Ask, nothing: Reply) -> None:
    replies = iter([replace(nothing, done=False, abort=True), Reply()])
    server.reply = lambda _request: next(replies)
    assert ask().choices[0].message.content == "Hello wörld 😀"
    assert len(server.chats) == 2


@pytest.mark.parametrize("said", ["half of it", {"reasoning_content": "Well"}, {"tool_calls": [TOOL_CALL]}])
@pytest.mark.parametrize("ask", [sync_stream, async_stream], indirect=True)
def test_nothing_is_repeated_once_something_was_said(server: OpenAIServer, ask: Ask, said: Any) -> None:
    server.reply = Reply([said], finish=None, done=False, abort=True)
    assert type(raised(ask)) is litellm.APIConnectionError
    assert len(server.chats) == 1


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
    assert type(raised(ask)) is litellm.ContextWindowExceededError
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
    error = raised(ask)
    assert type(error) is expected
    assert "as the server says" in str(error)


def test_a_refusal_is_told_although_aider_lets_parameters_be_dropped(
    server: OpenAIServer, ask: Ask, configured: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """LiteLLM's handler repeats the call without what the answer names, and then returns nothing."""
    monkeypatch.setattr(litellm, "drop_params", True)
    configured(more="    max_retries: 0\n")
    server.reply = Reply(status=422, body={"error": {"message": "as the server says"}})
    error = raised(ask)
    assert type(error) is litellm.BadRequestError
    assert "as the server says" in str(error)


def test_a_server_that_is_away_is_named(ask: Ask, configured: Callable[..., None]) -> None:
    configured(base="http://127.0.0.1:9/v1", more="    max_retries: 0\n")
    error = raised(ask)
    assert type(error) is litellm.APIConnectionError
    assert "127.0.0.1:9" in str(error)


def test_the_timeout_of_the_provider_holds(server: OpenAIServer, ask: Ask, configured: Callable[..., None]) -> None:
    configured(more="    max_retries: 0\n    timeout: 0.3\n")

    def slow(request: Any) -> Reply:
        threading.Event().wait(1)
        return Reply()

    server.reply = slow
    assert type(raised(ask)) is litellm.Timeout


def test_a_provider_taken_out_of_the_file_is_refused(server: OpenAIServer, configured: Callable[..., None]) -> None:
    configured(name="another")
    Path("~/.aider.litellm.yml").expanduser().write_text("providers: {}\n", encoding="utf-8")
    with pytest.raises(litellm.BadRequestError, match="not configured"):
        litellm.completion("another/x", HI)
    assert server.requests == []


@pytest.mark.parametrize(("status", "asked"), [(503, 3), (500, 3), (429, 1), (400, 1)])
def test_retries_are_few_and_only_where_they_can_help(server: OpenAIServer, ask: Ask, status: int, asked: int) -> None:
    server.reply = Reply(status=status, body={"error": {"message": "no"}})
    raised(ask)
    assert len(server.chats) == asked


def test_a_server_that_was_busy_is_asked_again(server: OpenAIServer, ask: Ask) -> None:
    replies = iter([Reply(status=503, body={})])
    server.reply = lambda request: next(replies, Reply())
    assert ask().choices[0].message.content == "Hello wörld 😀"


def test_a_spent_limit_is_not_spent_again(server: OpenAIServer, ask: Ask) -> None:
    ask()  # what only the first call does is no part of the limit
    given_up = threading.Event()

    def slow(request: Any) -> Reply:
        given_up.wait(5)
        return Reply()

    server.reply = slow
    before = len(server.chats)
    assert type(raised(ask, timeout=0.5)) is litellm.Timeout
    given_up.set()
    assert len(server.chats) == before + 1


def test_a_key_that_the_server_repeats_is_not_shown(
    server: OpenAIServer, ask: Ask, configured: Callable[..., None]
) -> None:
    configured(more="    api_key: secret-of-the-user\n")
    server.reply = Reply(status=401, body={"error": {"message": "Incorrect API key provided: secret-of-the-user"}})
    error = raised(ask)
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
    error = raised(ask, model_info=BEHIND)
    assert type(error) is litellm.BadGatewayError
    assert "The gateway accepted your key, but cannot use the server `local`." in str(error)
    assert "Incorrect API key" not in str(error)
    assert f"answered {status} for model" in caplog.text and "Incorrect API key: [secret]" in caplog.text
    assert len(server.chats) == 1


def test_behind_the_gateway_other_refusals_stay_what_they_are(server: OpenAIServer, ask: Ask) -> None:
    server.reply = Reply(status=422, body={"error": {"message": "no such field"}})
    assert type(raised(ask, model_info=BEHIND)) is litellm.BadRequestError


def test_that_a_call_comes_from_the_gateway_is_not_told_to_the_server(server: OpenAIServer, ask: Ask) -> None:
    ask(model_info=BEHIND)
    assert GATEWAY_ARGUMENT not in json.dumps([server.chats[0].json, server.chats[0].headers])


def test_behind_the_gateway_a_file_that_broke_later_is_not_the_callers_fault(
    server: OpenAIServer, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    Path("~/.aider.litellm.yml").expanduser().write_text("providers:\n  local:\n    api_bas: x\n", encoding="utf-8")
    aider_stackspot.register()
    error = raised(ask, model_info=BEHIND)
    assert type(error) is litellm.BadGatewayError
    assert "did you mean `api_base`?" in caplog.text
    assert "api_base" not in str(error)


def test_a_file_that_broke_later_refuses_the_call_with_its_text(server: OpenAIServer, ask: Ask) -> None:
    Path("~/.aider.litellm.yml").expanduser().write_text("providers:\n  local:\n    api_bas: x\n", encoding="utf-8")
    aider_stackspot.register()
    error = raised(ask)
    assert type(error) is litellm.BadRequestError
    assert "did you mean `api_base`" in str(error)
    assert server.requests == []
