"""Where a JSON value ends, found while its text is still arriving.

The scanner knows strings and brackets, nothing else: enough not to be misled by a bracket or a marker inside a
string, and tolerant of everything `repair` may still mend (other quotation marks, trailing commas).
"""

import re

# What may follow a complete value: spaces and the end of a code fence. A surplus "}" is the commonest slip of models
# with nested objects, and changes nothing.
BEHIND = re.compile(r"[\s}]*`{0,8}\s*")

_OPENERS = {'"': '"', "'": "'", "“": "”"}
_STRUCTURE = re.compile("[\"'“{}\\[\\]<]")
_IN_STRING = {closer: re.compile(rf"[\\{closer}]") for closer in _OPENERS.values()}


class JsonExtent:
    """Finds the end of one JSON object or array; feed it from the opening bracket on.

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
