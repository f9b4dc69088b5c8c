"""A program that writes down all it can about calls that go wrong. Its plan comes on standard input.

Every log is on, and every exception is shown with the local variables of its frames.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import traceback
from typing import Any

import httpx
import litellm
import rich.console
import rich.traceback

import aider_stackspot
from aider_stackspot import StackSpotProvider
from aider_stackspot.config import current
from aider_stackspot.pipeline import call

HI = [{"role": "user", "content": "Say hi"}]
console = rich.console.Console(file=sys.stdout, width=300, force_terminal=False)


def completion(**given: Any) -> object:
    return litellm.completion(**given)


def stream(**given: Any) -> object:
    return list(litellm.completion(stream=True, **given))


def acompletion(**given: Any) -> object:
    async def ask() -> object:
        answer: object = await litellm.acompletion(**given)
        return answer

    return asyncio.run(ask())


def astream(**given: Any) -> object:
    async def ask() -> object:
        return [chunk async for chunk in await litellm.acompletion(stream=True, **given)]

    return asyncio.run(ask())


def provider(model: str, messages: Any, **_given: Any) -> object:
    asking = StackSpotProvider(timeout=2)
    text = asking.stream(messages, model)
    try:
        return list(text)
    finally:
        print(repr(asking), vars(asking), repr(text), vars(text))


WAYS = {way.__name__: way for way in (completion, stream, acompletion, astream, provider)}


def show(error: BaseException, *, richly: bool) -> None:
    """Show an exception in every way there is."""
    print(str(error), repr(error), error.args, vars(error))
    logging.getLogger("program").exception("it failed")
    for compact in (True, False):
        rendered = traceback.TracebackException.from_exception(error, capture_locals=True, compact=compact)
        print("".join(rendered.format(chain=True)))
    seen: BaseException | None = error
    while seen is not None:  # what the chain hides, somebody's tool may show
        print(repr(seen), traceback.format_tb(seen.__traceback__))
        for frame, _ in traceback.walk_tb(seen.__traceback__):
            print({name: repr(value)[:2000] for name, value in frame.f_locals.items()})
        seen = seen.__cause__ or seen.__context__
    kind, trace = type(error), error.__traceback__
    for stack in rich.traceback.Traceback.extract(kind, error, trace, show_locals=True, locals_max_length=50).stacks:
        print([{name: str(value) for name, value in (frame.locals or {}).items()} for frame in stack.frames])
    if richly:  # the same, drawn; it takes a second
        console.print(rich.traceback.Traceback.from_exception(kind, error, trace, show_locals=True))


def prepared(line: str) -> dict[str, Any]:
    """Take over a step's environment and return the rest of it."""
    step: dict[str, Any] = json.loads(line)
    os.environ.update(step.pop("environment"))
    return step


def main() -> None:
    """Do every step of the plan."""
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    logging.getLogger().addHandler(logging.FileHandler("program.log"))
    litellm._turn_on_debug()
    call.FIRST_WAIT = 0.001
    for line in sys.stdin:
        step = prepared(line)
        del line  # a program that keeps secrets in variables of its own shows them itself
        print("=== step:", step["name"])
        aider_stackspot.register()
        for way in step["ways"]:
            try:
                print(WAYS[way](model=step["model"], messages=HI, timeout=step["timeout"]))
                print("=== outcome:", step["name"], way, "answered")
            except Exception as error:
                show(error, richly=step["name"] in ("500", "400 that echoes"))
                why = getattr(error, "original_exception", None) or error  # LiteLLM wraps it within a stream
                print("=== outcome:", step["name"], way, type(why).__name__)
        settings = current()
        print(repr(settings), settings.accounts, settings.models, vars(settings.accounts["stackspot"]))
    print("=== done", httpx.__version__)


if __name__ == "__main__":
    main()
