"""Reads one HTTP/1.x request from a connection."""

from __future__ import annotations

import time
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from aider_stackspot.emulator.connection import Connection
from aider_stackspot.emulator.recording import Headers, RecordedRequest, kind_of


class BadRequestError(Exception):
    """What came in is not HTTP."""


class Received(NamedTuple):
    """A request, and whether its connection may serve another one."""

    request: RecordedRequest
    keep_alive: bool


def read_request(connection: Connection) -> Received:
    """Wait for the next request.

    Raises:
        ClientGone: There is no further request, or it broke off.
        BadRequestError: It is not HTTP.
    """
    line = connection.read_line() or connection.read_line()
    try:
        method, target, version = line.decode("ascii").split(" ")
        headers = _read_headers(connection)
        if headers.get("expect", "").lower() == "100-continue":
            connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = _read_body(connection, headers)
        url = urlsplit(target)  # a proxy's client sends the whole URL: the path is all that counts here
        query = {name: values[-1] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
    except ValueError as error:
        raise BadRequestError from error
    asked = headers.get("connection", "").lower()
    keep_alive = asked != "close" if version == "HTTP/1.1" else asked == "keep-alive"
    at = time.monotonic()
    number = connection.number
    request = RecordedRequest(kind_of(url.path), method, url.path, query, headers, body, number, at)
    return Received(request, keep_alive)


def _read_headers(connection: Connection) -> Headers:
    pairs: list[tuple[str, str]] = []
    while line := connection.read_line():
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise ValueError(line)
        pairs.append((name, value.strip()))
    return Headers(pairs)


def _read_body(connection: Connection, headers: Headers) -> bytes:
    if "chunked" not in headers.get("transfer-encoding", "").lower():
        return connection.read_exactly(int(headers.get("content-length", "0")))
    body = bytearray()
    while size := int(connection.read_line().partition(b";")[0], 16):
        body += connection.read_exactly(size)
        connection.read_line()
    while connection.read_line():
        pass
    return bytes(body)
