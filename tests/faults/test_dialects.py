"""StackSpot's other spellings over real sockets: the whole answer with its counts, or an error after one request."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import litellm
import pytest

from aider_stackspot import StackSpotProvider
from aider_stackspot.api.answer import Usage
from aider_stackspot.emulator import Emulator, Fault
from aider_stackspot.errors import StreamInterrupted
from tests.faults.fault_ways import HI, Ask, Case, check, each
from tests.faults.raw_server import RawServer
from tests.faults.stream_dialects import DIALECTS, USAGE_BEHIND_THE_END, Dialect
from tests.faults.stream_reading import TEXT

pytest_plugins = ["tests.faults.fault_fixtures"]
pytestmark = pytest.mark.usefixtures("quick")

EVENTS = "text/event-stream"
LOST = litellm.APIConnectionError


def sent(*events: object) -> Fault:
    """A stream of these events, which are data unless they are lines already."""
    lines = (one if isinstance(one, str) else f"data: {json.dumps(one)}" for one in events)
    return Fault.status(200, "".join(f"{line}\n\n" for line in lines).encode(), content_type=EVENTS)


@pytest.mark.parametrize(
    "dialect", [*DIALECTS, USAGE_BEHIND_THE_END], ids=lambda dialect: f"{dialect.api} {dialect.name}"
)
def test_every_dialect_is_read_whole(dialect: Dialect, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    if dialect.api == "chat":
        monkeypatch.delenv("STACKSPOTAI_AGENT_ID")
    body = dialect.before + dialect.end + dialect.behind
    emulator.fail("any chat", Fault.status(200, body, content_type=EVENTS))
    stream = StackSpotProvider(max_retries=0).stream(HI)
    assert "".join(stream) == TEXT
    assert stream.finish is not None
    assert stream.finish.usage in (None, Usage(12, 9), Usage(12, 0))
    assert (b"9" in body) is (stream.finish.usage == Usage(12, 9))


ONE, TWO = {"message": "One two "}, {"message": "three."}
COUNTS = {"tokens": {"input": 5, "output": 20}}
END = {"stop_reason": "stop"}


@each(
    Case("running tokens", sent({**ONE, "tokens": {}}, {**TWO, **COUNTS}, END), None, (1, 1)),
    Case("tokens at the end", sent(ONE, TWO, COUNTS), None, (1, 1)),
    Case("an end named done", sent(ONE, TWO, "event: done\ndata: bye"), None, (1, 1)),
    Case("parts", sent({"message": [{"type": "text", "text": "One two "}]}, TWO, END), None, (1, 1)),
    Case("running tokens to no end", sent({**ONE, "tokens": {}}, {**TWO, **COUNTS}), LOST, (1, 1), ("end marker",)),
    Case("text behind the tokens", sent(ONE, COUNTS, TWO), LOST, (1, 1), ("end marker",)),
    Case("tokens without text", sent(COUNTS), LOST, (1, 1), ("counted 20 tokens",)),
    Case("lines for text", sent("data: One", "data: two", {**END, **COUNTS}), LOST, (1, 1), ("counted 20 tokens",)),
    Case("an error as the reason", sent(ONE, {"message": "It broke.", "stop_reason": "error"}),
         litellm.InternalServerError, (1, 1), ("'error'", "It broke.")),
    Case("plain words", sent("event: error\ndata: It broke."), litellm.InternalServerError, (1, 1), ("It broke.",)),
    Case("plain words behind text", sent(ONE, "event: error\ndata: It broke.", "data: [DONE]"),
         litellm.InternalServerError, (1, 1), ("It broke.",)),
    Case("a line error", sent(ONE, 'error: {"message": "It broke."}', END), litellm.InternalServerError, (1, 1),
         ("It broke.",)),
    Case("an error and an end", sent(ONE, {"error": "It broke."}, {**END, **COUNTS}), litellm.InternalServerError,
         (1, 1), ("It broke.",)),
    Case("too many", sent({"code": 429, "message": "Wait."}), litellm.RateLimitError, (1, 1), ("Wait.",)),
    Case("overloaded", sent("event: error\ndata: Overloaded."), litellm.ServiceUnavailableError, (1, 3),
         ("Overloaded.",)),
    Case("bad request", sent({"type": "BadRequestError", "details": "No."}), litellm.BadRequestError, (1, 1), ("No.",)),
    Case("key", sent({"error": {"type": "authentication_error", "message": "Who?"}}), litellm.AuthenticationError,
         (1, 1), ("Who?",)),
    Case("too long", sent({"details": "limit of 7 tokens, resulted in 9 tokens", "code": "INFERENCE_6001"}),
         litellm.ContextWindowExceededError, (1, 1), ("limit of 7 tokens",)),
)  # fmt: skip
def test_a_stream_with_a_good_status(case: Case, emulator: Emulator, ask: Ask) -> None:
    check(case, emulator, ask)


def chunk(content: str, reason: str | None = None) -> dict[str, Any]:
    return {"choices": [{"delta": {"content": content}, "finish_reason": reason}]}


USAGE = {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}


@pytest.mark.parametrize(
    ("behind", "usage"),
    [
        ([USAGE], Usage(5, 2)),
        ([USAGE, "[DONE]"], Usage(5, 2)),
        ([{"choices": []}, USAGE], Usage(5, 2)),
        ([], None),
        (["[DONE]"], None),
    ],
)
@pytest.mark.parametrize("stays", [False, True], ids=["closes", "stays open"])
def test_usage_may_come_behind_the_end_in_a_read_of_its_own(
    behind: list[Any], usage: Usage | None, stays: bool, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    said = (one if isinstance(one, str) else json.dumps(one) for one in [chunk("Hi"), chunk("", "stop"), *behind])
    with _Slowly(head, *(f"data: {one}\n\n".encode() for one in said), stays=stays) as server:
        monkeypatch.setenv("STACKSPOTAI_AGENT_API_BASE", server.url)
        began = time.monotonic()
        stream = StackSpotProvider(max_retries=0).stream(HI)
        assert "".join(stream) == "Hi"
        assert time.monotonic() - began < 5
    assert stream.finish is not None
    assert stream.finish.usage == usage


class _Slowly(RawServer):
    """Sends each piece in a packet of its own."""

    def _answer(self, sock: Any) -> None:
        pieces, self.data = self.data, self.data[:1]
        stays, self._stays = self._stays, True
        super()._answer(sock)
        for piece in pieces[1:]:
            threading.Event().wait(0.03)
            sock.sendall(piece)
        self.data, self._stays = pieces, stays
        if not stays:
            sock.close()


@pytest.mark.parametrize(
    ("header", "is_complete"),
    [(b"Content-Length: %d", True), (b"Transfer-Encoding: chunked", True), (b"Connection: close", False)],
)
def test_tokens_are_an_end_only_where_the_bodys_end_can_be_told_from_a_cut(
    header: bytes, is_complete: bool, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b'data: {"message": "Hi"}\n\ndata: {"message": "", "tokens": {"input": 5, "output": 2}}\n\n'
    sent_body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if b"chunked" in header else body
    header = header % len(body) if b"%" in header else header
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + header + b"\r\n\r\n"
    with RawServer(head + sent_body) as server:
        monkeypatch.setenv("STACKSPOTAI_AGENT_API_BASE", server.url)
        stream = StackSpotProvider(max_retries=0).stream(HI)
        if is_complete:
            assert "".join(stream) == "Hi"
        else:
            with pytest.raises(StreamInterrupted):
                list(stream)
    assert (stream.finish is not None) is is_complete
