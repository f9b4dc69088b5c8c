"""The four ways to call LiteLLM, the error that comes of one, and the table that the tests of this room are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import litellm
import pytest
from litellm.exceptions import MidStreamFallbackError

from aider_stackspot.emulator import Emulator, Fault

AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
MODEL = "stackspot-ai-code"
HI = [{"role": "user", "content": "Say hi"}]

Ask = Callable[..., str]


def completion(**given: Any) -> str:
    return str(litellm.completion(**{"model": MODEL, "messages": HI, **given}).choices[0].message.content)


def completion_stream(**given: Any) -> str:
    return _text(list(litellm.completion(**{"model": MODEL, "messages": HI, "stream": True, **given})))


def acompletion(**given: Any) -> str:
    async def ask() -> str:
        response = await litellm.acompletion(**{"model": MODEL, "messages": HI, **given})
        return str(response.choices[0].message.content)

    return asyncio.run(ask())


def acompletion_stream(**given: Any) -> str:
    async def ask() -> str:
        chunks = await litellm.acompletion(**{"model": MODEL, "messages": HI, "stream": True, **given})
        return _text([chunk async for chunk in chunks])

    return asyncio.run(ask())


def _text(chunks: list[Any]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def raised(ask: Ask, **given: Any) -> Exception:
    """Return the error of a call.

    What LiteLLM may fall back from in an asynchronous stream (5xx, timeouts, lost connections) it wraps into a class
    of its own, for every provider, and its newest version in any stream; what was wrapped is what counts here.
    """
    with pytest.raises(Exception) as caught:
        ask(**given)
    error = caught.value
    if isinstance(error, MidStreamFallbackError):
        assert ask in (completion_stream, acompletion_stream)
        assert isinstance(error.original_exception, Exception)
        return error.original_exception
    return error


class Case(NamedTuple):
    """One fault, and everything that must come of it.

    `raises` is None where the answer arrives all the same. `requests` are those for a token and those for an answer.
    `times` is how many requests meet the fault; None for all.
    """

    name: str
    fault: Fault
    raises: type[Exception] | None
    requests: tuple[int, int]
    words: tuple[str, ...] = ()
    times: int | None = None


def each(*cases: Case) -> pytest.MarkDecorator:
    """Run a test once for every case."""
    return pytest.mark.parametrize("case", [pytest.param(case, id=case.name.replace(" ", "-")) for case in cases])


def check(case: Case, emulator: Emulator, ask: Ask, kind: str = "any chat", **given: Any) -> None:
    """Do a case and compare class, requests and words exactly."""
    emulator.answer = ["One ", "two ", "three."]
    emulator.fail(kind, case.fault, times=case.times)
    if case.raises is None:
        assert ask(**given) == "One two three."
    else:
        expect(case.raises, case.words, ask, **given)
    assert (len(emulator.token_requests), len(emulator.chat_requests)) == case.requests


def expect(kind: type[Exception], words: tuple[str, ...], ask: Ask, **given: Any) -> Exception:
    """Return the error of a call, which is of exactly this class and says these words in this order."""
    error = raised(ask, **given)
    assert type(error) is kind, repr(error)
    text, found = str(error), 0
    for word in words:
        assert word in text[found:], f"{word!r} is not in {text!r}"
        found = text.index(word, found) + len(word)
    assert "Traceback" not in text
    return error
