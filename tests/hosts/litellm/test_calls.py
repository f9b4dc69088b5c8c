"""`litellm.completion` and `litellm.acompletion` with this package's names, over real sockets."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import litellm
import pytest
from litellm.exceptions import MidStreamFallbackError

from aider_stackspot.emulator import Emulator, Fault, Style
from aider_stackspot.emulator.style import STYLES

AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
HI = [{"role": "user", "content": "Say hi"}]

Ask = Callable[..., tuple[str, str, Any]]


def _sync(**arguments: Any) -> tuple[str, str, Any]:
    response = litellm.completion(**{"model": "stackspot-ai-code", "messages": HI, **arguments})
    choice = response.choices[0]
    return choice.message.content, choice.finish_reason, response.usage


def _read_chunks(chunks: list[Any]) -> tuple[str, str, Any]:
    reasons = [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason]
    assert len(reasons) == 1, "exactly one terminal chunk"
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    return text, reasons[0], getattr(chunks[-1], "usage", None)


def _sync_stream(**arguments: Any) -> tuple[str, str, Any]:
    given = {"model": "stackspot-ai-code", "messages": HI, "stream_options": {"include_usage": True}, **arguments}
    return _read_chunks(list(litellm.completion(stream=True, **given)))


def _async(**arguments: Any) -> tuple[str, str, Any]:
    async def ask() -> tuple[str, str, Any]:
        response = await litellm.acompletion(**{"model": "stackspot-ai-code", "messages": HI, **arguments})
        return response.choices[0].message.content, response.choices[0].finish_reason, response.usage

    return asyncio.run(ask())


def _async_stream(**arguments: Any) -> tuple[str, str, Any]:
    async def ask() -> tuple[str, str, Any]:
        given = {"model": "stackspot-ai-code", "messages": HI, "stream_options": {"include_usage": True}, **arguments}
        return _read_chunks([chunk async for chunk in await litellm.acompletion(stream=True, **given)])

    return asyncio.run(ask())


@pytest.fixture(params=[_sync, _sync_stream, _async, _async_stream], ids=lambda way: way.__name__.lstrip("_"))
def ask(request: pytest.FixtureRequest) -> Ask:
    """Each of the four ways to call."""
    way: Ask = request.param
    return way


@pytest.fixture(params=["agent", "chat"])
def api(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each of the two chat APIs."""
    if request.param == "agent":
        monkeypatch.setenv("STACKSPOTAI_AGENT_ID", AGENT)
    return str(request.param)


def test_text_reason_and_usage(emulator: Emulator, ask: Ask, api: str) -> None:
    emulator.answer = ["Hello ", "wörld", " 😀"]
    emulator.style = Style(usage=(120, 7))
    text, reason, usage = ask()
    assert (text, reason) == ("Hello wörld 😀", "stop")
    assert emulator.chat_requests[0].kind == api
    if api == "agent":
        assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (120, 7, 127)
    else:  # this API reports none, so LiteLLM's counter estimates
        assert 0 < usage.prompt_tokens < 20
        assert 0 < usage.completion_tokens < 20


NO_ANSWER = {"no-final", "plain-text", "error-stop-reason"}


@pytest.mark.parametrize("name", sorted(set(STYLES) - NO_ANSWER - {"slow-start", "lone-surrogate"}))
def test_every_style_of_the_wire_gives_the_same_answer(emulator: Emulator, ask: Ask, api: str, name: str) -> None:
    emulator.answer = ["One ", "and tẃo\n", "  and 10 and 1010."]
    emulator.style = STYLES[name]
    text, reason, _ = ask()
    assert text == "One and tẃo\n  and 10 and 1010."
    assert reason == ("length" if name == "length" and api == "agent" else "stop")


def test_a_stream_without_its_end_is_no_answer(emulator: Emulator, ask: Ask, api: str) -> None:
    emulator.style = STYLES["no-final"]
    # LiteLLM itself wraps what it may fall back from in an asynchronous stream, for every provider.
    with pytest.raises((litellm.APIConnectionError, MidStreamFallbackError), match="end marker") as caught:
        ask()
    assert type(getattr(caught.value, "original_exception", caught.value)) is litellm.APIConnectionError


@pytest.mark.parametrize(
    "name", ["stackspot-ai", "stackspot-ai-chat", "stackspot/stackspot-ai-code", "stackspot/stackspot-ai"]
)
def test_bare_and_prefixed_names(emulator: Emulator, ask: Ask, name: str) -> None:
    emulator.answer = "hi"
    assert ask(model=name)[0] == "hi"


def test_nothing_is_sent_that_the_api_does_not_have(emulator: Emulator, ask: Ask, api: str) -> None:
    """The emulator answers unknown fields with 422, so the call alone proves it."""
    ask(temperature=0.3, max_tokens=10, stop=["END"], top_p=0.5, seed=1, user="me", presence_penalty=0.1)
    assert "temperature" not in json.dumps(emulator.chat_requests[0].json)


def test_a_stop_sequence_cuts(emulator: Emulator, ask: Ask) -> None:
    emulator.answer = ["one E", "ND two"]
    assert ask(stop="END")[:2] == ("one ", "stop")
    assert ask(stop=["three", "two"])[:2] == ("one END ", "stop")


@pytest.mark.parametrize("temperature", [-0.1, 1.1, 2])
def test_a_temperature_out_of_range_is_refused(emulator: Emulator, ask: Ask, temperature: float) -> None:
    with pytest.raises(litellm.BadRequestError, match=r"0\.0 to 1\.0"):
        ask(temperature=temperature)
    assert emulator.requests == []


@pytest.mark.parametrize("temperature", [0, 0.7, 1.0])
def test_a_temperature_in_range_is_accepted(emulator: Emulator, ask: Ask, temperature: float) -> None:
    ask(temperature=temperature)


def test_key_base_and_headers_of_the_call_win(emulator: Emulator, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKSPOTAI_CLIENT_KEY", "wrong")
    monkeypatch.setenv("STACKSPOTAI_API_BASE", "http://127.0.0.1:9")
    ask(api_key="client-key", api_base=emulator.url, extra_headers={"X-Team": "blue"})
    assert emulator.chat_requests[0].headers["x-team"] == "blue"


def test_the_timeout_of_the_call_is_the_total(emulator: Emulator, ask: Ask) -> None:
    emulator.style = Style(first_delay=5)
    with pytest.raises(litellm.Timeout, match=r"total limit of 0\.3 s"):
        ask(timeout=0.3)


def test_an_image_is_refused_by_name(emulator: Emulator, ask: Ask) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    with pytest.raises(litellm.BadRequestError, match="`image_url`"):
        ask(messages=[{"role": "user", "content": [image]}])
    assert emulator.requests == []


def test_missing_credentials_are_named_at_the_first_call(ask: Ask) -> None:
    with pytest.raises(litellm.AuthenticationError) as caught:
        ask()
    text = str(caught.value)
    assert "STACKSPOTAI_CLIENT_ID and STACKSPOTAI_CLIENT_KEY are not set" in text
    assert "the environment, the working directory, the git root" in text


def test_a_wrong_secret_is_one_token_request(emulator: Emulator, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKSPOTAI_CLIENT_KEY", "wrong-secret")
    with pytest.raises(litellm.AuthenticationError, match="realm `stackspot`, client id `client-id`"):
        ask()
    assert len(emulator.token_requests) == 1
    assert emulator.chat_requests == []


def test_a_token_that_expires_in_the_middle_of_a_session_is_not_noticed(emulator: Emulator, ask: Ask) -> None:
    ask()
    emulator.revoke_tokens()
    ask()
    assert [request.status for request in emulator.chat_requests] == [200, 401, 200]
    assert len(emulator.token_requests) == 2


def test_a_rotated_key_is_used_at_once(emulator: Emulator, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    ask()
    emulator.rotate("stackspot", "client-id", "new-key")
    monkeypatch.setenv("STACKSPOTAI_CLIENT_KEY", "new-key")
    ask()
    assert [request.status for request in emulator.token_requests] == [200, 200]


def test_the_class_is_exactly_litellms(emulator: Emulator, ask: Ask) -> None:
    with pytest.raises(litellm.BadRequestError) as caught:
        ask(temperature=3)
    assert type(caught.value) is litellm.BadRequestError


def test_embeddings_are_refused_and_not_tried_again(emulator: Emulator) -> None:
    with pytest.raises(litellm.BadRequestError, match="StackSpot has no embeddings"):
        litellm.embedding(model="stackspot-ai", input=["x"])
    with pytest.raises(litellm.BadRequestError, match="StackSpot has no embeddings"):
        asyncio.run(litellm.aembedding(model="stackspot-ai", input=["x"]))
    assert emulator.requests == []


def test_so_are_images(emulator: Emulator) -> None:
    with pytest.raises(litellm.BadRequestError, match="StackSpot makes no images"):
        litellm.image_generation("a cat", model="stackspot-ai")
    with pytest.raises(litellm.BadRequestError, match="StackSpot makes no images"):
        asyncio.run(litellm.aimage_generation(prompt="a cat", model="stackspot-ai"))
    assert emulator.requests == []


def test_several_event_loops_in_one_process(emulator: Emulator) -> None:
    assert {_async()[0], _async_stream()[0], _async()[0]} == {_sync()[0]}
    assert len(emulator.token_requests) == 1


def test_the_event_loop_is_never_blocked(emulator: Emulator) -> None:
    emulator.style = Style(first_delay=0.3)

    async def scenario() -> int:
        ticks = 0
        call = asyncio.create_task(litellm.acompletion(model="stackspot-ai", messages=HI))
        while not call.done():
            await asyncio.sleep(0.01)
            ticks += 1
        await call
        return ticks

    assert asyncio.run(scenario()) > 10


def test_an_empty_answer_is_an_answer(emulator: Emulator, ask: Ask) -> None:
    emulator.answer = []
    assert ask()[:2] == ("", "stop") or ask()[0] is None


def test_a_stream_that_fails_before_any_text_fails_at_the_call(emulator: Emulator) -> None:
    with pytest.raises(litellm.AuthenticationError):
        litellm.completion("stackspot-ai", HI, stream=True, api_key="wrong")


@pytest.mark.parametrize("ask", [_sync, _async], ids=["sync", "async"])
def test_litellms_own_repeats_follow_the_configuration(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, ask: Ask
) -> None:
    """A service that moved in the middle of a call: the next repeat goes where it is now, and not where it was."""
    emulator.fail("any chat", replace(Fault.status(500), silence=0.2), None)
    with Emulator() as moved:

        def follow() -> None:
            while not emulator.chat_requests:
                time.sleep(0.01)
            for name, value in moved.environment().items():
                monkeypatch.setenv(name, value)

        following = threading.Thread(target=follow)
        following.start()
        ask(num_retries=1)
        following.join()
        assert len(moved.chat_requests) == 1


def test_a_router_takes_the_next_model_where_a_stream_cannot_begin(emulator: Emulator) -> None:
    refused = {"model": "stackspot-ai", "api_key": "wrong"}
    models = [
        {"model_name": "first", "litellm_params": refused},
        {"model_name": "second", "litellm_params": {"model": "stackspot-ai-code"}},
    ]
    router = litellm.Router(model_list=models, fallbacks=[{"first": ["second"]}], num_retries=0)
    text, reason, _usage = _read_chunks(list(router.completion("first", HI, stream=True)))
    assert text
    assert reason == "stop"
