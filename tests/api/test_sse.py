"""Bytes to events, wherever the bytes are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aider_stackspot.api.sse import EventStream
from aider_stackspot.errors import MalformedAnswer, StreamInterrupted


def events(*pieces: bytes, max_event_characters: int = 1000) -> list[tuple[str, str]]:
    stream = EventStream(max_event_characters)
    found = [event for piece in pieces for event in stream.feed(piece)] + list(stream.finish())
    return [(event.event, event.data) for event in found]


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_every_line_end_of_the_standard(newline: bytes) -> None:
    assert events(newline.join([b"data: 1", b"", b"data: 2", b"", b""])) == [("message", "1"), ("message", "2")]


def test_the_space_after_the_colon_may_be_missing() -> None:
    assert events(b"data:1\n\n") == [("message", "1")]


def test_comments_and_unknown_fields_are_passed_over() -> None:
    assert events(b": keep-alive\n\nretry: 15000\nevent: x\nid: 7\nfoo: bar\ndata: 1\n\n")[-1] == ("x", "1")


def test_a_line_separator_inside_json_is_text() -> None:
    assert events('data: {"a": "\u2028\u2029\x85"}\n\n'.encode()) == [("message", '{"a": "\u2028\u2029\x85"}')]


def test_a_byte_order_mark_is_dropped() -> None:
    assert events(b"\xef\xbb", b"\xbfdata: 1\n\n") == [("message", "1")]


def test_the_last_event_may_lack_its_blank_line() -> None:
    assert events(b"data: 1\n\ndata: 2") == [("message", "1"), ("message", "2")]


def test_an_event_name_cut_from_its_data_is_no_event() -> None:
    assert events(b"event: end_event\n") == []


@pytest.mark.parametrize("damaged", [b"a\xffb", b"\xf0\x9fb", b"\xed\xa0\xbd"])
def test_invalid_utf_8_is_an_error_and_not_an_answer_with_other_characters(damaged: bytes) -> None:
    with pytest.raises(StreamInterrupted, match="not valid UTF-8"):
        events(b"data: " + damaged + b"\n\n")


def test_a_complete_event_before_damage_still_counts() -> None:
    stream = EventStream()
    assert next(stream.feed(b"data: 1\n\ndata: \xff\n\n")).data == "1"


def test_invalid_utf_8_in_a_comment_does_no_harm() -> None:
    assert events(b": \xff\n\ndata: 1\n\n") == [("message", "1")]


@pytest.mark.parametrize(
    "line",
    [
        b'dxta: {"message": "Hi"}',
        b'data {"message": "Hi"}',
        b'{"message": "Hi"}',
        b'event: messagedata: {"message": "Hi"}',
        b'id: 7data: {"message": "Hi"}',
        b'retry: 1data: {"message": "Hi"}',
        b': keep-alivedata: {"message": "Hi"}',
    ],
)
def test_data_in_another_line_is_damage(line: bytes) -> None:
    """As where a line end is lost: its text would be missing from the answer."""
    with pytest.raises(StreamInterrupted, match="under another name"):
        events(line + b"\n\n")


def test_invalid_utf_8_in_a_fields_name_is_damage() -> None:
    with pytest.raises(StreamInterrupted, match="not valid UTF-8"):
        events(b'data: {\nda\xffta: "message": "Hi"\ndata: }\n\n')


@pytest.mark.parametrize("cut", [b"event: x", b"event: x\ndata:", b"data: 1\nevent: x\n", b"data: 1\ndata: "])
def test_a_field_without_its_value_is_no_end(cut: bytes) -> None:
    assert events(cut) == []


def test_an_event_has_a_largest_size() -> None:
    with pytest.raises(MalformedAnswer, match="longer than 100 characters"):
        events(b"data: " + b"x" * 60, b"x" * 60, max_event_characters=100)


def test_a_stream_of_many_events_has_no_largest_size() -> None:
    assert len(events(*[b"data: 1234567890\n\n"] * 1000, max_event_characters=100)) == 1000


@given(st.lists(st.text(max_size=6), max_size=6), st.sampled_from(["\n", "\r\n", "\r"]), st.data())
def test_cuts_make_no_difference(texts: list[str], newline: str, data: st.DataObject) -> None:
    body = "".join(f"data: {text!a}{newline}{newline}" for text in texts).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert (
        events(*pieces)
        == events(body)
        == [("message", repr(text) if text.isascii() else ascii(text)) for text in texts]
    )
