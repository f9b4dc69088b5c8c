"""Writes one answer: its headers, its pace, and the faults that break its body."""

from __future__ import annotations

from collections.abc import Iterable
from http.client import responses
from typing import Final

from aider_stackspot.emulator import bodies, frames
from aider_stackspot.emulator.bodies import Reply
from aider_stackspot.emulator.body import Body
from aider_stackspot.emulator.connection import Connection
from aider_stackspot.emulator.fault import Fault
from aider_stackspot.emulator.frames import Frame
from aider_stackspot.emulator.recording import RecordedRequest
from aider_stackspot.emulator.style import Style

_TRICKLES: Final = 20
_EVENT_STREAM: Final = "text/event-stream;charset=UTF-8"


class HangUp(Exception):
    """The emulator ends the connection on purpose; ``reset`` says how."""

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
        body = reply.body[: fault.after_bytes] if has_body else b""
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
            if not body.add(frame):
                break
        if fault.breaks:
            self._break_stream(body, style)
        else:
            body.end()

    def _open(self, style: Style) -> Body:
        headers = {"Content-Type": _EVENT_STREAM, "Cache-Control": "no-cache"}
        if style.transfer == "close":
            self.keep_alive = False
        else:
            headers["Transfer-Encoding"] = "chunked"
        if style.transfer == "gzip":
            headers["Content-Encoding"] = "gzip"
        head = self._head(200, headers, "1.0" if style.transfer == "close" else "1.1")
        if self.fault.slow_headers:
            head = self._trickle(head)
        return Body(self.connection, self.request, style, head, self.fault.after_bytes)

    def _break_stream(self, body: Body, style: Style) -> None:
        then = self.fault.then
        if then in ("error frame", "error event"):
            error = self.fault.error or bodies.default_error(500, self.request.kind)
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
        lines = [f"HTTP/{version} {status} {responses.get(status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _trickle(self, head: bytes) -> bytes:
        step = -(-len(head) // _TRICKLES)
        for start in range(0, len(head), step):
            self.connection.wait(self.fault.slow_headers / _TRICKLES)
            self.connection.send(head[start : start + step])
        return b""
