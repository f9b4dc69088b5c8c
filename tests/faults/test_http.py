"""Answers that are no HTTP, or odd HTTP, and hosts that cannot be reached."""

from __future__ import annotations

import litellm
import pytest

from aider_stackspot.emulator import Emulator
from aider_stackspot.network import client
from aider_stackspot.pipeline import attempt
from tests.faults.fault_ways import Ask, completion, expect
from tests.faults.raw_server import RawServer

pytest_plugins = ["tests.faults.fault_fixtures"]
pytestmark = pytest.mark.usefixtures("quick")

LOST = litellm.APIConnectionError
BROKE = "The connection to 127.0.0.1"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
TEXT = b'data: {"message": "One two three."}\n\n'
WHOLE = TEXT + b'data: {"message": "", "stop_reason": "stop"}\n\n'


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@pytest.mark.parametrize(
    ("data", "words", "connections"),
    [
        (b"", (BROKE, "Server disconnected"), 3),
        (b"SSH-2.0-OpenSSH_9.6\r\n", (BROKE,), 3),
        (b"HTTP/1.1 200", (BROKE,), 3),
        (b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n", (BROKE,), 3),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n", (BROKE,), 3),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", (BROKE,), 3),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", (BROKE,), 3),
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", ("answered 407",), 1),
        (OK + b"Content-Length: 9999\r\n\r\n", (BROKE, "complete message body"), 3),
        (OK + b"Content-Length: 9999\r\n\r\n" + TEXT, (BROKE, "complete message body"), 1),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", (BROKE, "chunk"), 3),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(TEXT) + b"zz\r\n", (BROKE,), None),
        (OK + b"\r\n" + TEXT, ("ended before its end marker",), 1),
    ],
)  # fmt: skip
def test_odd_http(
    data: bytes, words: tuple[str, ...], connections: int | None, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RawServer(data) as server:
        monkeypatch.setenv("STACKSPOTAI_AGENT_API_BASE", server.url)
        expected = litellm.BadRequestError if b" 407 " in data else LOST
        expect(expected, words, completion)
        assert server.connections == connections or connections is None
    assert len(emulator.token_requests) == 1


@pytest.mark.parametrize(
    "data",
    [
        OK + b"\r\n" + WHOLE,
        OK.replace(b"1.1", b"1.0") + b"\r\n" + WHOLE,
        OK + b"Content-Length: 9999\r\n\r\n" + WHOLE,
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(WHOLE),
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(WHOLE) + b"zz\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + OK + b"\r\n" + WHOLE,
    ],
)
@pytest.mark.parametrize("stays", [False, True])
def test_what_comes_after_the_end_marker_does_not_matter(
    data: bytes, stays: bool, emulator: Emulator, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RawServer(data, stays=stays) as server:
        monkeypatch.setenv("STACKSPOTAI_AGENT_API_BASE", server.url)
        assert ask() == "One two three."
        assert server.connections == 1


def test_nobody_listens(emulator: Emulator, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKSPOTAI_AGENT_API_BASE", "http://127.0.0.1:1")
    expect(
        LOST, ("No connection to 127.0.0.1:1 for the answer", "Connection refused", "Check that the server runs"), ask
    )
    assert len(emulator.token_requests) == 1


def test_no_connection_within_the_limit(
    emulator: Emulator, ask: Ask, full_house: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "CONNECT_TIMEOUT", 0.05)
    monkeypatch.setenv("STACKSPOTAI_AGENT_API_BASE", full_house)
    expect(litellm.Timeout, ("did not accept a connection for the answer within 0.05 s", "Check the network"), ask)
    assert len(emulator.token_requests) == 1


def test_an_end_marker_without_its_blank_line_counts_when_silence_follows(
    emulator: Emulator, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "IDLE_TIMEOUT", 0.1)
    with RawServer(OK + b"\r\n" + WHOLE[:-2], stays=True) as server:
        monkeypatch.setenv("STACKSPOTAI_AGENT_API_BASE", server.url)
        assert ask() == "One two three."
        assert server.connections == 1
