"""A host's function is wrapped once by each of those who wrap it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import SimpleNamespace

from aider_stackspot.hosts.patches import wrap_once


def adding(word: str) -> Callable[..., Callable[[], str]]:
    def around(original: Callable[[], str]) -> Callable[[], str]:
        @functools.wraps(original)
        def wrapper() -> str:
            return f"{original()} {word}"

        return wrapper

    around.__qualname__ = f"around_{word}"
    return around


def test_the_same_wrapper_comes_once_and_another_one_beside_it() -> None:
    host = SimpleNamespace(greet=lambda: "hello")
    for _ in range(3):
        wrap_once(host, "greet", adding("first"))
        wrap_once(host, "greet", adding("second"))
    assert host.greet() == "hello first second"


def test_who_wrapped_is_told_of_the_first_time_only() -> None:
    host = SimpleNamespace(greet=lambda: "hello")
    assert wrap_once(host, "greet", adding("word")) is host.greet
    assert wrap_once(host, "greet", adding("word")) is None
