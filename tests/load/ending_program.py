"""A program that calls StackSpot while Python is ending; `way` says from where."""

from __future__ import annotations

import atexit
import sys
import threading

from aider_stackspot import StackSpotError, StackSpotProvider

HI = [{"role": "user", "content": "Say hi"}]
MAIN = threading.main_thread()


def say() -> None:
    try:
        print(StackSpotProvider(timeout=8).completion_sync(HI)["choices"][0]["message"]["content"], flush=True)
    except StackSpotError as error:
        print(type(error).__name__, error, flush=True)


def after_main() -> None:
    MAIN.join()
    say()


class Last:
    """An object whose end is the interpreter's."""

    def __del__(self) -> None:
        say()


if __name__ == "__main__":
    way = sys.argv[1]
    if way == "atexit, behind ours":
        atexit.register(say)
    if way != "atexit, cold":
        say()
    if way in ("atexit, before ours", "atexit, cold"):
        atexit.register(say)
    elif way == "a thread":
        threading.Thread(target=after_main).start()
    elif way == "an object's end":
        last = Last()
        sys.modules["holder"] = last  # type: ignore[assignment]  # it lives until the modules go
