"""Connections of the emulator: kept alive, counted, noticed when they go, and gone when it closes."""

from __future__ import annotations

import errno
import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import trustme

from aider_stackspot.emulator import Emulator, Fault, Style
from tests.emulator.client import Client, bearer, finished, raw_call, request_bytes, text_of

FOREVER = Style(delay=100)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def client_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def eventually(condition: Any) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.005)
    return False


def test_a_connection_serves_many_requests(emulator: Emulator) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", int(emulator.url.rpartition(":")[2]))
    headers = {"Authorization": f"Bearer {bearer(emulator)}", "Content-Type": "application/json"}
    for _ in range(500):
        connection.request("POST", "/v1/agent/x/chat", b'{"user_prompt":"hi","streaming":true}', headers)
        answer = connection.getresponse()
        assert answer.status == 200
        assert b"stop_reason" in answer.read()
    assert (emulator.connections, emulator.open_connections, len(emulator.requests)) == (1, 1, 500)
    assert {request.connection for request in emulator.requests} == {1}
    connection.close()
    assert eventually(lambda: emulator.open_connections == 0)


def test_a_client_may_ask_for_the_end_of_the_connection(emulator: Emulator) -> None:
    with Client(emulator) as client:
        client.headers["Connection"] = "close"
        client.login().ask()
    assert emulator.connections == 2


def test_two_hundred_streams_run_at_once(emulator: Emulator) -> None:
    together = threading.Barrier(201, timeout=20)

    def answer(_prompt: str) -> Iterator[str]:
        yield "first"
        together.wait()
        yield "second"

    emulator.answer = answer
    request = request_bytes(emulator)
    address = ("127.0.0.1", int(emulator.url.rpartition(":")[2]))
    sockets = [socket.create_connection(address) for _ in range(200)]
    try:
        for sock in sockets:
            sock.sendall(request)
        together.wait()
        for sock in sockets:
            data = b""
            while not data.endswith(b"0\r\n\r\n"):
                data += sock.recv(65_536)
            assert b"second" in data
        assert emulator.open_connections == emulator.connections == 200
    finally:
        for sock in sockets:
            sock.close()
    assert eventually(lambda: emulator.open_connections == 0)
    assert not any(finished(request).closed_early for request in emulator.requests)


@pytest.mark.parametrize("style", [FOREVER, Style(first_delay=100)], ids=["between events", "before the first"])
@pytest.mark.parametrize("streaming", [True, False])
def test_a_client_that_goes_away_is_noticed_at_once(emulator: Emulator, style: Style, *, streaming: bool) -> None:
    emulator.style = style
    with raw_call(emulator, streaming=streaming) as sock:
        assert eventually(lambda: emulator.requests)
        if style is FOREVER and streaming:
            assert sock.recv(1) == b"H"
    start = time.monotonic()
    assert finished(emulator.requests[0]).closed_early
    assert time.monotonic() - start < 1


def test_a_client_that_goes_away_is_noticed_during_a_fault(emulator: Emulator) -> None:
    for fault in (Fault.silent(100), Fault.silent_after(1), Fault.slow_header(100), Fault.big_answer(10**9)):
        emulator.fail("agent", fault)
        with raw_call(emulator):
            assert eventually(lambda: emulator.requests)
        assert finished(emulator.requests[0]).closed_early, fault.name
        emulator.reset()


def test_a_client_that_leaves_after_the_last_event_did_not_leave_early(emulator: Emulator) -> None:
    for _ in range(50):
        with raw_call(emulator) as sock:
            data = b""
            while b'"stop_reason"' not in data:
                data += sock.recv(65_536)
    assert not any(finished(request).closed_early for request in emulator.requests)


def test_dropped_connections_are_gone_for_the_client(emulator: Emulator) -> None:
    with Client(emulator) as client:
        client.login()
        emulator.drop_connections()
        assert eventually(lambda: emulator.open_connections == 0)
        assert client.ask().status_code == 200
    assert emulator.connections == 2


def test_it_speaks_tls(authority: trustme.CA) -> None:
    with Emulator(ssl_context=server_context(authority)) as emulator:
        assert emulator.url.startswith("https://127.0.0.1:")
        with Client(emulator, verify=client_context(authority)) as client:
            client.login()
            assert "emulator" in text_of(client.ask().text)
            assert emulator.connections == 1
        with pytest.raises(httpx.ConnectError), Client(emulator) as client:
            client.login()
        assert eventually(lambda: emulator.open_connections == 0)


def test_a_tls_client_that_goes_away_is_noticed_at_once(authority: trustme.CA) -> None:
    with Emulator(ssl_context=server_context(authority)) as emulator:
        emulator.style = FOREVER
        with Client(emulator, verify=client_context(authority)) as client:
            client.login()
            body = {"user_prompt": "hi", "streaming": True}
            with client.stream("POST", "/v1/agent/x/chat", json=body) as answer:
                next(answer.iter_bytes())
        assert finished(emulator.chat_requests[0]).closed_early


def test_a_tls_handshake_that_hangs_blocks_nobody(authority: trustme.CA) -> None:
    with Emulator(ssl_context=server_context(authority)) as emulator:
        address = ("127.0.0.1", int(emulator.url.rpartition(":")[2]))
        with socket.create_connection(address), Client(emulator, verify=client_context(authority)) as client:
            assert client.token_answer().status_code == 200


def descriptors() -> int:
    return len(os.listdir("/dev/fd"))


def test_nothing_is_left_after_it_closes(authority: trustme.CA) -> None:
    threads, files = threading.active_count(), descriptors()
    for context in (None, server_context(authority)):
        with Emulator(ssl_context=context) as emulator:
            emulator.style = FOREVER
            address = ("127.0.0.1", int(emulator.url.rpartition(":")[2]))
            idle = socket.create_connection(address)
            hanging = socket.create_connection(address)
            if context is None:
                hanging.sendall(request_bytes(emulator))
                assert eventually(lambda: emulator.requests)
            else:
                assert eventually(lambda: emulator.open_connections == 2)
            start = time.monotonic()
        assert time.monotonic() - start < 0.5
        assert not any(request.closed_early for request in emulator.requests)
        idle.close()
        hanging.close()
    assert (threading.active_count(), descriptors()) == (threads, files)


def test_it_closes_at_once_while_a_client_does_not_read(emulator: Emulator) -> None:
    emulator.fail("agent", Fault.big_answer(10**9))
    with raw_call(emulator):
        assert eventually(lambda: emulator.requests and emulator.requests[0].sent > 0)
        time.sleep(0.05)
        start = time.monotonic()
        emulator.close()
        assert time.monotonic() - start < 0.5
    assert emulator.requests[0].finished.is_set()


def test_it_must_be_started_and_can_be_closed_twice() -> None:
    emulator = Emulator()
    with pytest.raises(RuntimeError, match="not started"):
        _ = emulator.url
    emulator.close()
    with emulator:
        assert emulator.connections == 0
    emulator.close()


def test_a_port_can_be_chosen_and_is_free_again(emulator: Emulator) -> None:
    port = int(emulator.url.rpartition(":")[2])
    with pytest.raises(OSError) as error, Emulator(port=port):
        pass
    assert error.value.errno == errno.EADDRINUSE
    with Client(emulator) as client:
        client.login()
        emulator.close()
    with Emulator(port=port) as second:
        assert second.url == emulator.url


def raw_answer(emulator: Emulator, data: bytes) -> bytes:
    """What comes back for raw bytes, until the connection closes."""
    address = ("127.0.0.1", int(emulator.url.rpartition(":")[2]))
    with socket.create_connection(address, timeout=5) as sock:
        sock.sendall(data)
        answer = b""
        while more := sock.recv(65_536):
            answer += more
    return answer


@pytest.mark.parametrize("data", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nbroken\r\n\r\n", b"\xff \xff \xff\r\n\r\n"])
def test_what_is_no_http_is_a_bad_request(emulator: Emulator, data: bytes) -> None:
    assert raw_answer(emulator, data).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert emulator.requests == []


def test_http_1_0_closes_unless_asked_otherwise(emulator: Emulator) -> None:
    assert b"404" in raw_answer(emulator, b"GET / HTTP/1.0\r\n\r\n")
    both = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n"
    assert raw_answer(emulator, both).count(b"404 Not Found") == 2


def test_bodies_may_come_in_chunks_and_wait_for_a_word(emulator: Emulator) -> None:
    head = b"POST /a HTTP/1.1\r\nConnection: close\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = raw_answer(emulator, head + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: t\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 ")
    assert emulator.requests[0].body == b"abcde"


def test_it_can_stand_in_for_a_plain_proxy(emulator: Emulator) -> None:
    raw_answer(emulator, b"GET http://elsewhere.invalid/v1/agents?x=1 HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert (emulator.requests[0].path, emulator.requests[0].query) == ("/v1/agents", {"x": "1"})


def test_only_so_many_requests_are_kept_when_asked() -> None:
    with Emulator(keep=3) as emulator, Client(emulator) as client:
        for _ in range(5):
            client.get("/x")
        assert len(emulator.requests) == 3
