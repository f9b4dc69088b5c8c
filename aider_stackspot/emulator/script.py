"""The scripted model: rules from Python or from a YAML file, and models that can be chosen by name.

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
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

import yaml

from aider_stackspot.emulator.agent_model import uses_tools
from aider_stackspot.emulator.fault import Fault
from aider_stackspot.emulator.fault_names import nearest, parse_fault
from aider_stackspot.emulator.style import STYLES, Style

Answer = str | Iterable[str]
"""A text, which is cut into words, or its deltas one by one."""
Model = Callable[[str], Answer]
"""What is answered to a prompt."""

_TOP: Final = ("rules", "default", "default_file", "model")
_RULE: Final = ("match", "answer", "answer_file", "model", "style", "fault", "times")

_GREETING: Final = (
    "Hello! This is the StackSpot emulator: your request had a valid token and reached a scripted model "
    "on this machine. Nothing left it. ✅\n"
)
_FILE: Final = re.compile(r"^(?P<path>\S[^\n]*)\n(?P<fence>`{3,})[^\n]*\n(?P<text>.*?)^(?P=fence)", re.M | re.S)
# What aider itself says: before the files of the chat, where it wants edits of them, after the files, the two edit
# formats that are spoken here, and where it wants a message for a commit.
_FILES_BEGIN: Final = "added these files to the chat"
_MAY_EDIT: Final = f"{_FILES_BEGIN}* so you can go ahead and edit them"
_FILES_END: Final = "any changes I propose will be to those files"
_BLOCKS: Final = "SEARCH/REPLACE"
_WHOLE_FILES: Final = "*file listing*"
_COMMIT_MESSAGE: Final = "one-line commit message"
_COMMENTS: Final = {
    **dict.fromkeys((".c", ".cpp", ".cs", ".go", ".h", ".java", ".js", ".kt", ".rs", ".swift", ".ts"), "// {}"),
    **dict.fromkeys((".html", ".md", ".xml"), "<!-- {} -->"),
    ".css": "/* {} */",
    ".sql": "-- {}",
}
_NOTE: Final = "Edited by the StackSpot emulator."


class ScriptError(Exception):
    """A script cannot be used; the text names the file and, where there is one, the line."""


@dataclass(frozen=True)
class Rule:
    """What happens to prompts in which ``match`` is found.

    Attributes:
        match: Regular expression, searched anywhere in the prompt; ``^`` and ``$`` match at every line.
        answer: The text or its deltas; None gives the default answer.
        style: How the stream is written; None uses the emulator's style.
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
        return _load(Path(path))

    def rule_for(self, prompt: str) -> Rule | None:
        """The first rule that matches and is not used up; counts the use."""
        with self._lock:
            for index, (rule, pattern) in enumerate(zip(self.rules, self._patterns, strict=True)):
                used = self._used.get(index, 0)
                if (rule.times is None or used < rule.times) and pattern.search(prompt):
                    self._used[index] = used + 1
                    return rule
        return None


def assistant(prompt: str) -> str:
    """An edit or a commit message where aider asks for one, else a greeting.

    aider's own words tell whether it does: its ask mode, other programs and edit formats that are not spoken here get
    the greeting.
    """
    wants_edit = _MAY_EDIT in prompt and (_BLOCKS in prompt or _WHOLE_FILES in prompt) and bool(_files(prompt))
    return edit(prompt) if wants_edit or _wants_commit_message(prompt) else hello(prompt)


def hello(_prompt: str) -> str:
    """A greeting, whatever was asked."""
    return _GREETING


def agent(prompt: str) -> str:
    """The next call of a tool where an agent program offers its tools, else as the assistant."""
    return uses_tools(prompt) or assistant(prompt)


def echo(prompt: str) -> str:
    """The prompt itself."""
    return prompt


def edit(prompt: str) -> str:
    """An edit for aider: a comment on top of the last file in the chat, or a new file when there is none.

    It answers in SEARCH/REPLACE blocks when the prompt mentions them, else with the whole file, and writes a
    commit message when asked for one.
    """
    if _wants_commit_message(prompt):
        return "docs: Note that the StackSpot emulator was here"
    path, old = (_files(prompt) or [("hello.py", "")])[-1]
    comment = _COMMENTS.get(PurePosixPath(path).suffix, "# {}").format(_NOTE)
    intro = f"I add one comment to `{path}`.\n\n"
    if _BLOCKS not in prompt:
        return f"{intro}{path}\n```\n{comment}\n{old}```\n"
    line = next((text for text in old.splitlines() if text.strip()), "")
    search = f"{line}\n" if line else ""
    block = f"<<<<<<< SEARCH\n{search}=======\n{comment}\n{search}>>>>>>> REPLACE"
    return f"{intro}{path}\n```\n{block}\n```\n"


def long(_prompt: str) -> Iterable[str]:
    """A thousand numbered lines, for watching a stream."""
    return (f"{number:4d}  All work and no play makes a stream worth watching.\n" for number in range(1, 1001))


MODELS: Final[dict[str, Model]] = {
    "assistant": assistant,
    "agent": agent,
    "hello": hello,
    "echo": echo,
    "edit": edit,
    "long": long,
}
"""The models that ``--model`` and a script know by name; the first is the default."""


def _wants_commit_message(prompt: str) -> bool:
    return _COMMIT_MESSAGE in prompt and _FILES_BEGIN not in prompt


def _files(prompt: str) -> list[tuple[str, str]]:
    """The path and the text of each file that aider has put into the chat."""
    if _FILES_BEGIN not in prompt:
        return []
    listing = prompt[prompt.rfind(_FILES_BEGIN) :].partition(_FILES_END)[0]
    return [(found["path"], found["text"]) for found in _FILE.finditer(listing)]


def _load(path: Path) -> Script:
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
