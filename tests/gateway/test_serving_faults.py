"""What a client of the gateway sees when StackSpot, its credentials or the client's key are not as they should be."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import openai
import pytest

from aider_stackspot.emulator import Emulator, Fault
from tests.gateway.gateway_process import Gateway
from tests.gateway.gateway_ways import HI, MODEL, Way, chat, chat_stream, messages, responses, sdk_errors

pytestmark = pytest.mark.slow
pytest_plugins = ["tests.gateway.gateway_fixtures"]


def test_a_revoked_token_is_not_noticed(gateway: Gateway, stackspot: Emulator, way: Way) -> None:
    way(gateway)
    stackspot.revoke_tokens()
    stackspot.answer = "still here"
    assert way(gateway) == "still here"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_of_the_api_itself_does_not_either(gateway: Gateway, stackspot: Emulator, status: int) -> None:
    stackspot.fail("any chat", Fault.status(status), times=None)
    with pytest.raises(openai.InternalServerError, match="The gateway accepted your key") as caught:
        chat(gateway)
    assert caught.value.status_code == 502


def test_a_dead_stackspot_is_an_error_at_once(gateway: Gateway, stackspot: Emulator, way: Way) -> None:
    stackspot.fail("any chat", Fault.reset(), times=None)
    with pytest.raises(sdk_errors("APIError")) as caught:
        way(gateway)
    assert not isinstance(caught.value, sdk_errors("AuthenticationError"))


def test_a_cut_answer_is_no_answer(gateway: Gateway, stackspot: Emulator, way: Way) -> None:
    stackspot.answer = ["one ", "two ", "three "]
    stackspot.fail("any chat", Fault.cut_after(2), times=None)
    with pytest.raises(sdk_errors("APIError")):
        way(gateway)


CALLS = [
    ("chat/completions", {"messages": HI}),
    ("responses", {"input": "Say hi"}),
    ("messages", {"messages": HI, "max_tokens": 100}),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("path", "body"), CALLS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_call_for_which_nobody_waits_any_more_is_ended(
    gateway: Gateway, stackspot: Emulator, path: str, body: dict[str, Any], stream: bool
) -> None:
    stackspot.fail("any chat", Fault.silent_after(1))

    async def ask_and_leave() -> None:
        headers = {"Authorization": f"Bearer {gateway.key}"}
        async with httpx.AsyncClient(headers=headers, timeout=60, trust_env=False) as client:
            call = asyncio.create_task(
                client.post(f"{gateway.url}/v1/{path}", json={"model": MODEL, "stream": stream, **body})
            )
            while not stackspot.chat_requests:
                assert not call.done(), call.result()
                await asyncio.sleep(0.02)
            call.cancel()
            await asyncio.wait([call])

    asyncio.run(ask_and_leave())
    [request] = stackspot.chat_requests
    assert request.finished.wait(5)
    assert request.closed_early


def test_a_wrong_key_is_refused_without_asking_stackspot(gateway: Gateway, stackspot: Emulator, way: Way) -> None:
    with pytest.raises(sdk_errors("AuthenticationError")):
        way(gateway, "sk-not-the-key-of-this-gateway")
    assert stackspot.requests == []


# The last test: for some seconds after a refusal, the credentials are not tried again.
def test_refused_credentials_of_stackspots_do_not_look_like_a_wrong_key(
    gateway: Gateway, stackspot: Emulator, way: Way
) -> None:
    stackspot.rotate("stackspot", "client-id", "another-key")
    stackspot.revoke_tokens()
    with pytest.raises(sdk_errors("APIError")) as caught:
        way(gateway)
    refusals = (*sdk_errors("AuthenticationError"), *sdk_errors("PermissionDeniedError"))
    assert not isinstance(caught.value, refusals)
    assert "The gateway accepted your key, but cannot use StackSpot" in str(caught.value)
    if way in (chat, chat_stream, responses, messages):  # the other two have begun with status 200 by then
        assert getattr(caught.value, "status_code", None) == 502
