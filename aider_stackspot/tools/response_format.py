"""An answer that should be JSON: its wrapping is taken off while it streams, and it is checked at its end."""

from __future__ import annotations

import re
from collections.abc import Callable

from aider_stackspot.tools.events import AnswerWarning, Event, TextDelta
from aider_stackspot.tools.json_schema import SchemaChecker
from aider_stackspot.tools.lenient_json import AFTER_JSON, JsonExtent, decode, mend
from aider_stackspot.tools.request import JsonResponseFormat

# What may stand before the JSON: spaces and a code fence, with its language.
_BEFORE = re.compile(r"\s*(?:`{0,8}|`{3,8}[A-Za-z0-9]*\s*)")
_FENCE_END = re.compile(r"\s*`{1,8}")
_BRACKET = re.compile(r"[{}\[\]]")
MAX_BEFORE = 64


class ResponseFormatFilter:
    """Takes the wrapping off one answer that should be JSON, and checks it at the end.

    An answer that begins with JSON, or with a code fence and JSON, streams from its first bracket to its last. Any
    other answer (a sentence, then JSON) is held back to the end. What stands around the only JSON value of an answer is
    left out if the value is as demanded; otherwise the answer is given out as it came (without a fence that was already
    taken off), with a warning.

    Args:
        wanted: what the request demands; None where any text will do.
        hold: give nothing out before `finish`, so that the JSON can also be mended (see `lenient_json`). For callers
            that want one answer.
    """

    def __init__(self, wanted: JsonResponseFormat | None, *, hold: bool = False) -> None:
        self._wanted = wanted
        self._checker = SchemaChecker(wanted.schema if wanted else {})
        self._extent = JsonExtent()
        self._before = ""
        self._value: list[str] = []
        self._fenced = False
        self._rest: list[str] = []  # held back: what follows the value, or an answer that does not begin with one
        self._read: Callable[[str], str] = self._read_before
        if hold:
            self._read = self._read_rest
        if wanted is None:
            self._read = str

    def feed(self, text: str) -> list[Event]:
        """Read the next piece of the answer and return what can be given out by now."""
        return _text(self._read(text))

    def finish(self, *, checked: bool = True) -> list[Event]:
        """The answer is over: return what was held back, and a warning if the answer is not as demanded.

        A second call returns nothing.

        Args:
            checked: False for an answer that is no final one (it calls tools): its text is given out as it came.
        """
        if self._wanted is None:
            return []
        rest = self._before + "".join(self._rest)
        self._before, self._rest, self._read, self._wanted = "", [], str, None
        if not checked:
            return _text(rest)
        if not self._value:
            return self._finish_held(rest)
        problem = self._problem("".join(self._value)) if self._extent.complete else "it is not one JSON value"
        if AFTER_JSON.fullmatch(rest):
            return _warning(problem)
        if problem or _BRACKET.search(rest):
            rest = _FENCE_END.sub("", rest, count=1) if self._fenced else rest
            return [*_text(rest), *_warning(problem or "it is more than one JSON value")]
        return [AnswerWarning("the answer had text behind its JSON, which was left out")]

    def _read_before(self, text: str) -> str:
        for pos, char in enumerate(text):
            if char in "{[":
                self._fenced = "`" in self._before
                self._before = ""
                self._read = self._read_value
                return self._read_value(text[pos:])
            self._before += char
            if len(self._before) > MAX_BEFORE or not _BEFORE.fullmatch(self._before):
                self._read = self._read_rest
                return self._read_rest(text[pos + 1 :])
        return ""

    def _read_value(self, text: str) -> str:
        end = self._extent.feed(text, 0)
        self._value.append(text[:end])
        if self._extent.ended:
            self._read = self._read_rest
            self._rest.append(text[end:])
        return text[:end]

    def _read_rest(self, text: str) -> str:
        self._rest.append(text)
        return ""

    def _finish_held(self, text: str) -> list[Event]:
        value, around = _find_value(text)
        value = mend(value) or value
        problem = self._problem(value) if value else "it is not one JSON value"
        if problem:
            return [*_text(text), *_warning(problem)]
        if around:
            return [TextDelta(value), AnswerWarning("the answer had text around its JSON, which was left out")]
        return [TextDelta(value)]

    def _problem(self, text: str) -> str | None:
        try:
            value = decode(text)
        except ValueError:
            return "it is not valid JSON"
        problem = self._checker.problem(value)
        return None if problem is None else f"it does not satisfy the schema: {problem}"


def _find_value(text: str) -> tuple[str, bool]:
    """The only JSON object or array of a text (empty if there are more), and whether it leaves more than a fence."""
    start = _BRACKET.search(text)
    if start is None:
        return text.strip(), False  # maybe a number or a string, which some schemas allow
    extent = JsonExtent()
    end = extent.feed(text, start.start())
    before, behind = text[: start.start()], text[end:]
    wrapped = bool(AFTER_JSON.fullmatch(behind))
    if not extent.complete or (_BRACKET.search(behind) and not wrapped):
        return "", True
    return text[start.start() : end], not (wrapped and _BEFORE.fullmatch(before))


def _text(text: str) -> list[Event]:
    return [TextDelta(text)] if text else []


def _warning(problem: str | None) -> list[Event]:
    return [AnswerWarning(f"the answer is not as response_format demands: {problem}")] if problem else []
