"""Reads a script from YAML and says where it is wrong.

A script has a default answer and rules; the first rule whose ``match`` is found in the prompt wins::

    default: I have nothing to say about that.      # or default_file: FILE, or model: NAME
    rules:
      - match: "(?i)fix the bug"                     # a regular expression
        answer_file: fix.md                          # next to the script
        times: 1                                     # then the next rule that matches
      - match: slow
        answer: [One, " by", " one."]                # a text, or its deltas
        style: slow                                  # a name of STYLES
      - match: break
        fault: cut-after:3                           # a name of FAULTS with its argument
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import yaml

from aider_stackspot.emulator.fault import Fault
from aider_stackspot.emulator.fault_names import parse_fault
from aider_stackspot.emulator.models import MODELS, Answer, Model
from aider_stackspot.emulator.script import Rule, Script
from aider_stackspot.emulator.style import STYLES, Style

_TOP: Final = ("rules", "default", "default_file", "model")
_RULE: Final = ("match", "answer", "answer_file", "model", "style", "fault", "times")


class ScriptError(Exception):
    """A script cannot be used; the text names the file and, where there is one, the line."""


def load(path: Path) -> Script:
    """The script in a YAML file.

    Raises:
        ScriptError: It cannot be read, is no YAML, or is no script.
    """
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise ScriptError(f"{path}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else f"{path}"
        raise ScriptError(f"{where}: no YAML: {getattr(error, 'problem', None) or error}") from error
    return _Reader(path).script(root)


class _Reader:
    """Reads one file's nodes, which know their lines."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def script(self, root: yaml.Node | None) -> Script:
        if root is None:
            return Script()
        if isinstance(root, yaml.SequenceNode):
            return Script([self._rule(node) for node in root.value])
        members = self._members(root, _TOP, "script")
        rules = members.get("rules")
        if rules is not None and not isinstance(rules, yaml.SequenceNode):
            raise self._error(rules, "rules is not a list")
        default = self._answer(members, "default", "default_file")
        return Script([self._rule(node) for node in rules.value] if rules else [], default)

    def _rule(self, node: yaml.Node) -> Rule:
        members = self._members(node, _RULE, "rule")
        if "match" not in members:
            raise self._error(node, "a rule needs match")
        match = self._text(members["match"], "match")
        try:
            re.compile(match)
        except re.error as error:
            raise self._error(members["match"], f"match is no regular expression: {error}") from error
        return Rule(
            match,
            answer=self._answer(members, "answer", "answer_file"),
            style=self._style(members.get("style")),
            fault=self._fault(members.get("fault")),
            times=self._times(members.get("times")),
        )

    def _answer(self, members: dict[str, yaml.Node], text: str, file: str) -> Answer | Model | None:
        given = [name for name in (text, file, "model") if name in members]
        if not given:
            return None
        node = members[given[-1]]
        if len(given) > 1:
            raise self._error(node, f"{given[0]} and {given[1]} exclude each other")
        if given == ["model"]:
            return MODELS[self._choice(node, "model", list(MODELS))]
        if given == [file]:
            return self._file(node, file)
        if isinstance(node, yaml.SequenceNode):
            return [self._text(item, text) for item in node.value]
        return self._text(node, text)

    def _file(self, node: yaml.Node, name: str) -> str:
        path = self._path.parent / self._text(node, name)
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise self._error(node, f"{name} cannot be read: {error}") from error

    def _style(self, node: yaml.Node | None) -> Style | None:
        return None if node is None else STYLES[self._choice(node, "style", list(STYLES))]

    def _fault(self, node: yaml.Node | None) -> Fault | None:
        if node is None:
            return None
        try:
            return parse_fault(self._text(node, "fault"))
        except ValueError as error:
            raise self._error(node, f"{error}") from error

    def _times(self, node: yaml.Node | None) -> int | None:
        if node is None:
            return None
        value = self._value(node)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self._error(node, "times is not a number from 1")
        return value

    def _members(self, node: yaml.Node, known: tuple[str, ...], what: str) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            raise self._error(node, f"a {what} is a mapping with {', '.join(known)}")
        members: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = self._text(key, "key")
            if name not in known:
                raise self._error(key, f"unknown key {name!r}{nearest(name, known)}")
            members[name] = value
        return members

    def _choice(self, node: yaml.Node, what: str, known: list[str]) -> str:
        name = self._text(node, what)
        if name not in known:
            raise self._error(node, f"unknown {what} {name!r}{nearest(name, known)}")
        return name

    def _text(self, node: yaml.Node, what: str) -> str:
        value = self._value(node)
        if isinstance(value, (dict, list)) or value is None:
            raise self._error(node, f"{what} is no text")
        return node.value if isinstance(node, yaml.ScalarNode) else f"{value}"

    @staticmethod
    def _value(node: yaml.Node) -> Any:
        loader = yaml.SafeLoader("")
        try:
            return loader.construct_document(node)
        finally:
            loader.dispose()

    def _error(self, node: yaml.Node, problem: str) -> ScriptError:
        return ScriptError(f"{self._path}:{node.start_mark.line + 1}: {problem}")


def nearest(name: str, known: tuple[str, ...] | list[str]) -> str:
    """A hint with the known name that looks most like ``name``, or all of them."""
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(known)}"
