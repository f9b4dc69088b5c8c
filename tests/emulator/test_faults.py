"""What the emulator can do wrong on purpose, and how a client sees it."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from aider_stackspot.emulator import STYLES, Emulator, Fault, Reply, Style
from aider_stackspot.emulator.fault_names import FAULTS, fault_kind, parse_fault
from tests.emulator.client import Client, events, finished, objects, raw_call, read_all, text_of

DELTAS = ["one ", "two ", "three"]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        emulator.answer = DELTAS
        yield emulator


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Client]:
    with Client(emulator) as client:
        yield client.login()


@pytest.mark.parametrize(
    ("code", "type_", "error_code"),
    [
        (400, "BadRequestError", "INFERENCE_6001_LLM_MODEL_BAD_REQUEST"),
        (401, "Unauthorized", "INFERENCE_0000"),
        (403, "Forbidden", "INFERENCE_0000"),
        (429, "TooManyRequests", "INFERENCE_3008_CHAT_RATE_LIMIT_EXCEEDED"),
        (500, "InternalServerError", "INFERENCE_0001"),
        (504, "GatewayTimeout", "INFERENCE_0006"),
    ],
)
def test_a_status_comes_with_stackspots_body(
    emulator: Emulator, client: Client, code: int, type_: str, error_code: str
) -> None:
    emulator.fail("any chat", Fault.status(code))
    answer = client.ask()
    assert answer.status_code == code
    assert (answer.json()["type"], answer.json()["code"]) == (type_, error_code)
    assert "Retry-After" not in answer.headers
    assert client.ask().status_code == 200


def test_some_statuses_have_no_json_error(emulator: Emulator, client: Client) -> None:
    for code in (404, 502, 503):
        emulator.fail("agent", Fault.status(code))
    assert client.ask().json() == {}
    assert client.ask().text.startswith("<html>")
    assert client.ask().content == b""


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (400, "unsupported_grant_type"),
        (401, "invalid_client"),
        (403, "access_denied"),
        (404, "Realm does not exist"),
        (500, "unknown_error"),
    ],
)
def test_the_token_endpoint_has_its_own_bodies(emulator: Emulator, client: Client, code: int, error: str) -> None:
    emulator.fail("token", Fault.status(code))
    answer = client.token_answer()
    assert (answer.status_code, answer.json()["error"]) == (code, error)


def test_body_headers_and_retry_after_can_be_chosen(emulator: Emulator, client: Client) -> None:
    emulator.fail("chat", Fault.status(429, retry_after=3))
    assert client.chat().headers["retry-after"] == "3"
    emulator.fail("chat", Fault.status(418, {"a": 1}, headers={"X-Tea": "pot"}))
    answer = client.chat()
    assert (answer.status_code, answer.json(), answer.headers["x-tea"]) == (418, {"a": 1}, "pot")
    emulator.fail("chat", Fault.status(500, "<p>broken</p>"))
    assert client.chat().headers["content-type"].startswith("text/html")
    emulator.fail("chat", Fault.status(500, b"\xff", content_type="text/plain"))
    assert client.chat().content == b"\xff"


def test_a_prompt_may_be_too_long_or_refused_with_the_same_code(emulator: Emulator, client: Client) -> None:
    emulator.fail("agent", Fault.too_long(100, 101))
    emulator.fail("agent", Fault.refused("Not today."))
    too_long, refused = client.ask(), client.ask()
    assert too_long.status_code == refused.status_code == 400
    assert "limit of 100 tokens. Your messages resulted in 101 tokens" in too_long.json()["details"]
    assert refused.json() == {**too_long.json(), "details": "Not today."}


def test_a_login_page_or_a_redirect_may_come_instead(emulator: Emulator, client: Client) -> None:
    emulator.fail("agent", Fault.login_page())
    emulator.fail("agent", Fault.redirect("http://127.0.0.1:1/login", 307))
    page, redirect = client.ask(), client.ask()
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "<form" in page.text
    assert (redirect.status_code, redirect.headers["location"]) == (307, "http://127.0.0.1:1/login")


def test_token_answers_may_be_malformed(emulator: Emulator, client: Client) -> None:
    def answer(fault: Fault) -> httpx.Response:
        emulator.fail("token", fault)
        return client.token_answer()

    assert "access_token" not in answer(Fault.bad_token(without=("access_token",))).json()
    assert "expires_in" not in answer(Fault.bad_token(without=("expires_in",))).json()
    for value in (0, -1, "1199", 10**18, "soon"):
        assert answer(Fault.bad_token(expires_in=value)).json()["expires_in"] == value
    assert answer(Fault.bad_token(content_type="text/html")).headers["content-type"] == "text/html"
    assert len(answer(Fault.bad_token(padding=10_000_000)).content) > 10_000_000
    assert "expires_in" in client.token_answer().json()


def test_a_token_with_a_wrong_lifetime_still_works(emulator: Emulator, client: Client) -> None:
    emulator.fail("token", Fault.bad_token(expires_in=1))
    assert client.login().ask().status_code == 200


@pytest.mark.parametrize("kind", ["token", "agent"])
def test_the_connection_may_close_or_reset_before_an_answer(emulator: Emulator, client: Client, kind: str) -> None:
    call = client.token_answer if kind == "token" else client.ask
    emulator.fail(kind, Fault.close())
    with pytest.raises(httpx.RemoteProtocolError):
        call()
    emulator.fail(kind, Fault.reset())
    with pytest.raises(httpx.ReadError, match=r"\[Errno \d+\]"):
        call()
    assert call().status_code == 200
    assert [request.closed_early for request in emulator.requests] == [False] * len(emulator.requests)


def test_silence_comes_before_the_usual_answer(emulator: Emulator, client: Client) -> None:
    emulator.fail("agent", Fault.silent(0.1))
    assert text_of(client.ask().text) == "one two three"
    assert finished(emulator.requests[-1]).seconds >= 0.1


def test_headers_may_trickle(emulator: Emulator) -> None:
    emulator.fail("agent", Fault.slow_header(0.2))
    with raw_call(emulator) as sock:
        assert len(sock.recv(65_536)) < 20
        while not sock.recv(65_536).endswith(b"0\r\n\r\n"):
            pass
    assert finished(emulator.requests[-1]).seconds >= 0.19


@pytest.mark.parametrize("count", [0, 1, 3, 4, 99])
def test_a_stream_may_be_cut_after_some_events(emulator: Emulator, count: int) -> None:
    emulator.fail("agent", Fault.cut_after(count))
    with raw_call(emulator) as sock:
        data = read_all(sock)
    assert data.startswith(b"HTTP/1.1 200 OK")
    assert len(events(data.decode())) == min(count, 4)
    assert not data.endswith(b"0\r\n\r\n")
    assert not emulator.requests[-1].closed_early


def test_a_client_sees_a_cut_as_an_incomplete_body(emulator: Emulator, client: Client) -> None:
    emulator.fail("agent", Fault.cut_after(2))
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
        client.ask()


@pytest.mark.parametrize("size", [0, 1, 10, 30, 10_000])
def test_a_stream_may_be_cut_after_some_bytes(emulator: Emulator, size: int) -> None:
    emulator.style = Style(transfer="close")
    emulator.fail("agent", Fault.cut_after(body_bytes=size))
    with raw_call(emulator) as sock:
        body = read_all(sock).partition(b"\r\n\r\n")[2]
    assert len(body) == emulator.requests[-1].sent
    assert len(body) == min(size, len(body)) if size == 10_000 else len(body) == size


def test_a_stream_may_be_reset(emulator: Emulator) -> None:
    emulator.fail("agent", Fault.reset_after(2))
    with raw_call(emulator) as sock, pytest.raises(ConnectionResetError):
        read_all(sock)


def test_a_stream_may_end_cleanly_without_its_terminal_event(emulator: Emulator, client: Client) -> None:
    emulator.fail("agent", Fault.end_after(2))
    emulator.fail("chat", Fault.end_after(body_bytes=20))
    assert [value["message"] for value in objects(client.ask().text)] == ["one ", "two "]
    assert client.chat().content == b"event: message\r\ndata"
    assert emulator.connections == 1


def test_a_document_may_be_cut_too(emulator: Emulator, client: Client) -> None:
    emulator.fail("agent", Fault.cut_after(body_bytes=5))
    emulator.fail("agent", Fault.cut_after(0))
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
            client.ask(streaming=False)


@pytest.mark.parametrize("name", ["gzip", "deflate", "raw-deflate"])
@pytest.mark.parametrize("size", [0, 1, 60, 90])
def test_a_compressed_stream_may_stop_anywhere(emulator: Emulator, name: str, size: int) -> None:
    emulator.style = replace(STYLES[name], transfer="close")
    emulator.fail("agent", Fault.end_after(encoded_bytes=size))
    with raw_call(emulator) as sock:
        head, _, body = read_all(sock).partition(b"\r\n\r\n")
    assert len(body) == size
    assert f"Content-Encoding: {name.removeprefix('raw-')}".encode() in head
    decompressor = zlib.decompressobj(wbits={"gzip": 31, "deflate": 15, "raw-deflate": -15}[name])
    assert len(objects(decompressor.decompress(body).decode())) < 4
    assert not decompressor.eof


def test_a_compressed_body_that_stops_may_still_end_in_order(emulator: Emulator) -> None:
    emulator.style = STYLES["gzip"]
    emulator.fail("agent", Fault.end_after(encoded_bytes=50))
    emulator.fail("agent", Fault.cut_after(encoded_bytes=50))
    with raw_call(emulator) as sock:
        data = b""
        while not data.endswith(b"0\r\n\r\n"):
            data += sock.recv(65_536)
    with raw_call(emulator) as sock:
        assert read_all(sock).partition(b"\r\n\r\n")[2] + b"0\r\n\r\n" == data.partition(b"\r\n\r\n")[2]


def test_only_what_compression_writes_at_its_end_may_be_missing(emulator: Emulator) -> None:
    emulator.style = replace(STYLES["gzip"], transfer="close")
    with raw_call(emulator) as sock:
        whole = len(read_all(sock).partition(b"\r\n\r\n")[2])
    emulator.fail("agent", Fault.end_after(encoded_bytes=whole - 1))
    with raw_call(emulator) as sock:
        decompressor = zlib.decompressobj(wbits=31)
        text = decompressor.decompress(read_all(sock).partition(b"\r\n\r\n")[2])
    assert text_of(text.decode()) == "one two three"
    assert not decompressor.eof


def test_a_connection_may_be_cut_after_the_last_event(emulator: Emulator) -> None:
    emulator.style = STYLES["tokens-end"]
    emulator.fail("agent", Fault.cut_after(4))
    with raw_call(emulator) as sock:
        data = read_all(sock)
    assert "tokens" in objects(data.decode())[-1]
    assert not data.endswith(b"0\r\n\r\n")


def test_a_stream_may_fall_silent(emulator: Emulator) -> None:
    emulator.fail("agent", Fault.silent_after(2, seconds=0.2))
    with raw_call(emulator) as sock:
        sock.settimeout(0.1)
        data = b""
        with pytest.raises(TimeoutError):
            while True:
                data += sock.recv(65_536)
        assert len(events(data.decode())) == 2
        sock.settimeout(5)
        assert sock.recv(65_536) == b""


def test_a_stream_may_carry_an_error(emulator: Emulator, client: Client) -> None:
    emulator.fail("agent", Fault.error_frame(1))
    emulator.fail("chat", Fault.error_frame(1, named=True))
    emulator.fail("agent", Fault.error_frame(0, reply=Reply(400, b'{"type":"T","code":"C","details":"D"}')))
    first = client.ask()
    assert objects(first.text) == [
        {"message": "one "},
        {"type": "InternalServerError", "code": "INFERENCE_0001", "details": "Something went wrong."},
    ]
    assert "event: error" not in first.text
    assert "event: error\r\ndata: {" in client.chat().text
    assert objects(client.ask().text) == [{"type": "T", "code": "C", "details": "D"}]


def test_an_error_event_may_carry_plain_text(emulator: Emulator, client: Client) -> None:
    emulator.fail("agent", parse_fault("error-text:1"))
    emulator.fail("chat", Fault.error_frame(0, named=True, reply=Reply(500, b"Out of\ncredit.")))
    assert client.ask().text.endswith("event: error\r\ndata: The model is overloaded.\r\n\r\n")
    assert client.chat().text == "event: error\r\ndata: Out of\r\ndata: credit.\r\n\r\n"


def test_empty_deltas_may_flood_and_junk_may_come_between(emulator: Emulator, client: Client) -> None:
    emulator.fail("agent", Fault.flood(500))
    emulator.fail("agent", Fault.junk_events())
    flood, junk = client.ask().text, client.ask().text
    assert [value["message"] for value in objects(flood)[:501]] == [""] * 500 + ["one "]
    assert events(junk)[1] == "not json"
    assert text_of(junk) == "one two three"


def test_one_event_may_be_huge(emulator: Emulator, client: Client) -> None:
    emulator.fail("agent", Fault.big_event(3_000_000))
    first, _ = objects(client.ask().text)
    assert first["message"] == "x" * 3_000_000


def test_an_answer_may_be_huge(emulator: Emulator, client: Client) -> None:
    emulator.fail("agent", Fault.big_answer(1_000_001))
    assert len(text_of(client.ask().text)) == 1_000_001


def test_faults_queue_up_and_are_used_up(emulator: Emulator, client: Client) -> None:
    emulator.fail("agent", Fault.status(500), times=2)
    emulator.fail("any chat", Fault.status(503))
    emulator.fail("chat", Fault.status(400), times=None)
    assert [client.ask().status_code for _ in range(4)] == [500, 500, 503, 200]
    assert [client.chat().status_code for _ in range(3)] == [400, 400, 400]
    assert emulator.requests[-1].fault == "status:400"
    emulator.reset()
    assert client.chat().status_code == 200


def test_a_fault_for_an_unknown_kind_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="no such kind: 'tokens'"):
        emulator.fail("tokens", Fault.close())


ARGUMENTS = {"status": "503", "token-status": "500", "rate-limited": "2", "redirect": "http://127.0.0.1/"}


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_has_a_name(name: str) -> None:
    needs = FAULTS[name].argument and FAULTS[name].default is None
    text = f"{name}:{ARGUMENTS.get(name, '7')}" if needs else name
    assert isinstance(parse_fault(text), Fault)
    assert fault_kind(text) == ("token" if name.startswith("token-") else "any chat")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("statos:503", "unknown fault 'statos'; did you mean 'status'?"),
        ("xyz", "unknown fault 'xyz'; there are status, "),
        ("status", "fault 'status' needs an argument: status:CODE"),
        ("status:abc", "fault 'status': 'abc' is no CODE"),
        ("status:99", "fault 'status': '99' is no CODE"),
        ("cut-after:-1", "fault 'cut-after': '-1' is no EVENTS"),
        ("silent:nan", "fault 'silent': 'nan' is no SECONDS"),
        ("close:1", "fault 'close' takes no argument"),
    ],
)
def test_a_wrong_fault_name_says_what_would_be_right(text: str, problem: str) -> None:
    with pytest.raises(ValueError) as error:
        parse_fault(text)
    assert str(error.value).startswith(problem)


def test_named_faults_read_their_argument() -> None:
    assert parse_fault("status:503").status_code == 503
    assert parse_fault("redirect:http://127.0.0.1:1/a").reply == Fault.redirect("http://127.0.0.1:1/a").reply
    assert parse_fault("rate-limited:4").headers == {"Retry-After": "4"}
    assert parse_fault("token-expires-in:0").token == {"expires_in": 0}
    assert parse_fault("token-expires-in:soon").token == {"expires_in": "soon"}
    assert parse_fault("cut-after-bytes:12").after_bytes == 12
    assert parse_fault("end-after-encoded-bytes:12").after_encoded_bytes == 12
    assert parse_fault("error-event:2").then == "error event"


def test_a_fault_ends_with_the_emulator(emulator: Emulator) -> None:
    emulator.fail("agent", Fault.silent(100), times=None)
    with raw_call(emulator) as sock:
        while not emulator.requests:
            time.sleep(0.005)
        start = time.monotonic()
        emulator.close()
        assert sock.recv(1) == b""
        assert time.monotonic() - start < 1
    assert not emulator.requests[-1].closed_early
