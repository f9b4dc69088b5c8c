"""One request and its answer: the headers, the pace of the body, and the faults that break it."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from aider_stackspot.emulator import frames
from aider_stackspot.emulator.fault import Fault
from aider_stackspot.emulator.frames import Frame
from aider_stackspot.emulator.http_server import Connection
from aider_stackspot.emulator.recording import RecordedRequest
from aider_stackspot.emulator.responses import Reply, default_error
from aider_stackspot.emulator.style import ContentEncoding, Style

_REASONS: Final = {status.value: status.phrase for status in HTTPStatus}
_TRICKLES: Final = 20
_EVENT_STREAM: Final = "text/event-stream;charset=UTF-8"
_WINDOW_BITS: Final[dict[ContentEncoding, int]] = {"gzip": 31, "deflate": 15, "raw deflate": -15}
"""What zlib writes for each encoding."""


class HangUp(Exception):
    """A fault ends the connection; ``reset`` says how."""

    def __init__(self, *, reset: bool = False) -> None:
        super().__init__()
        self.reset = reset


class Exchange:
    """One request on its way to its answer.

    Its methods raise ``ClientGone`` when the client leaves before the answer is complete, and
    :class:`HangUp` when a fault ends the connection.

    Args:
        connection: Where the answer goes.
        request: The request, whose record is kept up to date.
        fault: What goes wrong with it; None for nothing.
        silence_limit: Seconds without a byte after which the server gives up.
        keep_alive: Whether the connection serves another request afterwards.
    """

    def __init__(
        self,
        connection: Connection,
        request: RecordedRequest,
        fault: Fault | None,
        silence_limit: float,
        *,
        keep_alive: bool,
    ) -> None:
        self.connection = connection
        self.request = request
        self.silence_limit = silence_limit
        self.keep_alive = keep_alive
        self.set_fault(fault or Fault(""))

    def set_fault(self, fault: Fault) -> None:
        """Let the request meet this fault, and record it."""
        self.fault = fault
        self.request.fault = fault.name

    def meet_fault(self) -> bool:
        """Do what the fault does instead of the usual answer; tell whether that has answered the request."""
        self.pause(self.fault.silence)
        if self.fault.abort:
            raise HangUp(reset=self.fault.abort == "reset")
        if (reply := self.fault.fixed_reply(self.request.kind)) is None:
            return False
        self.reply(reply)
        return True

    def pause(self, seconds: float) -> None:
        """Be silent for so long; longer than the limit, the connection is cut there."""
        if seconds:
            self.connection.wait(min(seconds, self.silence_limit))
        if seconds > self.silence_limit:
            raise HangUp

    def reply(self, reply: Reply) -> None:
        """Send a whole answer at once; for a fault that counts events it is one event."""
        fault = self.fault
        length = {"Content-Type": reply.content_type, "Content-Length": f"{len(reply.body)}"}
        head = self._head(reply.status, {**length, **reply.headers})
        has_body = fault.after_events != 0 and self.request.method != "HEAD"
        body = reply.body[: fault.after_bytes][: fault.after_encoded_bytes] if has_body else b""
        self.connection.wait(0)
        if fault.slow_headers:
            head = self._trickle(head)
        self.connection.send(head + body)
        self.request.sent = len(body)
        if fault.breaks:
            self._break()

    def stream(self, events: Iterable[Frame], style: Style) -> None:
        """Send an answer event by event."""
        fault = self.fault
        body = self._open(style)
        for position, frame in enumerate(events):
            if fault.after_events is not None and position >= fault.after_events:
                break
            if position and style.delay:
                body.flush()
                self.pause(style.delay)
            body.add(frame)
            if body.is_full:
                break
        if fault.breaks:
            self._break_stream(body, style)
        else:
            body.end()

    def _open(self, style: Style) -> _StreamBody:
        headers = {"Content-Type": _EVENT_STREAM, "Cache-Control": "no-cache"}
        if style.transfer == "close":
            self.keep_alive = False
        else:
            headers["Transfer-Encoding"] = "chunked"
        if style.encoding != "identity":
            headers["Content-Encoding"] = style.encoding.removeprefix("raw ")
        head = self._head(200, headers, "1.0" if style.transfer == "close" else "1.1")
        if self.fault.slow_headers:
            head = self._trickle(head)
        return _StreamBody(self.connection, self.request, style, head, self.fault)

    def _break_stream(self, body: _StreamBody, style: Style) -> None:
        then = self.fault.then
        if then in ("error frame", "error event"):
            error = self.fault.error or default_error(500, self.request.kind)
            body.lift_limit()
            body.add(Frame(frames.error_frame(error.body.decode(), style, named=then == "error event")))
        if then in ("end", "error frame", "error event"):
            body.end()
            return
        body.flush()
        self._break()

    def _break(self) -> None:
        if self.fault.then == "silence":
            self.connection.wait(self.fault.seconds)
        raise HangUp(reset=self.fault.then == "reset")

    def _head(self, status: int, headers: dict[str, str], version: str = "1.1") -> bytes:
        self.request.status = status
        if not self.keep_alive:
            headers["Connection"] = "close"
        lines = [f"HTTP/{version} {status} {_REASONS.get(status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _trickle(self, head: bytes) -> bytes:
        step = -(-len(head) // _TRICKLES)
        for start in range(0, len(head), step):
            self.connection.wait(self.fault.slow_headers / _TRICKLES)
            self.connection.send(head[start : start + step])
        return b""


class _StreamBody:
    """The body of a stream on its way out: gathered into writes, compressed, marked as chunks.

    The last frame leaves together with the mark of the body's end, so that a client which goes away as soon
    as it has read the last event is never taken for one that left early.

    Args:
        connection: Where it goes.
        request: Whose count of sent bytes is kept.
        style: How to compress, gather and cut.
        head: Status line and headers, sent with the first write.
        fault: Whose limits on the number of bytes hold.
    """

    def __init__(
        self, connection: Connection, request: RecordedRequest, style: Style, head: bytes, fault: Fault
    ) -> None:
        self._connection = connection
        self._request = request
        self._style = style
        self._head = head
        self._room = fault.after_bytes
        self._encoded_room = fault.after_encoded_bytes
        self._pending = bytearray()
        self._count = 0
        bits = _WINDOW_BITS.get(style.encoding)
        self._compressor = None if bits is None else zlib.compressobj(wbits=bits)

    @property
    def is_full(self) -> bool:
        """Whether one of the fault's limits is reached."""
        return self._room == 0 or self._encoded_room == 0

    def add(self, frame: Frame) -> None:
        """Take a frame, or as much of it as the limit lets through."""
        data = frame.data
        if self._room is not None:
            data = data[: self._room]
            self._room -= len(data)
        self._pending += data
        self._count += 1
        if self._count >= self._style.events_per_write and not frame.last:
            self.flush()

    def lift_limit(self) -> None:
        """Take whole frames again."""
        self._room = self._encoded_room = None

    def flush(self) -> None:
        """Send what was gathered, or at least the headers."""
        self._write(zlib.Z_SYNC_FLUSH)

    def end(self) -> None:
        """Send the rest and the mark of the body's end."""
        self._write(zlib.Z_FINISH, b"" if self._style.transfer == "close" else b"0\r\n\r\n")

    def _write(self, mode: int, end: bytes = b"") -> None:
        data = bytes(self._pending)
        self._pending.clear()
        self._count = 0
        parts = [self._marked(piece) for piece in self._pieces(self._encoded(data, mode))] or [b""]
        parts[0] = self._head + parts[0]
        parts[-1] += end
        self._head = b""
        for part in parts:
            if part:
                self._connection.wait(0)
                self._connection.send(part)
        self._request.sent += len(data)

    def _encoded(self, data: bytes, mode: int) -> bytes:
        if self._compressor is not None and (data or mode == zlib.Z_FINISH):
            data = self._compressor.compress(data) + self._compressor.flush(mode)
        if self._encoded_room is not None:
            data = data[: self._encoded_room]
            self._encoded_room -= len(data)
        return data

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
