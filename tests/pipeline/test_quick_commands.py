"""A quick command as a model, in all four ways that LiteLLM calls a provider, over real sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import litellm
import pytest
from litellm.exceptions import MidStreamFallbackError

from aider_stackspot import StackSpotProvider
from aider_stackspot.api import quick_command
from aider_stackspot.emulator import Emulator, Fault
from aider_stackspot.emulator.quick_commands import QuickCommand

HI = [{"role": "user", "content": "Say hi"}]
MODEL = "reviewer"
Ask = Callable[..., tuple[str, str]]


@pytest.fixture(autouse=True)
def configured(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that is a quick command, polled without the waits of real life."""
    (isolated / ".aider.litellm.yml").write_text(
        "providers:\n  stackspot:\n    models:\n      reviewer:\n        quick_command: code-review\n", encoding="utf-8"
    )
    monkeypatch.setattr(quick_command, "MIN_WAIT", 0.01)
    monkeypatch.setattr(quick_command, "MAX_WAIT", 0.02)
    import aider_stackspot

    aider_stackspot.register()


def _given(arguments: dict[str, Any]) -> dict[str, Any]:
    return {"model": MODEL, "messages": HI, **arguments}


def _sync(**arguments: Any) -> tuple[str, str]:
    choice = litellm.completion(**_given(arguments)).choices[0]
    return choice.message.content, choice.finish_reason


def _joined(chunks: list[Any]) -> tuple[str, str]:
    reasons = [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason]
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices), reasons[0]


def _sync_stream(**arguments: Any) -> tuple[str, str]:
    return _joined(list(litellm.completion(stream=True, **_given(arguments))))


def _async(**arguments: Any) -> tuple[str, str]:
    async def ask() -> tuple[str, str]:
        choice = (await litellm.acompletion(**_given(arguments))).choices[0]
        return choice.message.content, choice.finish_reason

    return asyncio.run(ask())


def _async_stream(**arguments: Any) -> tuple[str, str]:
    async def ask() -> tuple[str, str]:
        return _joined([chunk async for chunk in await litellm.acompletion(stream=True, **_given(arguments))])

    return asyncio.run(ask())


@pytest.fixture(params=[_sync, _sync_stream, _async, _async_stream], ids=lambda way: way.__name__.lstrip("_"))
def ask(request: pytest.FixtureRequest) -> Ask:
    """Each of the four ways to call."""
    way: Ask = request.param
    return way


def raised(ask: Ask, kind: type[Exception], **arguments: Any) -> Exception:
    """Return the error of a call; LiteLLM wraps those of asynchronous streams that it may fall back from."""
    with pytest.raises((kind, MidStreamFallbackError)) as caught:
        ask(**arguments)
    error = getattr(caught.value, "original_exception", None) or caught.value
    assert type(error) is kind
    return error


@pytest.mark.parametrize("shape", ["string", "id", "execution_id"])
def test_the_result_is_the_answer(emulator: Emulator, ask: Ask, shape: Any) -> None:
    emulator.answer = "Looks good, 😀."
    emulator.quick_command = QuickCommand(polls=3, created_as=shape)
    assert ask() == ("Looks good, 😀.", "stop")
    (created,) = emulator.requests_of("quick-command")
    assert created.path == "/v1/quick-commands/create-execution/code-review"
    assert created.json == {"input_data": "Say hi"}
    assert len(emulator.requests_of("quick-command-callback")) == 4
    assert len(emulator.token_requests) == 1


@pytest.mark.parametrize("outcome", ["FAILURE", "FAILED"])
def test_a_failed_execution_is_the_services_failure(emulator: Emulator, ask: Ask, outcome: Any) -> None:
    emulator.quick_command = QuickCommand(outcome=outcome)
    assert "`code-review` failed" in str(raised(ask, litellm.InternalServerError, num_retries=0))
    assert len(emulator.requests_of("quick-command")) == 1, "the platform repeats steps itself"


def test_stuck_in_created(emulator: Emulator, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick_command, "MAX_CREATED_SECONDS", 0.1)
    emulator.quick_command = QuickCommand(outcome="stuck")
    assert "overloaded" in str(raised(ask, litellm.InternalServerError))
    assert len(emulator.requests_of("quick-command")) == 1


def test_the_total_time_limit(emulator: Emulator, ask: Ask) -> None:
    emulator.quick_command = QuickCommand(outcome="stuck")
    assert "total limit of 0.3 s" in str(raised(ask, litellm.Timeout, timeout=0.3))


def test_an_unknown_command(emulator: Emulator, ask: Ask) -> None:
    emulator.quick_command = QuickCommand(slugs=frozenset({"another"}))
    text = str(raised(ask, litellm.NotFoundError))
    assert "quick command `code-review`" in text
    assert "slug" in text


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (403, litellm.AuthenticationError),
        (400, litellm.BadRequestError),
        (429, litellm.RateLimitError),
        (500, litellm.InternalServerError),
        (502, litellm.BadGatewayError),
        (503, litellm.ServiceUnavailableError),
    ],
)
def test_a_refused_creation(emulator: Emulator, ask: Ask, status: int, kind: type[Exception]) -> None:
    emulator.fail("quick-command", Fault.status(status), times=None)
    raised(ask, kind, max_retries=0)


def test_a_page_instead_of_an_answer(emulator: Emulator, ask: Ask) -> None:
    emulator.fail("quick-command-callback", Fault.login_page(), times=None)
    assert "login page" in str(raised(ask, litellm.APIConnectionError))


@pytest.mark.parametrize("fault", [Fault.status(503), Fault.reset(), Fault.close()], ids=["503", "reset", "close"])
def test_a_failed_poll_goes_on_with_the_same_execution(emulator: Emulator, ask: Ask, fault: Fault) -> None:
    emulator.answer = "done"
    emulator.fail("quick-command-callback", fault, times=1)
    assert ask()[0] == "done"
    assert len(emulator.requests_of("quick-command")) == 1


def test_refused_polls_are_made_later_and_the_execution_is_kept(emulator: Emulator, ask: Ask) -> None:
    emulator.answer = "done"
    emulator.fail("quick-command-callback", Fault.status(429), times=3)
    assert ask()[0] == "done"
    assert len(emulator.requests_of("quick-command")) == 1


def test_polls_that_stay_refused_are_a_rate_limit(emulator: Emulator, ask: Ask) -> None:
    emulator.fail("quick-command-callback", Fault.status(429), times=None)
    raised(ask, litellm.RateLimitError)
    assert len(emulator.requests_of("quick-command")) == 1


def test_a_token_that_ends_during_the_polls_is_not_noticed(emulator: Emulator, ask: Ask) -> None:
    emulator.answer = "done"
    emulator.fail("quick-command-callback", Fault.status(401), times=1)
    assert ask()[0] == "done"
    assert len(emulator.token_requests) == 2


def test_a_stop_sequence_cuts(emulator: Emulator, ask: Ask) -> None:
    emulator.answer = "one END two"
    assert ask(stop="END") == ("one ", "stop")


def test_nothing_is_polled_after_the_caller_gave_up(emulator: Emulator) -> None:
    emulator.quick_command = QuickCommand(outcome="stuck")
    stream = StackSpotProvider().stream(HI, MODEL)
    _until(lambda: len(emulator.requests_of("quick-command-callback")) > 1)
    stream.close()
    time.sleep(0.1)
    polls = len(emulator.requests_of("quick-command-callback"))
    time.sleep(0.2)
    assert len(emulator.requests_of("quick-command-callback")) == polls


def test_a_cancelled_call_polls_no_more(emulator: Emulator) -> None:
    emulator.quick_command = QuickCommand(outcome="stuck")

    async def scenario() -> None:
        call = asyncio.create_task(StackSpotProvider().completion(HI, MODEL))
        await asyncio.to_thread(_until, lambda: len(emulator.requests_of("quick-command-callback")) > 1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(scenario())
    time.sleep(0.1)
    polls = len(emulator.requests_of("quick-command-callback"))
    time.sleep(0.2)
    assert len(emulator.requests_of("quick-command-callback")) == polls


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
