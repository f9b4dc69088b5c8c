"""What a client sees when StackSpot fails, before the first text and behind it."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace
from typing import Any

import anthropic
import httpx
import openai
import pytest

from aider_stackspot.emulator import Emulator, Fault
from aider_stackspot.gateway import reply
from tests.gateway.running import KEY, PATHS, Running, bodies, events_of

ALL = None
STREAMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
EVERYWHERE = pytest.mark.parametrize("path", PATHS)


def ask(gateway: Running, path: str, stream: bool, **more: Any) -> httpx.Response:
    return gateway.post(path, bodies(**more)[path] | {"stream": stream})


def text_of(path: str, answer: httpx.Response) -> str:
    """All text of a complete answer, however it was asked for."""
    if "event-stream" not in answer.headers["content-type"]:
        return json.dumps(answer.json(), ensure_ascii=False)
    assert ended(path, answer.text)
    return answer.text


def ended(path: str, text: str) -> bool:
    """Whether a stream has the end of a complete answer."""
    marks = {
        "/v1/chat/completions": "data: [DONE]",
        "/v1/responses": "response.completed",
        "/v1/messages": "message_stop",
    }
    return marks[path] in text


@STREAMS
@EVERYWHERE
@pytest.mark.parametrize(
    "fault", [Fault.status(503), Fault.status(500), Fault.reset(), Fault.cut_after(0)], ids=lambda fault: fault.name
)
def test_one_fault_heals_and_is_not_noticed(
    gateway: Running, emulator: Emulator, path: str, stream: bool, fault: Fault
) -> None:
    emulator.answer = ["healed"]
    emulator.fail("any chat", fault)
    answer = ask(gateway, path, stream)
    assert answer.status_code == 200
    assert "healed" in text_of(path, answer)
    assert len(emulator.chat_requests) == 2


@STREAMS
@EVERYWHERE
def test_a_failure_before_any_text_is_an_http_error(
    gateway: Running, emulator: Emulator, path: str, stream: bool
) -> None:
    emulator.fail("any chat", Fault.status(503), times=ALL)
    answer = ask(gateway, path, stream)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/json"
    kind = "api_error" if path == "/v1/messages" else "server_error"
    assert answer.json()["error"]["type"] == kind


@EVERYWHERE
def test_a_failure_behind_some_text_ends_a_stream_with_an_error(
    gateway: Running, emulator: Emulator, path: str
) -> None:
    emulator.answer = ["one ", "two ", "three "]
    emulator.fail("any chat", Fault.cut_after(2), times=ALL)
    answer = ask(gateway, path, True)
    assert answer.status_code == 200 and "one " in answer.text
    assert not ended(path, answer.text)
    assert len(emulator.chat_requests) == 1
    name, data = events_of(answer.text)[-1]
    assert name == {"/v1/chat/completions": "", "/v1/responses": "response.failed", "/v1/messages": "error"}[path]
    assert "error" in json.loads(data) or json.loads(data)["response"]["status"] == "failed"


@EVERYWHERE
def test_a_half_answer_is_no_answer(gateway: Running, emulator: Emulator, path: str) -> None:
    emulator.answer = ["one ", "two ", "three "]
    emulator.fail("any chat", Fault.cut_after(2), times=ALL)
    answer = ask(gateway, path, False)
    assert answer.status_code == 502
    assert "one " not in answer.text


def test_the_sdks_raise_where_a_stream_breaks(gateway: Running, emulator: Emulator) -> None:
    emulator.answer = ["one ", "two ", "three "]
    emulator.fail("any chat", Fault.cut_after(2), times=ALL)
    hi: Any = [{"role": "user", "content": "hi"}]
    with pytest.raises(openai.APIError):
        list(gateway.openai().chat.completions.create(model="stackspot-ai-code", messages=hi, stream=True))
    with pytest.raises(openai.APIError):
        list(gateway.openai().responses.create(model="stackspot-ai-code", input="hi", stream=True))
    messages = gateway.anthropic().messages
    with (
        pytest.raises(anthropic.APIError),
        messages.stream(model="stackspot-ai-code", messages=hi, max_tokens=9) as stream,
    ):
        stream.get_final_message()


@pytest.mark.parametrize(("header", "seconds"), [("17", "17"), (None, "10")])
@EVERYWHERE
def test_a_rate_limit_names_a_time_to_wait(
    gateway: Running, emulator: Emulator, path: str, header: str | None, seconds: str
) -> None:
    fault = Fault.status(429) if header is None else Fault.status(429, headers={"Retry-After": header})
    emulator.fail("any chat", fault, times=ALL)
    answer = ask(gateway, path, True)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, seconds)
    assert answer.json()["error"]["type"] == "rate_limit_error"


OVERFLOW = "This model's maximum context length is 16384 tokens. However, your messages resulted in 20114 tokens."


@STREAMS
@EVERYWHERE
def test_a_prompt_that_is_too_long_is_told_in_the_words_that_programs_know(
    gateway: Running, emulator: Emulator, path: str, stream: bool
) -> None:
    body = json.dumps({"error": {"message": OVERFLOW, "code": "context_length_exceeded"}})
    emulator.fail("any chat", Fault.status(400, body=body), times=ALL)
    answer = ask(gateway, path, stream)
    assert answer.status_code == 400
    error = answer.json()["error"]
    if path == "/v1/messages":
        assert error["message"] == "prompt is too long: 20114 tokens > 16384 maximum"
    else:
        assert error["code"] == "context_length_exceeded"


@EVERYWHERE
def test_refused_credentials_do_not_look_like_a_wrong_key(
    gateway: Running, emulator: Emulator, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    emulator.rotate("stackspot", "client-id", "another-key")
    with caplog.at_level(logging.WARNING, "aider_stackspot.gateway"):
        answer = ask(gateway, path, True)
    assert answer.status_code == 502
    assert "The gateway accepted your key, but cannot use StackSpot." in answer.text
    assert "client-id" not in answer.text and "realm" not in answer.text
    assert "client-id" in caplog.text


@pytest.mark.parametrize("status", [404, 400, 422])
def test_who_asked_is_for_the_log_alone(gateway: Running, emulator: Emulator, status: int) -> None:
    emulator.fail("any chat", Fault.status(status), times=ALL)
    answer = ask(gateway, PATHS[0], False)
    assert answer.status_code == status
    assert "client-id" not in answer.text and "realm" not in answer.text


@STREAMS
@EVERYWHERE
def test_a_client_that_leaves_ends_its_call(gateway: Running, emulator: Emulator, path: str, stream: bool) -> None:
    emulator.fail("any chat", Fault.silent_after(1))

    async def ask_and_leave() -> None:
        headers = {"Authorization": f"Bearer {KEY}"}
        async with httpx.AsyncClient(headers=headers, timeout=60, trust_env=False) as client:
            call = asyncio.create_task(client.post(gateway.url + path, json=bodies()[path] | {"stream": stream}))
            while not emulator.chat_requests:
                assert not call.done(), call.result()
                await asyncio.sleep(0.02)
            call.cancel()
            await asyncio.wait([call])

    asyncio.run(ask_and_leave())
    [request] = emulator.chat_requests
    assert request.finished.wait(5)
    assert request.closed_early


@EVERYWHERE
def test_a_silent_stream_says_that_it_lives(
    gateway: Running, emulator: Emulator, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reply, "PING_AFTER", 0.05)
    emulator.answer = ["one ", "two"]
    emulator.fail("any chat", Fault.silent(0.5))
    answer = ask(gateway, path, True)
    before, _, rest = answer.text.partition("one ")
    assert before.count("ping") >= 2 and rest
    assert ended(path, answer.text)


@EVERYWHERE
def test_an_error_behind_a_ping_is_the_protocols_error_event(
    gateway: Running, emulator: Emulator, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reply, "PING_AFTER", 0.05)
    fault = replace(Fault.status(400), silence=0.5)
    emulator.fail("any chat", fault, times=ALL)
    answer = ask(gateway, path, True)
    assert answer.status_code == 200 and "ping" in answer.text
    assert not ended(path, answer.text)
    assert "error" in events_of(answer.text)[-1][1]
