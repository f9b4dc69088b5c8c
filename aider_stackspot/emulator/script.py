"""The scripted model: rules from a YAML file or from Python, the first that matches a prompt wins."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from aider_stackspot.emulator.fault import Fault
from aider_stackspot.emulator.models import Answer, Model
from aider_stackspot.emulator.style import Style


@dataclass(frozen=True)
class Rule:
    """What happens to prompts in which ``match`` is found.

    Attributes:
        match: Regular expression, searched anywhere in the prompt; ``^`` and ``$`` match at every line.
        answer: The text or its deltas; None gives the default answer.
        style: How the stream is worded; None uses the emulator's style.
        fault: What goes wrong; None for nothing.
        times: How many requests it applies to; None for any number.
    """

    match: str
    answer: Answer | Model | None = None
    style: Style | None = None
    fault: Fault | None = None
    times: int | None = None


@dataclass
class Script:
    """Rules in order, and the answer to every prompt that none of them matches.

    Attributes:
        rules: The rules.
        default: The default answer; None leaves it to the emulator's built-in model.
    """

    rules: Iterable[Rule] = ()
    default: Answer | Model | None = None
    _used: dict[int, int] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self.rules = tuple(self.rules)
        self._patterns = [re.compile(rule.match, re.MULTILINE) for rule in self.rules]

    @classmethod
    def load(cls, path: str | Path) -> Script:
        """Read a script from a YAML file.

        Raises:
            ScriptError: The file cannot be read or is no script; the text names file and line.
        """
        from aider_stackspot.emulator.script_file import load

        return load(Path(path))

    def rule_for(self, prompt: str) -> Rule | None:
        """The first rule that matches and is not used up; counts the use."""
        with self._lock:
            for index, (rule, pattern) in enumerate(zip(self.rules, self._patterns, strict=True)):
                used = self._used.get(index, 0)
                if (rule.times is None or used < rule.times) and pattern.search(prompt):
                    self._used[index] = used + 1
                    return rule
        return None
