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
        b'{"message": "Hi"',
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


@pytest.mark.parametrize("end", [b"\n\n", b"\n", b"\r\n\r\n", b""])
def test_a_line_that_is_a_whole_document_is_an_event(end: bytes) -> None:
    found = events(b'data: {"a": 1}\n\n{"error": "boiler burst"}' + end)
    assert found == [("message", '{"a": 1}'), ("message", '{"error": "boiler burst"}')]


@pytest.mark.parametrize("field", [b"error", b"Error", b"ERROR"])
def test_a_line_about_an_error_is_one_whatever_its_case(field: bytes) -> None:
    assert events(field + b': {"message": "Hi"}\n\n') == [("error", '{"message": "Hi"}')]


def test_invalid_utf_8_in_a_fields_name_is_damage() -> None:
    with pytest.raises(StreamInterrupted, match="not valid UTF-8"):
        events(b'data: {\nda\xffta: "message": "Hi"\ndata: }\n\n')


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (['data: {"a": 1}', 'data: {"a": 2}', "data: [DONE]"], [("", '{"a": 1}'), ("", '{"a": 2}'), ("", "[DONE]")]),
        (['data:{"a": 1}', 'data:{"a": 2}'], [("", '{"a": 1}'), ("", '{"a": 2}')]),
        (["data: {", 'data: "a": {', "data: }}", 'data: {"b": 1}'], [("", '{\n"a": {\n}}\n{"b": 1}')]),
        (["data: ping", 'data: {"a": 1}', "data: pong"], [("", "ping"), ("", '{"a": 1}'), ("", "pong")]),
        (["data:", 'data: {"a": 1}'], [("", ""), ("", '{"a": 1}')]),
        (["data: [DONE]", 'data: {"a": 1}'], [("", "[DONE]"), ("", '{"a": 1}')]),
        (["data: one", "data: two"], [("", "one\ntwo")]),
        (["event: x", 'data: {"a": 1}', "event: y", 'data: {"a": 2}'], [("x", '{"a": 1}'), ("y", '{"a": 2}')]),
        (['data: {"a": 1}', "event: y", 'data: {"a": 2}'], [("", '{"a": 1}'), ("y", '{"a": 2}')]),
        (
            ["event: x", "id: 1", 'data: {"a": 1}', "retry: 5", "id: 2", 'data: {"a": 2}'],
            [("x", '{"a": 1}'), ("", '{"a": 2}')],
        ),
    ],
)
def test_without_blank_lines_each_json_document_is_an_event(
    newline: str, lines: list[str], expected: list[tuple[str, str]]
) -> None:
    named = [(name or "message", data) for name, data in expected]
    body = newline.join(lines).encode()
    assert events(body) == events(body + newline.encode()) == named
    assert events(*[body[at : at + 1] for at in range(len(body))]) == named


def test_without_blank_lines_nothing_waits_for_the_end_of_the_stream() -> None:
    stream = EventStream()
    found = [list(stream.feed(b'data: {"a": %d}\n' % number)) for number in range(3)]
    assert [[event.data for event in some] for some in found] == [[], ['{"a": 0}'], ['{"a": 1}']]


def test_a_stream_without_blank_lines_has_no_largest_size() -> None:
    assert len(events(*[b'data: {"a": "1234567890"}\n'] * 1000, max_event_characters=100)) == 1000


@pytest.mark.parametrize("order", [b'event: x\ndata: {"a": 1}\n\n', b'data: {"a": 1}\nevent: x\n\n'])
def test_a_name_may_stand_behind_its_data(order: bytes) -> None:
    assert events(order + b"data: 2\n\n") == [("x", '{"a": 1}'), ("message", "2")]


@pytest.mark.parametrize(
    ("line", "data"),
    [
        (b'error: {"message": "no"}', '{"message": "no"}'),
        (b'error:{"code": 500}', '{"code": 500}'),
        (b"error: out of memory", "out of memory"),
        (b'error: {"message": "cut', '{"message": "cut'),
    ],
)
@pytest.mark.parametrize("before", [b"", b'data: {"a": 1}\n\n', b": comment\n"])
@pytest.mark.parametrize("behind", [b"", b"\n", b"\n\n", b"\n\ndata: [DONE]\n\n"])
def test_a_line_error_is_an_event_of_that_name(line: bytes, data: str, before: bytes, behind: bytes) -> None:
    assert ("error", data) in events(before + line + behind)


@pytest.mark.parametrize("line", [b"error:", b"error", b"error: null", b"errors: 3"])
def test_a_line_error_that_says_nothing_is_none(line: bytes) -> None:
    assert events(line + b"\n\ndata: 1\n\n") == [("message", "1")]


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_an_event_is_there_when_its_last_line_end_is(newline: bytes) -> None:
    """A server may keep the connection open behind the last event."""
    stream = EventStream()
    assert [event.data for event in stream.feed(b"data: 1" + newline + newline)] == ["1"]
    assert [event.data for event in stream.feed(b"data: 2" + newline + newline)] == ["2"]


def test_a_line_end_may_be_cut_in_two() -> None:
    assert events(b"data: 1\r", b"\n", b"data: 2\r", b"\n\r", b"\ndata: 3") == [("message", "1\n2"), ("message", "3")]


@pytest.mark.parametrize("name", [b"ping", b"heartbeat", b"message"])
def test_an_event_may_have_a_name_alone_or_empty_data(name: bytes) -> None:
    assert events(b"event: " + name + b"\n\n") == [(name.decode(), "")]
    assert events(b"event: " + name + b"\ndata:\n\n") == [(name.decode(), "")]


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
