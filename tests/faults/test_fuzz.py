"""Generated streams: the outcome is the exact text with success, or a typed error; never anything else."""

from __future__ import annotations

import asyncio
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aider_stackspot import StackSpotProvider
from aider_stackspot.emulator import Emulator
from aider_stackspot.errors import StackSpotError, TimedOut
from tests.faults.fault_ways import HI
from tests.faults.raw_server import RawServer
from tests.faults.stream_reading import Outcome, read
from tests.faults.stream_strategies import Stream, streams

pytest_plugins = ["tests.faults.fault_fixtures"]
pytestmark = pytest.mark.usefixtures("quick")


def judge(stream: Stream, outcome: Outcome) -> None:
    """Compare an outcome with what the stream says."""
    if outcome.is_complete:
        assert outcome.error is None
        assert outcome.text == stream.text
    else:
        assert stream.text.startswith(outcome.text)
        assert not stream.is_whole, outcome


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(streams())
def test_any_stream_through_the_parser(stream: Stream) -> None:
    judge(stream, asyncio.run(read(stream.api, stream.pieces)))


@pytest.mark.slow
@settings(max_examples=5_000, suppress_health_check=list(HealthCheck))
@given(streams())
def test_many_streams_through_the_parser(stream: Stream) -> None:
    judge(stream, asyncio.run(read(stream.api, stream.pieces)))


TRANSFERS = ["chunked", "chunked without its end", "until the connection closes", "gzip", "gzip without its end"]


def on_the_wire(stream: Stream, transfer: str) -> list[bytes]:
    """Return a stream's pieces as HTTP sends them."""
    pieces, coding = stream.pieces, b""
    if transfer.startswith("gzip"):
        packer, coding = zlib.compressobj(wbits=31), b"Content-Encoding: gzip\r\n"
        pieces = [packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH) for piece in pieces]
        pieces += [packer.flush()] if transfer == "gzip" else []
    # The server closes after each answer. Unsaid, that would be a race with the next request on the same connection.
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\n" + coding
    if transfer == "until the connection closes":
        return [head + b"\r\n", *pieces]
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece]
    end = [] if transfer == "chunked without its end" else [b"0\r\n\r\n"]
    return [head + b"Transfer-Encoding: chunked\r\n\r\n", *chunks, *end]


def over_sockets(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Send generated streams over real sockets through the whole package."""
    (Path.cwd() / ".aider.litellm.yml").write_text(MODELS, encoding="utf-8")
    with RawServer() as server:
        monkeypatch.setenv("STACKSPOTAI_AGENT_API_BASE", server.url)
        monkeypatch.setenv("STACKSPOTAI_API_BASE", server.url)

        @settings(max_examples=count, suppress_health_check=list(HealthCheck))
        @given(streams(), st.sampled_from(TRANSFERS))
        def one(stream: Stream, transfer: str) -> None:
            server.data = on_the_wire(stream, transfer)
            answer = StackSpotProvider(max_retries=0, timeout=10).stream(HI, stream.api)
            text, error = "", None
            try:
                for piece in answer:
                    text += piece
            except StackSpotError as problem:
                error = problem
            assert not isinstance(error, TimedOut)
            assert type(error) is not StackSpotError, error
            judge(stream, Outcome(text, answer.finish is not None, error))

        one()


MODELS = """
providers:
  stackspot:
    models:
      agent: {api: agent}
      chat: {api: chat}
"""


@pytest.mark.thorough
def test_any_stream_over_sockets(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    over_sockets(emulator, monkeypatch, 100)


@pytest.mark.slow
def test_many_streams_over_sockets(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    over_sockets(emulator, monkeypatch, 3_000)
