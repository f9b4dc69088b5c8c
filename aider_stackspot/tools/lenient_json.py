r"""JSON as models write it: where it ends while it is still arriving, mended, and read in its own spelling.

JSON is mended where only one reading is possible. Mended: a comma before a closing bracket; line breaks, tabs and
other control characters inside a string; strings in single or typographic quotation marks; Python's ``True``,
``False``, ``None``; exotic spaces between tokens.
Not mended, because more than one reading exists: a missing bracket, comma or quotation mark, an unknown escape
(``"\d"`` may mean a backslash or not), a comment, a bare word.
"""

from __future__ import annotations

import json
import re
from typing import Any

_SPACE = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<double>"[^"\\]*(?:\\.[^"\\]*)*")
    | (?P<single>'[^'\\]*(?:\\.[^'\\]*)*')
    | (?P<typographic>“[^“”"\\]*(?:\\.[^“”"\\]*)*”)
    | (?P<word>[A-Za-z0-9+.\-]+)
    | (?P<mark>[{}\[\]:,])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE_OR_QUOTE = re.compile(r"\\.|\"", re.DOTALL)
_REQUOTED = {"\\'": "'", '"': '\\"'}
_ESCAPE_OR_CONTROL = re.compile(r"\\.|[\x00-\x1f]", re.DOTALL)
_WORDS = {"True": "true", "False": "false", "None": "null"}

# What may follow a complete value: spaces and the end of a code fence. A surplus "}" is the commonest slip of models
# with nested objects, and changes nothing.
AFTER_JSON = re.compile(r"[\s}]*`{0,8}\s*")

_OPENERS = {'"': '"', "'": "'", "“": "”"}
_STRUCTURE = re.compile("[\"'“{}\\[\\]<]")
_IN_STRING = {closer: re.compile(rf"[\\{closer}]") for closer in _OPENERS.values()}


class JsonExtent:
    """Finds the end of one JSON object or array while its text arrives; feed it from the opening bracket on.

    It knows strings and brackets, nothing else: enough not to be misled by a bracket or a marker inside a string, and
    tolerant of everything that `mend` may still mend.

    Attributes:
        complete: every bracket is closed.
        broken: a `<` stands outside every string, which no JSON has.
    """

    def __init__(self) -> None:
        self.complete = False
        self.broken = False
        self._depth = 0
        self._closer = ""
        self._escaped = False

    @property
    def ended(self) -> bool:
        """Whether the rest is not part of the value."""
        return self.complete or self.broken

    def feed(self, data: str, pos: int) -> int:
        """Read `data` from `pos`.

        Returns:
            the index of the first character that is not the value's; `len(data)` while the value goes on.
        """
        while pos < len(data) and not self.ended:
            if self._escaped:
                self._escaped = False
                pos += 1
                continue
            match = (_IN_STRING[self._closer] if self._closer else _STRUCTURE).search(data, pos)
            if match is None:
                return len(data)
            pos = match.end()
            if self._closer:
                self._read_in_string(match.group())
            elif match.group() == "<":
                self.broken = True
                return match.start()
            else:
                self._read_structure(match.group())
        return pos

    def _read_in_string(self, char: str) -> None:
        if char == "\\":
            self._escaped = True
        else:
            self._closer = ""

    def _read_structure(self, char: str) -> None:
        if char in _OPENERS:
            self._closer = _OPENERS[char]
            return
        self._depth += 1 if char in "{[" else -1
        self.complete = self._depth <= 0


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def decode(text: str) -> Any:
    """The value of a JSON text (NaN and Infinity are refused, unlike in `json.loads`).

    Raises:
        ValueError: not JSON, or nested too deeply to be read.
    """
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def members(text: str) -> dict[str, str]:
    """The members of a JSON object: each name with the text of its value, spelled as it stands.

    Raises:
        ValueError: not a JSON object, or a name that occurs twice.
    """
    found: dict[str, str] = {}
    pos = _expect(text, 0, "{")
    if text[pos : pos + 1] == "}":
        pos += 1
    else:
        while True:
            key, pos = _value(text, pos)
            if not isinstance(key, str) or key in found:
                raise ValueError("a member name is not a string, or occurs twice")
            start = _expect(text, pos, ":")
            _, pos = _value(text, start)
            found[key] = text[start:pos]
            pos = _skip(text, pos)
            if text[pos : pos + 1] == "}":
                pos += 1
                break
            pos = _expect(text, pos, ",")
    if _skip(text, pos) != len(text):
        raise ValueError("text after the object")
    return found


def mend(text: str) -> str | None:
    """The JSON text that `text` must have been meant to be.

    Returns:
        the mended text (`text` itself when it is JSON already), or None when there is no certain reading.
    """
    for candidate in (text, _respell(text)):
        if candidate is None:
            return None
        try:
            decode(candidate)
        except ValueError:
            continue
        return candidate
    return None


def _skip(text: str, pos: int) -> int:
    match = _SPACE.match(text, pos)
    return match.end() if match else pos


def _expect(text: str, pos: int, mark: str) -> int:
    pos = _skip(text, pos)
    if not text.startswith(mark, pos):
        raise ValueError(f"expected {mark} at character {pos}")
    return _skip(text, pos + 1)


def _value(text: str, pos: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, pos)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _respell(text: str) -> str | None:
    """Each token in JSON's spelling, or None when the text is not a row of tokens."""
    out: list[str] = []
    held = False  # a comma that waits for what follows it
    last = ""
    pos = 0
    while pos < len(text):
        match = _TOKEN.match(text, pos)
        if match is None:
            return None
        pos = match.end()
        token = _respell_token(str(match.lastgroup), match.group())
        if match.lastgroup == "space":
            out.append(token)
            continue
        if held and token not in ("}", "]"):
            out.append(",")
        held = token == "," and last not in ("{", "[", ",")  # "[,]" and "[1,,]" have no certain reading
        if not held:
            out.append(token)
        last = token
    return "".join(out) + ("," if held else "")


def _respell_token(kind: str, token: str) -> str:
    if kind == "space":
        return " "
    if kind == "word":
        return _WORDS.get(token, token)
    if kind == "mark":
        return token
    body = token[1:-1]
    if kind == "single":
        body = _ESCAPE_OR_QUOTE.sub(lambda match: _REQUOTED.get(match.group(), match.group()), body)
    return f'"{_ESCAPE_OR_CONTROL.sub(_escape_control, body)}"'


def _escape_control(match: re.Match[str]) -> str:
    # A backslash before a line break may continue the line or stand for itself: left for the decoder to refuse.
    char = match.group()
    return char if char.startswith("\\") else json.dumps(char)[1:-1]
