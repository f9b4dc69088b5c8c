"""The body of a stream on its way out: gathered into writes, compressed, marked as chunks."""

from __future__ import annotations

import itertools
import zlib

from aider_stackspot.emulator.connection import Connection
from aider_stackspot.emulator.frames import Frame
from aider_stackspot.emulator.recording import RecordedRequest
from aider_stackspot.emulator.style import Style


class Body:
    """Sends frames in a style's writes.

    The last frame leaves together with the mark of the body's end, so that a client which goes away as soon
    as it has read the last event is never taken for one that left early.

    Args:
        connection: Where it goes.
        request: Whose count of sent bytes is kept.
        style: How to frame and cut.
        head: Status line and headers, sent with the first write.
        limit: Stop after this many bytes of frames; None never does.
    """

    def __init__(
        self, connection: Connection, request: RecordedRequest, style: Style, head: bytes, limit: int | None
    ) -> None:
        self._connection = connection
        self._request = request
        self._style = style
        self._head = head
        self._room = limit
        self._pending = bytearray()
        self._count = 0
        self._gzip = zlib.compressobj(wbits=31) if style.transfer == "gzip" else None

    def add(self, frame: Frame) -> bool:
        """Take a frame; False when the limit is reached and nothing more is wanted."""
        data = frame.data
        if self._room is not None:
            data = data[: self._room]
            self._room -= len(data)
        self._pending += data
        self._count += 1
        if self._count >= self._style.events_per_write and not frame.last:
            self.flush()
        return self._room != 0

    def lift_limit(self) -> None:
        """Take whole frames again."""
        self._room = None

    def flush(self) -> None:
        """Send what was gathered, or at least the headers."""
        data = bytes(self._pending)
        self._pending.clear()
        self._count = 0
        self._write(
            data,
            data and self._gzip.compress(data) + self._gzip.flush(zlib.Z_SYNC_FLUSH) if self._gzip else data,
        )

    def end(self) -> None:
        """Send the rest and the mark of the body's end."""
        data = bytes(self._pending)
        self._pending.clear()
        packed = self._gzip.compress(data) + self._gzip.flush() if self._gzip else data
        self._write(data, packed, b"" if self._style.transfer == "close" else b"0\r\n\r\n")

    def _write(self, data: bytes, packed: bytes, end: bytes = b"") -> None:
        parts = [self._marked(piece) for piece in self._pieces(packed)] or [b""]
        parts[0] = self._head + parts[0]
        parts[-1] += end
        self._head = b""
        for part in parts:
            if part:
                self._connection.wait(0)
                self._connection.send(part)
        self._request.sent += len(data)

    def _marked(self, piece: bytes) -> bytes:
        if self._style.transfer == "close":
            return piece
        return b"%x\r\n%b\r\n" % (len(piece), piece)

    def _pieces(self, data: bytes) -> list[bytes]:
        if not data:
            return []
        size = self._style.write_size
        if size:
            return [data[start : start + size] for start in range(0, len(data), size)]
        if self._style.split_characters:
            cuts = [0, *(place + 1 for place, byte in enumerate(data[:-1]) if byte >= 0xC0), len(data)]
            return [data[start:end] for start, end in itertools.pairwise(cuts)]
        return [data]
