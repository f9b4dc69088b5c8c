"""Every way to write a stream (docs/wire.md, "Agents API: stream"): what is special about it; the text is the same."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from aider_stackspot.emulator import STYLES, Emulator, Style
from tests.emulator.client import Client, events, objects, raw_call, read_all, text_of

DELTAS = ["Hé", "llo ✅", " 1", "10", " \u2028", "\U0001f600!"]
TEXT = "".join(DELTAS)
READABLE = [name for name in STYLES if not name.startswith("slow") and name != "plain-text"]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        emulator.answer = DELTAS
        yield emulator


@pytest.fixture(scope="module")
def client(emulator: Emulator) -> Iterator[Client]:
    with Client(emulator) as client:
        yield client.login()


def final(body: str) -> dict[str, Any]:
    return objects(body)[-1]


def deltas(body: str) -> list[dict[str, Any]]:
    return objects(body)[:-1]


def merged(text: str) -> str:
    """The text with the halves of surrogate pairs joined, and what is left of them replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@pytest.mark.parametrize("name", READABLE)
def test_every_style_says_the_same_text(emulator: Emulator, client: Client, name: str) -> None:
    emulator.style = STYLES[name]
    expected = TEXT.replace("Hé", "Hé\ufffd") if name == "lone-surrogate" else TEXT
    assert merged(text_of(client.ask().content.decode())) == expected


@pytest.mark.parametrize("name", READABLE)
def test_every_style_says_the_same_text_on_v3(emulator: Emulator, client: Client, name: str) -> None:
    emulator.style = STYLES[name]
    expected = TEXT.replace("Hé", "Hé\ufffd") if name == "lone-surrogate" else TEXT
    body = client.chat().content.decode()
    text = json.loads(body)["answer"] if name == "json" else text_of(body)
    assert merged(text) == expected
    assert ("end_event" in body) == (name not in ("no-final", "json"))


SPECIAL: dict[str, Callable[[str], bool]] = {
    "default": lambda body: '"}\r\n\r\ndata: ' in body,
    "lf": lambda body: "\r" not in body and '"}\n\ndata: ' in body,
    "cr": lambda body: "\n" not in body and '"}\r\rdata: ' in body,
    "no-space": lambda body: "data: " not in body and 'data:{"' in body,
    "multiline": lambda body: body.startswith('data: {\r\ndata: "message":"Hé"\r\ndata: }\r\n\r\n'),
    "event-lines": lambda body: body.startswith("event: message\r\nid: 0\r\ndata: ") and "id: 6" in body,
    "comments": lambda body: body.count(": keep-alive\r\n\r\n") == 7,
    "done": lambda body: body.endswith("data: [DONE]\r\n\r\n"),
    "content-key": lambda body: deltas(body)[0] == {"content": "Hé"} and final(body)["content"] == "",
    "text-key": lambda body: deltas(body)[0] == {"text": "Hé"},
    "answer-key": lambda body: deltas(body)[0] == {"answer": "Hé"},
    "response-key": lambda body: deltas(body)[0] == {"response": "Hé"},
    "parts": lambda body: deltas(body)[0]["message"] == [{"type": "text", "text": "H"}, {"type": "text", "text": "é"}],
    "plain-text": lambda body: (
        body.startswith("data: Hé\r\n\r\ndata: llo ✅\r\n\r\ndata:  1\r\n\r\n") and final(body)["tokens"]["output"] == 3
    ),
    "arrays": lambda body: all(value["source"] == [] for value in deltas(body)),
    "null-stop-reason": lambda body: deltas(body)[0] == {"message": "Hé", "stop_reason": None},
    "null-text-stop-reason": lambda body: (
        {value["stop_reason"] for value in deltas(body)} == {"null"} and final(body)["stop_reason"] == "stop"
    ),
    "none-text-stop-reason": lambda body: {value["stop_reason"] for value in deltas(body)} == {"None"},
    "old-tokens": lambda body: final(body)["tokens"] == {"user": 9, "enrichment": 3, "output": 3},
    "string-tokens": lambda body: (
        final(body)["tokens"] == {"user": None, "enrichment": None, "input": "12", "output": "3"}
    ),
    "tokens-of-nulls": lambda body: (
        final(body)["tokens"] == {"user": None, "enrichment": None, "input": None, "output": None}
    ),
    "empty-tokens": lambda body: final(body)["tokens"] == {},
    "no-tokens": lambda body: "tokens" not in final(body),
    "running-tokens": lambda body: [value["tokens"]["output"] for value in objects(body)] == [3] * 7,
    "tokens-first": lambda body: list(deltas(body)[0]) == ["tokens"] and "tokens" not in final(body),
    "error-stop-reason": lambda body: final(body)["stop_reason"] == "error",
    "event-done": lambda body: 'event: done\r\ndata: {"message":"","tokens"' in body and "stop_reason" not in body,
    "type-done": lambda body: final(body)["type"] == "done" and "stop_reason" not in body,
    "tokens-end": lambda body: (
        list(final(body)) == ["message", "tokens", "message_id", "conversation_id"] and "event:" not in body
    ),
    "null-tokens": lambda body: final(body)["tokens"] is None,
    "final-without-message": lambda body: "message" not in final(body) and final(body)["stop_reason"] == "stop",
    "text-in-final": lambda body: final(body)["message"] == DELTAS[-1] and len(objects(body)) == 6,
    "whole-text-in-final": lambda body: final(body)["message"] == TEXT and len(objects(body)) == 7,
    "no-final": lambda body: "stop_reason" not in body and len(objects(body)) == 6,
    "openai": lambda body: objects(body)[-1]["choices"][0]["finish_reason"] == "stop" and events(body)[-1] == "[DONE]",
    "json-lines": lambda body: "\n\n" not in body and len(objects(body)) == 7,
    "no-last-blank-line": lambda body: body.endswith("}\r\n") and "}\r\n\r\n" in body,
    "empties": lambda body: [value["message"] for value in objects(body)[:31]] == [""] * 30 + ["Hé"],
    "junk": lambda body: events(body)[1:4:2] == ["not json", "[1, 2]"],
    "lone-surrogate": lambda body: '"Hé\\ud83d"' in body,
    "split-surrogate": lambda body: '" \u2028"' in body and '"\\ud83d"' in body and '"\\ude00!"' in body,
    "bom": lambda body: body.startswith("\ufeffdata"),
    "line-separators": lambda body: body.count("\u2029") == body.count("\u0085") == 6,
    "length": lambda body: final(body)["stop_reason"] == "length",
}


@pytest.mark.parametrize("name", SPECIAL)
def test_what_a_style_is_about(emulator: Emulator, client: Client, name: str) -> None:
    emulator.style = replace(STYLES[name], usage=(12, 3))
    assert SPECIAL[name](client.ask().content.decode())


def test_a_stream_may_be_answered_with_one_document(emulator: Emulator, client: Client) -> None:
    emulator.style = STYLES["json"]
    answer = client.ask()
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["stop_reason"] == "stop"


def test_a_body_may_end_with_its_connection(emulator: Emulator, client: Client) -> None:
    emulator.style = STYLES["close"]
    answer = client.ask()
    assert answer.http_version == "HTTP/1.0"
    assert "transfer-encoding" not in answer.headers
    assert answer.headers["connection"] == "close"


def test_running_counts_grow_with_the_text(emulator: Emulator, client: Client) -> None:
    emulator.style = STYLES["running-tokens"]
    for body in (client.ask("what is up?").text, client.chat("what is up?").text):
        counts = [(value["tokens"]["input"], value["tokens"]["output"]) for value in objects(body)]
        assert counts == [(2, output) for output in (1, 2, 3, 4, 5, 6, 6)]


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("response-key", {"response": "Hé"}),
        ("parts", {"answer": [{"type": "text", "text": "H"}, {"type": "text", "text": "é"}]}),
        ("none-text-stop-reason", {"answer": "Hé", "stop_reason": "None"}),
        ("tokens-first", {"tokens": {"user": None, "enrichment": None, "input": 1, "output": 0}}),
    ],
)
def test_v3_chat_has_the_same_dialects(emulator: Emulator, client: Client, name: str, first: object) -> None:
    emulator.style = STYLES[name]
    body = client.chat().text
    assert objects(body)[0] == first
    assert body.endswith("event: end_event\r\ndata: {}\r\nretry: 15000\r\n\r\n")


@pytest.mark.parametrize("ask", [Client.ask, Client.chat])
def test_plain_text_has_a_data_line_for_each_of_its_lines(
    emulator: Emulator, client: Client, ask: Callable[[Client], httpx.Response]
) -> None:
    emulator.style = STYLES["plain-text"]
    emulator.answer = ["one\ntwo\r\n\r\ud800", "10"]
    try:
        lines = [line for line in ask(client).text.split("\r\n") if line.startswith("data:")]
    finally:
        emulator.answer = DELTAS
    assert lines[:5] == ["data: one", "data: two", "data: ", "data: \ufffd", "data: 10"]


def test_what_says_the_end_may_be_something_else_than_the_last_event(emulator: Emulator, client: Client) -> None:
    emulator.style = Style(end="tokens", done=True)
    assert events(client.ask().text)[-1] == "[DONE]"
    emulator.style = Style(end="event done", final="absent", tokens="absent")
    assert sorted(final(client.ask().text)) == ["conversation_id", "message_id"]
    emulator.style = Style(end="type done", tokens_in="first event")
    assert "tokens" not in final(client.ask().text)


WINDOW_BITS = {"gzip": 31, "deflate": 15, "raw-deflate": -15}


@pytest.mark.parametrize("name", WINDOW_BITS)
@pytest.mark.parametrize("transfer", ["chunked", "close"])
def test_a_stream_may_be_compressed(emulator: Emulator, client: Client, name: str, transfer: Any) -> None:
    emulator.style = replace(STYLES[name], transfer=transfer)
    with client.stream("POST", "/v1/agent/x/chat", json={"user_prompt": "hi", "streaming": True}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == name.removeprefix("raw-")
    decompressor = zlib.decompressobj(wbits=WINDOW_BITS[name])
    assert text_of(decompressor.decompress(raw).decode()) == TEXT
    assert decompressor.eof


def test_each_event_of_a_compressed_stream_can_be_read_at_once(emulator: Emulator, client: Client) -> None:
    emulator.style = replace(STYLES["gzip"], delay=0.01)
    with client.stream("POST", "/v1/agent/x/chat", json={"user_prompt": "hi", "streaming": True}) as answer:
        assert next(answer.iter_bytes()) == 'data: {"message":"Hé"}\r\n\r\n'.encode()


def chunks(emulator: Emulator, style: Style) -> list[bytes]:
    """The HTTP chunks of a stream in this style: one for each write."""
    emulator.style = style
    with raw_call(emulator) as sock:
        data = b""
        while not data.endswith(b"\r\n0\r\n\r\n"):
            data += sock.recv(65_536)
    rest = data.partition(b"\r\n\r\n")[2]
    found = []
    while rest != b"0\r\n\r\n":
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        found.append(rest[:length])
        rest = rest[length + 2 :]
    return found


def test_writes_may_be_cut_anywhere(emulator: Emulator) -> None:
    assert len(chunks(emulator, Style())) == 7
    assert {len(chunk) for chunk in chunks(emulator, STYLES["bytewise"])} == {1}
    assert max(len(chunk) for chunk in chunks(emulator, Style(write_size=7))) == 7


def test_writes_may_cut_every_character_in_two(emulator: Emulator) -> None:
    cut = chunks(emulator, STYLES["split-utf8"])
    assert "Hé".encode()[:2] in cut[0]
    assert cut[0].endswith(b"\xc3")
    assert cut[1].startswith(b"\xa9")
    assert text_of(b"".join(cut).decode()) == TEXT


def test_several_events_may_share_a_write(emulator: Emulator) -> None:
    assert len(chunks(emulator, STYLES["burst"])) == 1
    assert len(chunks(emulator, Style(events_per_write=3))) == 3


def test_the_pace_is_scripted(emulator: Emulator) -> None:
    emulator.style = Style(first_delay=0.1, delay=0.02)
    with raw_call(emulator) as sock:
        sock.recv(1)
    request = emulator.chat_requests[-1]
    assert request.finished.wait(5)
    assert request.seconds >= 0.1
    emulator.style = Style(delay=0.02)
    with raw_call(emulator) as sock:
        while not sock.recv(65_536).endswith(b"0\r\n\r\n"):
            pass
    assert emulator.chat_requests[-1].finished.wait(5)
    assert emulator.chat_requests[-1].seconds >= 6 * 0.02


def test_old_clients_get_a_connection_that_ends(emulator: Emulator) -> None:
    emulator.style = STYLES["close"]
    with raw_call(emulator) as sock:
        assert read_all(sock).startswith(b"HTTP/1.0 200 OK\r\n")
