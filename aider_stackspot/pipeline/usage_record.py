"""A small local record of how many tokens each model used on which day: counts only, nothing of what was said.

One file a month below `~/.aider/aider-stackspot/usage`, one line a call. `AIDER_STACKSPOT_USAGE=0` switches it off. A
record that cannot be written is left out: it must never cost an answer.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from aider_stackspot import config
from aider_stackspot.api.answer import Usage
from aider_stackspot.files import append_line, private_directory

SWITCH = config.USAGE
LOCATION = Path(".aider") / "aider-stackspot" / "usage"
"""Below the home directory."""
KEPT_MONTHS = 24
MAX_TOKENS_OF_CALL = 10**12
"""What is beyond it is damage, not a call."""
CHARACTERS_PER_TOKEN = 4
"""Where the service counts nothing (the chat API, quick commands), this stands in for a count."""


@dataclass(frozen=True)
class Call:
    """One call. `estimated` tells that the service sent no count."""

    day: date
    model: str
    prompt_tokens: int
    completion_tokens: int
    estimated: bool = False


def place() -> Path | None:
    """Return the directory in which calls that begin now are recorded; `None` where they are not."""
    settings = config.current()  # once: each look takes a look at files
    if settings.home is None or not settings.switches[SWITCH]:
        return None
    return directory(settings.home)


def add(where: Path, model: str, counted: Usage | None, lengths: tuple[int, int], day: date | None = None) -> None:
    """Record a call.

    Args:
        where: the directory.
        model: its name with the provider in front.
        counted: the tokens as the service counted them.
        lengths: characters of prompt and answer, for an estimate where it did not.
        day: the day; today, in local time, if not given.
    """
    day = day or datetime.now().date()
    estimate = [-(-length // CHARACTERS_PER_TOKEN) for length in lengths]
    used = (counted.prompt_tokens, counted.completion_tokens) if counted is not None else estimate
    entry = {"day": day.isoformat(), "model": model, "in": used[0], "out": used[1]}
    line = json.dumps(entry | ({} if counted is not None else {"estimated": True}))
    with contextlib.suppress(OSError):
        _append(where / f"{day:%Y-%m}.jsonl", line)


def _append(path: Path, line: str) -> None:
    private_directory(path.parent)
    if append_line(path, line):
        for old in sorted(path.parent.glob("????-??.jsonl"))[:-KEPT_MONTHS]:
            old.unlink(missing_ok=True)


def directory(home: Path | None = None) -> Path:
    """Return where the record is kept.

    Args:
        home: the user's home directory, if the caller knows it.

    Raises:
        RuntimeError: there is no home directory.
    """
    home = home or config.home()
    if home is None:
        raise RuntimeError("there is no home directory")
    return home / LOCATION


def calls(since: date, home: Path | None = None) -> Iterator[Call]:
    """Yield the recorded calls since a day, below a home directory; lines that cannot be read are passed over."""
    with contextlib.suppress(OSError, RuntimeError):
        for path in sorted(directory(home).glob("????-??.jsonl")):
            if path.stem >= f"{since:%Y-%m}":
                yield from (call for call in _read(path) if call.day >= since)


def _read(path: Path) -> Iterator[Call]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                yield _call(json.loads(line))
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
                continue


def _call(entry: Any) -> Call:
    counts = int(entry["in"]), int(entry["out"])
    if not all(0 <= count <= MAX_TOKENS_OF_CALL for count in counts):
        raise ValueError("no call has so many tokens")
    return Call(date.fromisoformat(entry["day"]), str(entry["model"]), *counts, bool(entry.get("estimated")))


@dataclass(frozen=True)
class Total:
    """What one model used on one day."""

    day: date
    model: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    estimated: bool

    @property
    def tokens(self) -> int:
        """Both together."""
        return self.prompt_tokens + self.completion_tokens


def totals(recorded: Iterable[Call]) -> list[Total]:
    """Add up by day and model, the newest day first. A total is an estimate where any of its calls is."""
    found: dict[tuple[date, str], Total] = {}
    for call in recorded:
        key = (call.day, call.model)
        one = found.get(key, Total(*key, 0, 0, 0, False))
        found[key] = Total(
            *key,
            one.calls + 1,
            one.prompt_tokens + call.prompt_tokens,
            one.completion_tokens + call.completion_tokens,
            one.estimated or call.estimated,
        )
    return sorted(sorted(found.values(), key=lambda total: total.model), key=lambda total: total.day, reverse=True)
