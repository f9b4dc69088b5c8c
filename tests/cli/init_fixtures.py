"""A StackSpot for `init`, and somebody at the terminal."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator

import pytest
import typer

from aider_stackspot.cli import init as room
from aider_stackspot.emulator import Emulator
from tests.cli.command import Done, Run

AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


OTHER = "01BX5ZZKBKACTAV9WEVGEMMVRZ"


KEY = "client-key"


NAMES = {"stackspot-ai", "stackspot-ai-chat", "stackspot-ai-code"}


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """A StackSpot, and an environment that knows its address and no credentials yet."""
    with Emulator(credentials={("acme", "client-id"): KEY}, agents={AGENT: "Reviewer", OTHER: "Writer"}) as running:
        for name, value in running.environment().items():
            if name.endswith(("_URL", "_BASE")):
                monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Somebody at the terminal, who types these lines; `None` takes the default. Returns what was asked."""

    def terminal(*typed: object) -> list[str]:
        asked: list[str] = []
        left = list(typed)

        def prompt(text: str, default: str | None = None, hide_input: bool = False, **_: object) -> str:
            asked.append(text)
            assert hide_input == text.startswith("Client key")
            given = left.pop(0)
            if isinstance(given, BaseException):
                raise given
            return str(default if given is None else given)

        def confirm(text: str, **_: object) -> bool:
            asked.append(text)
            return bool(left.pop(0))

        monkeypatch.setattr(room, "is_interactive", lambda: True)
        monkeypatch.setattr(typer, "prompt", prompt)
        monkeypatch.setattr(typer, "confirm", confirm)
        return asked

    return terminal


def quietly(run: Run, *arguments: str, key: str = KEY, realm: str = "acme", project: bool = True) -> Done:
    sys.stdin = io.StringIO(f"{key}\n")
    try:
        basics = ["--non-interactive", "--client-id", "client-id", "--realm", realm, "--client-key-stdin"]
        return run("init", *basics, *(["--project"] if project else []), *arguments)
    finally:
        sys.stdin = sys.__stdin__
