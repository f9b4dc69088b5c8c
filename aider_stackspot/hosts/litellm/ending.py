"""Whether an event stream came to its end: read from the bytes as they pass, because LiteLLM makes up a "stop".

Only the lines are looked at; nothing is changed and nothing kept but an unfinished line.
"""

from __future__ import annotations

import re
from typing import Literal

from aider_stackspot.errors import StreamInterrupted

Promise = Literal["finish_reason", "[DONE]", "either"]
"""What a server's complete streams surely end with; "either" where nothing is known about the server."""

_REASON = re.compile(rb'"finish_reason"\s*:\s*"[^"]')
_ERROR = re.compile(rb'"error"\s*:\s*["{]')
_MAX_LINE_BYTES = 1024 * 1024


class Ending:
    """Watches one stream.

    Args:
        promise: what must come.
        host: who sends it, for the message.
    """

    def __init__(self, promise: Promise, host: str) -> None:
        self._promise = promise
        self._host = host
        self._line = b""
        self._reason = False
        self._done = False
        self._failed = False

    def see(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            StreamInterrupted: the stream is declared over, and never came to its end.
        """
        lines = (self._line + data).replace(b"\r", b"\n").split(b"\n")
        self._line = lines.pop()[:_MAX_LINE_BYTES]
        for line in lines:
            self._read(line)
        if self._done:
            self.finish()

    def finish(self) -> None:
        """Take the end of the bytes.

        Raises:
            StreamInterrupted: the stream was cut before its end.
        """
        self._read(self._line)
        self._line = b""
        if not self.complete:
            raise StreamInterrupted(
                f"The stream of {self._host} ended before its end marker ({_SHOWN[self._promise]}): the answer is not "
                "complete."
            )

    @property
    def complete(self) -> bool:
        """Whether what was promised has come; a stream that ends with the server's own error has an end, too."""
        if self._failed or self._reason:
            return True
        return self._done and self._promise != "finish_reason"

    def _read(self, line: bytes) -> None:
        if not line.startswith(b"data:"):
            return
        if line[5:].strip() == b"[DONE]":
            self._done = True
        elif _REASON.search(line):
            self._reason = True
        elif _ERROR.search(line):
            self._failed = True


_SHOWN = {"finish_reason": "`finish_reason`", "[DONE]": "`[DONE]`", "either": "`finish_reason` or `[DONE]`"}
