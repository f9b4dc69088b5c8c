"""What the scripted model says: the behaviours that can be chosen by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import Final

Answer = str | Iterable[str]
"""A text, cut into words, or its deltas one by one."""
Model = Callable[[str], Answer]
"""A prompt's answer."""

_GREETING: Final = (
    "Hello! This is the StackSpot emulator: your request had a valid token and reached a scripted model "
    "on this machine. Nothing left it. ✅\n"
)
_FILE: Final = re.compile(r"^(?P<path>\S[^\n]*)\n(?P<fence>`{3,})[^\n]*\n(?P<text>.*?)^(?P=fence)", re.M | re.S)
_ADDED: Final = "added these files to the chat"
_COMMENTS: Final = {
    **dict.fromkeys((".c", ".cpp", ".cs", ".go", ".h", ".java", ".js", ".kt", ".rs", ".swift", ".ts"), "// {}"),
    **dict.fromkeys((".html", ".md", ".xml"), "<!-- {} -->"),
    ".css": "/* {} */",
    ".sql": "-- {}",
}
_NOTE: Final = "Edited by the StackSpot emulator."


def hello(_prompt: str) -> str:
    """A greeting, whatever was asked."""
    return _GREETING


def echo(prompt: str) -> str:
    """The prompt itself."""
    return prompt


def long(_prompt: str) -> Iterable[str]:
    """A thousand numbered lines, for watching a stream."""
    return (f"{number:4d}  All work and no play makes a stream worth watching.\n" for number in range(1, 1001))


def edit(prompt: str) -> str:
    """An aider edit: a comment on top of the last file in the chat, or a new file when there is none.

    It answers in SEARCH/REPLACE blocks when the prompt mentions them, else with the whole file, and writes a
    commit message when asked for one.
    """
    if "commit message" in prompt.lower() and _ADDED not in prompt:
        return "docs: Note that the StackSpot emulator was here"
    files = [*_FILE.finditer(prompt[prompt.rfind(_ADDED) :])] if _ADDED in prompt else []
    path = files[-1]["path"] if files else "hello.py"
    old = files[-1]["text"] if files else ""
    comment = _COMMENTS.get(PurePosixPath(path).suffix, "# {}").format(_NOTE)
    intro = f"I add one comment to `{path}`.\n\n"
    if "SEARCH/REPLACE" not in prompt:
        return f"{intro}{path}\n```\n{comment}\n{old}```\n"
    line = next((text for text in old.splitlines() if text.strip()), "")
    search = f"{line}\n" if line else ""
    block = f"<<<<<<< SEARCH\n{search}=======\n{comment}\n{search}>>>>>>> REPLACE"
    return f"{intro}{path}\n```\n{block}\n```\n"


MODELS: Final[dict[str, Model]] = {"hello": hello, "echo": echo, "edit": edit, "long": long}
"""The behaviours ``--model`` knows."""
