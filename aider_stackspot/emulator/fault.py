"""What the emulator can do wrong on purpose: a value with a constructor for each fault."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from aider_stackspot.emulator import responses
from aider_stackspot.emulator.responses import Reply

Break = Literal["cut", "reset", "end", "silence", "error frame", "error event"]


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a request; build it with one of the constructors that have names.

    A fault acts in the order of its fields: silence, then no answer at all or another answer, then what
    happens to the answer's headers, content and end.

    Attributes:
        name: What the log calls it.
        silence: Seconds of silence before anything else happens.
        abort: Close or reset the connection instead of answering.
        status_code: Answer with this status and its usual body.
        reply: Answer with exactly this.
        headers: Further headers of that answer.
        slow_headers: Seconds over which the status line and the headers trickle out.
        token: Members of the token answer to change; None as a value removes the member.
        token_reply: Content type and padding (bytes) of the token answer.
        empties: Empty deltas before the text.
        junk: Data that is no JSON object between the deltas.
        event_bytes: Say one delta of this many bytes instead of the answer.
        answer_bytes: Say a text of this many bytes, made while it is sent.
        after_events: Break the body after this many events (0: after the headers).
        after_bytes: Break the body after this many bytes of events.
        after_encoded_bytes: Break it after this many bytes as they are on the wire, compressed.
        then: What breaking means.
        seconds: How long the silence after those events lasts; then the connection is cut.
        error: Whose body an error in the stream has; None means the API's for 500.
    """

    name: str
    silence: float = 0.0
    abort: Literal["", "close", "reset"] = ""
    status_code: int | None = None
    reply: Reply | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    slow_headers: float = 0.0
    token: Mapping[str, Any] = field(default_factory=dict)
    token_reply: tuple[str, int] = (responses.JSON, 0)
    empties: int = 0
    junk: bool = False
    event_bytes: int | None = None
    answer_bytes: int | None = None
    after_events: int | None = None
    after_bytes: int | None = None
    after_encoded_bytes: int | None = None
    then: Break = "cut"
    seconds: float = 3600.0
    error: Reply | None = None

    @property
    def breaks(self) -> bool:
        """Whether the body stops before its end."""
        limits = (self.after_events, self.after_bytes, self.after_encoded_bytes)
        return any(limit is not None for limit in limits)

    @property
    def spoils_token(self) -> bool:
        """Whether the token endpoint's answer is changed."""
        return bool(self.token) or self.token_reply != (responses.JSON, 0)

    def fixed_reply(self, kind: str) -> Reply | None:
        """The answer this fault gives to a request of ``kind`` in place of the real one."""
        answer = self.reply
        if answer is None and self.status_code is not None:
            answer = responses.default_error(self.status_code, kind)
        return answer and replace(answer, headers={**answer.headers, **self.headers})

    @classmethod
    def status(
        cls,
        code: int,
        body: str | bytes | Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        retry_after: float | str | None = None,
        content_type: str | None = None,
    ) -> Fault:
        """An HTTP status with StackSpot's body for it, or with ``body``.

        Args:
            code: The status.
            body: A text, bytes, or an object to send as JSON.
            headers: Further headers.
            retry_after: Seconds or an HTTP date for ``Retry-After``; None sends no such header.
            content_type: Content type of ``body``; guessed when not given.
        """
        after = {} if retry_after is None else {"Retry-After": f"{retry_after}"}
        further = {**(headers or {}), **after}
        answer = None if body is None else _reply(code, body, content_type)
        return cls(f"status:{code}", status_code=code, reply=answer, headers=further)

    @classmethod
    def too_long(cls, limit: int = 272_000, tokens: int = 300_123) -> Fault:
        """400, the prompt does not fit: limit and size in tokens."""
        return cls("too-long", reply=responses.too_long(limit, tokens))

    @classmethod
    def refused(cls, details: str = "The model refused this request.") -> Fault:
        """400 with the code of a too long prompt, but for another reason."""
        return cls("refused", reply=responses.refused(details))

    @classmethod
    def login_page(cls) -> Fault:
        """200 with a proxy's HTML login page."""
        return cls("login-page", reply=Reply(200, responses.LOGIN_PAGE.encode(), responses.HTML))

    @classmethod
    def redirect(cls, location: str, code: int = 302) -> Fault:
        """A redirect to ``location``."""
        return cls("redirect", reply=Reply(code, b"", responses.HTML, {"Location": location}))

    @classmethod
    def bad_token(
        cls,
        *,
        content_type: str = responses.JSON,
        padding: int = 0,
        without: tuple[str, ...] = (),
        **members: Any,
    ) -> Fault:
        """A token answer that is not as it should be; the token in it is a working one.

        Args:
            content_type: Content type of the answer.
            padding: Bytes of further, meaningless content.
            without: Names of members to leave out.
            members: Members to add or change, for example ``expires_in="1199"``.
        """
        changes = {**members, **dict.fromkeys(without)}
        return cls("bad-token", token=changes, token_reply=(content_type, padding))

    @classmethod
    def close(cls) -> Fault:
        """The connection is closed instead of an answer."""
        return cls("close", abort="close")

    @classmethod
    def reset(cls) -> Fault:
        """The connection is reset (RST) instead of an answer."""
        return cls("reset", abort="reset")

    @classmethod
    def silent(cls, seconds: float = 3600.0) -> Fault:
        """Silence before the first byte, then the usual answer; the emulator's ``silence_limit`` ends it earlier."""
        return cls("silent", silence=seconds)

    @classmethod
    def slow_header(cls, seconds: float) -> Fault:
        """Status line and headers trickle out over so many seconds."""
        return cls("slow-headers", slow_headers=seconds)

    @classmethod
    def cut_after(
        cls, events: int | None = None, *, body_bytes: int | None = None, encoded_bytes: int | None = None
    ) -> Fault:
        """The connection closes in the middle of the body, without its last chunk.

        Args:
            events: After so many events.
            body_bytes: After so many bytes of events.
            encoded_bytes: After so many bytes of them as they are on the wire, compressed.
        """
        return cls(
            "cut-after", after_events=events, after_bytes=body_bytes, after_encoded_bytes=encoded_bytes, then="cut"
        )

    @classmethod
    def reset_after(cls, events: int | None = None, *, body_bytes: int | None = None) -> Fault:
        """The connection is reset (RST) in the middle of the body; the arguments are those of :meth:`cut_after`."""
        return cls("reset-after", after_events=events, after_bytes=body_bytes, then="reset")

    @classmethod
    def end_after(
        cls, events: int | None = None, *, body_bytes: int | None = None, encoded_bytes: int | None = None
    ) -> Fault:
        """The body ends in order, with its last chunk, before its terminal event.

        The arguments are those of :meth:`cut_after`. With ``encoded_bytes``, what compression writes at its end is
        missing as well.
        """
        return cls(
            "end-after", after_events=events, after_bytes=body_bytes, after_encoded_bytes=encoded_bytes, then="end"
        )

    @classmethod
    def silent_after(cls, events: int, seconds: float = 3600.0) -> Fault:
        """Silence after so many events; the connection is cut when it is over."""
        return cls("silent-after", after_events=events, then="silence", seconds=seconds)

    @classmethod
    def error_frame(cls, after: int, *, named: bool = False, reply: Reply | None = None) -> Fault:
        """An error in the stream after so many events, then a clean end of the body.

        Args:
            after: Events before the error.
            named: Whether the frame carries ``event: error``.
            reply: Whose body is the frame's data, JSON or not; the API's body for 500 when not given.
        """
        then: Break = "error event" if named else "error frame"
        return cls("error-frame", after_events=after, then=then, error=reply)

    @classmethod
    def flood(cls, empties: int) -> Fault:
        """So many empty deltas before the answer."""
        return cls("flood", empties=empties)

    @classmethod
    def junk_events(cls) -> Fault:
        """Data that is no JSON, or no object, between the deltas."""
        return cls("junk", junk=True)

    @classmethod
    def big_event(cls, size: int) -> Fault:
        """One delta of ``size`` bytes."""
        return cls("big-event", event_bytes=size)

    @classmethod
    def big_answer(cls, size: int) -> Fault:
        """An answer of ``size`` bytes of text in ordinary deltas, never held in memory."""
        return cls("big-answer", answer_bytes=size)


def _reply(code: int, body: str | bytes | Mapping[str, Any], content_type: str | None) -> Reply:
    if isinstance(body, str):
        guess = responses.HTML if body.lstrip().startswith("<") else responses.JSON
        return Reply(code, body.encode(), content_type or guess)
    if isinstance(body, bytes):
        return Reply(code, body, content_type or responses.JSON)
    return Reply(code, json.dumps(body).encode(), content_type or responses.JSON)
