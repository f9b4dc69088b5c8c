"""How a person is asked to choose: with the arrow keys where the terminal can, and by typing where it cannot."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import typer
from rich.cells import cell_len, set_cell_size
from rich.console import Console

from aider_stackspot.cli.terminal import say
from aider_stackspot.config.display import printable

Problem = Callable[[str], str | None]
"""Says what is wrong with an answer; `None` if nothing is."""

_MARGIN = 4
"""Columns of a menu's line beside its text: the pointer, and one to spare."""
_MANY = 8
"""Options from which on a menu can be filtered by typing."""


@dataclass(frozen=True)
class Option:
    """Something to choose.

    Attributes:
        value: the answer.
        title: what is shown of it.
        word: what is typed for it where there is no menu; its value will do as well.
        detail: what is shown beside the title until it is chosen, in columns of its own.
    """

    value: str
    title: str
    word: str
    detail: str = ""


@dataclass(frozen=True)
class FreeAnswer:
    """An answer that is not among the options: `title` offers it in a menu, `question` then asks for it."""

    title: str
    question: str
    problem: Problem


def choose(question: str, options: Sequence[Option], default: str = "", free: FreeAnswer | None = None) -> str:
    """Ask a person to choose, and return the value that was chosen.

    Args:
        question: a few words, without a mark at the end.
        options: what there is, in order.
        default: the value that Enter takes; where it is none of the options, it is offered as well.
        free: what else can be answered, if anything.

    Raises:
        KeyboardInterrupt: in a menu.
        typer.Abort: at a typed question.
    """
    if default and all(default != option.value for option in options):
        options = [*options, Option(default, f"{default}, as before", default)]
    return _from_menu(question, options, default, free) if _can_draw() else _typed(question, options, default, free)


def ask(question: str, default: str, problem: Problem, *, hidden: bool = False) -> str:
    """Ask a person to type, until there is no problem with the answer."""
    while True:
        typed = typer.prompt(
            question, default=default, show_default=bool(default) and not hidden, hide_input=hidden, err=True
        )
        text = str(typed).strip()
        why = problem(text)
        if why is None:
            return text
        say(why)


def _can_draw() -> bool:
    """Tell whether keys come in, and a menu can go out, one at a time."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return all(stream.isatty() for stream in streams) and not Console(stderr=True).is_dumb_terminal


def _from_menu(question: str, options: Sequence[Option], default: str, free: FreeAnswer | None) -> str:
    while True:
        chosen = _picked(question, options, default, free)
        if isinstance(chosen, Option):
            say(f"{question}: {printable(chosen.title)}")
            return chosen.value
        answer = ask(f"{chosen.question} (Enter goes back)", "", _or_nothing(chosen.problem))
        if answer:
            return answer


def _or_nothing(problem: Problem) -> Problem:
    return lambda text: problem(text) if text else None


def _picked(question: str, options: Sequence[Option], default: str, free: FreeAnswer | None) -> Option | FreeAnswer:
    """Return what was picked in a menu, which is gone afterwards."""
    import questionary  # loaded with the first menu that somebody sees
    from prompt_toolkit.output import create_output

    room = Console(stderr=True).width - _MARGIN
    entries: list[Option | FreeAnswer] = [*options, *([free] if free is not None else [])]
    titles = [*_lines(options), *([free.title] if free is not None else [])]
    choices = [questionary.Choice(_fitted(title, room), entry) for title, entry in zip(titles, entries, strict=True)]
    preset = [choice for choice in choices if isinstance(choice.value, Option) and choice.value.value == default]
    is_long = len(choices) >= _MANY
    picked: Option | FreeAnswer = questionary.select(
        question,
        choices,
        default=preset[0] if default and preset else None,
        instruction="(arrow keys, Enter; type to filter)" if is_long else "(arrow keys, Enter)",
        use_jk_keys=False,
        use_search_filter=is_long,
        style=questionary.Style([("selected", "noreverse"), ("highlighted", "bold")]),
        output=create_output(sys.stderr),
        erase_when_done=True,
    ).unsafe_ask()
    return picked


def _lines(options: Sequence[Option]) -> list[str]:
    """Return how a list shows the options; details begin in one column."""
    titles = [printable(option.title) for option in options]
    column = max((cell_len(title) for title, one in zip(titles, options, strict=True) if one.detail), default=0)
    return [
        f"{set_cell_size(title, column)}  {option.detail}" if option.detail else title
        for title, option in zip(titles, options, strict=True)
    ]


def _fitted(title: str, room: int) -> str:
    """Return a title that a line has room for, cut at its end with a mark."""
    cut = set_cell_size(title, room).rstrip()
    return title if cut == title else f"{set_cell_size(title, room - 1).rstrip()}…"


def _typed(question: str, options: Sequence[Option], default: str, free: FreeAnswer | None) -> str:
    column = max(3, *(len(option.word) for option in options))
    for option, line in zip(options, _lines(options), strict=True):
        say(f"  {option.word:>{column}}  {line}")
    values = {word: option.value for option in options for word in (option.value, option.word)}
    words = ", ".join(option.word for option in options)

    def problem(text: str) -> str | None:
        if text in values:
            return None
        return free.problem(text) if free is not None else f"Type one of {words}."

    typed = ask(question, default, problem)
    return values.get(typed, typed)
