"""Why a call waits, told to the person at the terminal or at aider, once, and to the program's log."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator

import pytest

from aider_stackspot.hosts.terminal import TerminalNotices, say
from aider_stackspot.pipeline import notices


class Screen(io.StringIO):
    """A standard error that may be a terminal."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


class Heard(logging.Handler):
    """A program's own log."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.name, record.levelno, record.getMessage()))


@pytest.fixture(autouse=True)
def _nobody_listens_afterwards() -> Iterator[None]:
    yield
    notices.listen(None)


def told(
    patch: pytest.MonkeyPatch,
    *handlers: logging.Handler,
    screen: Screen | None,
    aider: bool = False,
) -> str:
    """Tell a line in a process with these log handlers, and none of pytest's; return what stands on the screen."""
    patch.setattr(notices.log, "propagate", False)
    patch.setattr(notices.log, "handlers", list(handlers))
    patch.setattr(sys, "stderr", screen)
    notices.listen(TerminalNotices(always_read=aider))
    notices.warn("waiting 12 s")
    return screen.getvalue() if screen is not None else ""


def test_the_line_goes_to_the_programs_log(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    assert told(monkeypatch, heard, screen=Screen(terminal=False)) == ""
    assert heard.lines == [("aider_stackspot", logging.WARNING, "waiting 12 s")]


def test_without_a_log_python_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, screen=Screen(terminal=False)) == "waiting 12 s\n"


@pytest.mark.parametrize("handlers", [[], [Heard()]])
def test_at_a_terminal_it_is_shown_once(monkeypatch: pytest.MonkeyPatch, handlers: list[Heard]) -> None:
    assert told(monkeypatch, *handlers, screen=Screen(terminal=True)).rstrip() == "\raider-stackspot: waiting 12 s"
    assert all(len(heard.lines) == 1 for heard in handlers)


def test_not_twice_where_the_log_goes_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(terminal=True)
    assert told(monkeypatch, logging.StreamHandler(screen), screen=screen) == "waiting 12 s\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_aider_which_sets_up_no_log_shows_it_once(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    shown = told(monkeypatch, screen=Screen(terminal=terminal), aider=True)
    assert shown.strip() == "aider-stackspot: waiting 12 s"


def test_a_program_without_standard_error_survives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    told(monkeypatch, heard, screen=None)
    assert len(heard.lines) == 1


def test_progress_is_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(terminal=False)
    monkeypatch.setattr(sys, "stderr", screen)
    notices.listen(TerminalNotices(always_read=True))
    notices.progress("half of it")
    assert screen.getvalue() == ""


def test_a_program_without_standard_error_hears_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    say("a line")
    monkeypatch.undo()
    assert capsys.readouterr() == ("", "")
