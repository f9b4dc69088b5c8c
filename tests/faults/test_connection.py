"""Connections that break and answers that are not what they should be, at every place where that can happen."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import replace

import litellm
import pytest

from aider_stackspot import StackSpotProvider
from aider_stackspot.emulator import STYLES, Emulator, Fault, Style
from aider_stackspot.emulator.responses import Reply, too_long
from aider_stackspot.errors import StackSpotError
from tests.faults.fault_ways import HI, Ask, Case, check, completion, each

pytest_plugins = ["tests.faults.fault_fixtures"]
pytestmark = pytest.mark.usefixtures("quick")

LOST = litellm.APIConnectionError
BROKE = ("The connection to 127.0.0.1", "broke while the answer was awaited")
CUT = ("ended before its end marker", "incomplete")
EVENTS = "text/event-stream"
HTML_200 = Fault.status(200, "<html><body>Sign in</body></html>")


def stream(*lines: str) -> Fault:
    """An event stream of these lines, which ends there."""
    return Fault.status(200, "".join(line + "\n" for line in lines).encode(), content_type=EVENTS)


def packed(data: bytes, coding: str = "gzip") -> Fault:
    return Fault.status(200, data, content_type=EVENTS, headers={"Content-Encoding": coding})


def flushed(data: bytes) -> bytes:
    """The beginning of a gzip stream, as far as a server has flushed it."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)


END = '{"message": "", "stop_reason": "stop"}'
WHOLE = f'data: {{"message": "One two three."}}\n\ndata: {END}\n\n'.encode()


@each(
    Case("close", Fault.close(), LOST, (1, 3), BROKE),
    Case("reset", Fault.reset(), LOST, (1, 3), (*BROKE, "Connection reset by peer")),
    Case("close twice", Fault.close(), None, (1, 3), times=2),
    Case("reset twice", Fault.reset(), None, (1, 3), times=2),
    Case("cut after the headers", Fault.cut_after(0), LOST, (1, 3), BROKE),
    Case("cut after the headers once", Fault.cut_after(0), None, (1, 2), times=1),
    Case("reset after the headers", Fault.reset_after(0), LOST, (1, 3), BROKE),
    Case("end after the headers", Fault.end_after(0), LOST, (1, 3), CUT),
    Case("end in the first event", Fault.end_after(body_bytes=5), LOST, (1, 3), CUT),
    Case("cut in the first event", Fault.cut_after(body_bytes=12), LOST, (1, 3), ("damaged",)),
    Case("headers that trickle", Fault.slow_header(0.05), None, (1, 1)),
)
def test_broken_before_any_text(case: Case, emulator: Emulator, ask: Ask) -> None:
    check(case, emulator, ask)


@each(
    Case("cut", Fault.cut_after(1), LOST, (1, 1), BROKE),
    Case("reset", Fault.reset_after(1), LOST, (1, 1), BROKE),
    Case("end", Fault.end_after(1), LOST, (1, 1), CUT),
    Case("cut after the text", Fault.cut_after(3), LOST, (1, 1), BROKE),
    Case("end after the text", Fault.end_after(3), LOST, (1, 1), CUT),
    Case("error", Fault.error_frame(1), litellm.InternalServerError, (1, 1), ("inside the stream", "went wrong")),
    Case("named error", Fault.error_frame(1, named=True), litellm.InternalServerError, (1, 1), ("inside the stream",)),
    Case("error at once", Fault.error_frame(0), litellm.InternalServerError, (1, 1), ("inside the stream",)),
    Case("too long", Fault.error_frame(1, reply=too_long()), litellm.ContextWindowExceededError, (1, 1), ("300123",)),
    Case("empty error", Fault.error_frame(1, named=True, reply=Reply(500, b"{}")), litellm.InternalServerError, (1, 1)),
    Case("cut after the end", Fault.cut_after(4), None, (1, 1)),
    Case("reset after the end", Fault.reset_after(4), None, (1, 1)),
    Case("silence after the end", Fault.silent_after(4, 30), None, (1, 1)),
)
def test_broken_after_text(case: Case, emulator: Emulator, ask: Ask) -> None:
    emulator.style = Style(delay=0.01)  # so that text and fault never come in one read
    check(case, emulator, ask)


@each(
    Case("half an object", stream('data: {"message": "a', "", f"data: {END}", ""), LOST, (1, 3), ("damaged",)),
    Case("an object too many", stream('data: {"message": "a"}}', "", f"data: {END}", ""), LOST, (1, 3), ("damaged",)),
    Case("NUL", stream('data: {"message": "a\0"}', "", f"data: {END}", ""), LOST, (1, 3), ("damaged",)),
    Case("latin-1", Fault.status(200, b'data: {"message": "\xe9"}\n\n' + WHOLE, content_type=EVENTS), LOST, (1, 3),
         ("not valid UTF-8",)),
    Case("unknown field", stream('date: {"message": "a"}', "", f"data: {END}", ""), LOST, (1, 3), ("damaged",)),
    Case("nothing", stream(), LOST, (1, 3), CUT),
    Case("blank lines", stream("", "", "", ""), LOST, (1, 3), CUT),
    Case("comments", stream(*[": keep-alive", ""] * 9), LOST, (1, 3), CUT),
    Case("done alone", stream("data: [DONE]", ""), LOST, (1, 3), CUT),
    Case("end of the other API", stream("event: end_event", "data: {}", ""), LOST, (1, 3), CUT),
    Case("1001 empty events", Fault.flood(1001), LOST, (1, 3), ("1000 events in a row with nothing in them",)),
    Case("1000 empty events", Fault.flood(1000), None, (1, 1)),
    Case("17 MB event", Fault.big_event(17_000_000), LOST, (1, 1), ("longer than 16,777,216 characters",)),
    Case("a page", HTML_200, LOST, (1, 1), ("127.0.0.1 answered with a web page", "login page", "HTTPS_PROXY")),
    Case("a page as a stream", Fault.status(200, "<html>", content_type=EVENTS), LOST, (1, 1), ("a web page",)),
    Case("no object", Fault.status(200, b"[1]"), LOST, (1, 1), ("good status and 3 characters", "proxy")),
    Case("no answer", Fault.status(200, b'{"a": 1}'), LOST, (1, 1), ("a JSON object of 8 characters",)),
    Case("an error", Fault.status(200, {"code": "X", "details": "No."}), litellm.InternalServerError, (1, 1), ("No.",)),
    Case("a document cut", Fault.cut_after(body_bytes=9), LOST, (1, 3), ("damaged",)),
)  # fmt: skip
def test_an_answer_that_is_none(case: Case, emulator: Emulator, ask: Ask) -> None:
    check(case, emulator, ask)


@pytest.mark.parametrize("line", ["hello", "[1, 2]", "42", '"text"', "null", '{"message": 7}', '{"progress": 0.5}', ""])
def test_an_event_without_text_is_passed_over(line: str, emulator: Emulator) -> None:
    good = '{"message": "One two three."}'
    fault = stream(f"data: {line}", "", f"data: {good}", "", f"data: {line}", "", f"data: {END}", "")
    check(Case("", fault, None, (1, 1)), emulator, completion)


@pytest.mark.parametrize("sent", ["default", "close", "gzip"])
@each(
    Case("whole", Fault(""), None, (1, 1)),
    Case("cut", Fault.cut_after(1), LOST, (1, 1)),
    Case("end", Fault.end_after(1), LOST, (1, 1), CUT),
    Case("reset", Fault.reset_after(1), LOST, (1, 1), BROKE),
    Case("cut in the end", Fault.cut_after(body_bytes=100), LOST, (1, 1), ("damaged",)),
)
def test_however_the_body_is_sent(case: Case, sent: str, emulator: Emulator, ask: Ask) -> None:
    emulator.style = replace(STYLES[sent], delay=0.01)
    check(case, emulator, ask)


@each(
    Case("no gzip", packed(b"plain"), LOST, (1, 3), ("compressed answer of 127.0.0.1", "damaged")),
    Case("cut gzip", packed(gzip.compress(WHOLE)[:20]), LOST, (1, 3), ()),
    Case("gzip cut after the text", packed(flushed(WHOLE[:40])), LOST, (1, 1), ("in the middle of the compressed",)),
    Case("gzip without its end", packed(gzip.compress(WHOLE)[:-8]), None, (1, 1)),
    Case("damage after the end", packed(gzip.compress(WHOLE) + b"junk"), None, (1, 1)),
    Case("deflate", packed(zlib.compress(WHOLE), "deflate"), None, (1, 1)),
    Case("a coding nobody knows", packed(b"\x00\x01\x02", "rot13"), LOST, (1, 1), ("127.0.0.1", "'rot13'")),
    Case("plain text as br", packed(WHOLE, "br"), LOST, (1, 1), ("127.0.0.1", "'br'")),
    Case("two in a row", packed(gzip.compress(WHOLE[:30]) + gzip.compress(WHOLE[30:])), None, (1, 1)),
    Case("bare deflate", packed(zlib.compress(WHOLE)[2:-4], "deflate"), None, (1, 1)),
    Case("deflate in gzip", packed(gzip.compress(zlib.compress(WHOLE)), "deflate, gzip"), None, (1, 1)),
    Case("a bomb", packed(gzip.compress(b"data: " + b"x" * 50_000_000)), LOST, (1, 1), ("longer than 16,777,216",)),
)
def test_compressed_answers(case: Case, emulator: Emulator) -> None:
    check(case, emulator, completion)


@pytest.mark.parametrize("api", ["agent", "chat"])
@pytest.mark.parametrize(
    "fault",
    [
        Fault.cut_after(1),
        Fault.reset_after(2),
        Fault.end_after(1),
        Fault.error_frame(1),
        Fault.cut_after(body_bytes=60),
    ],
    ids=["cut", "reset", "end", "error", "bytes"],
)
def test_no_text_comes_twice(api: str, fault: Fault, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text and fault may come in one read: then the text is delivered and the error raised, or both are dropped."""
    if api == "chat":
        monkeypatch.delenv("STACKSPOTAI_AGENT_ID")
    emulator.answer = ["One ", "two ", "three."]
    for _ in range(3):
        emulator.reset()
        emulator.fail("any chat", fault)
        stream, failed = StackSpotProvider().stream(HI), False
        pieces: list[str] = []
        try:
            pieces.extend(stream)
        except StackSpotError:
            failed = True
        assert "One two three.".startswith("".join(pieces))
        assert failed is (stream.finish is None)
        assert failed or "".join(pieces) == "One two three."
        assert len(emulator.chat_requests) == (1 if pieces and failed else len(emulator.chat_requests))
