"""What the translators share: JSON in and out, and text in pieces."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aider_stackspot.api.answer import json_bytes, json_object, text_of, token_count
from aider_stackspot.errors import StreamInterrupted


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": "é\u2028"}, {"a": "é\u2028"}),
        ({"a": "x\ud800y"}, {"a": "x\ufffdy"}),
        ({"a": ["\udc00", {"b": "\ud83d"}]}, {"a": ["\ufffd", {"b": "\ufffd"}]}),
        ({"\ud800": 1}, {"\ufffd": 1}),
        ({"a": "\ud83d\ude00"}, {"a": "😀"}),
        ("\udfff", "\ufffd"),
        ([None, 1.5, True], [None, 1.5, True]),
    ],
)
def test_a_request_body_is_utf_8_whatever_is_in_it(value: Any, expected: Any) -> None:
    body = json_bytes(value)
    assert json.loads(body.decode()) == expected


def test_a_request_body_is_not_escaped() -> None:
    assert json_bytes({"a": "é"}) == '{"a": "é"}'.encode()


@pytest.mark.parametrize("data", ["", "[DONE]", "[1]", "1", "null", "ping", '"{}"'])
def test_data_without_an_object_holds_none(data: str) -> None:
    assert json_object(data) is None


@pytest.mark.parametrize("data", ["{", "}", '{"a": 1}}', '{"a": 1}\n{"b": 2}', "{" * 100_000, "a}"])
def test_data_that_may_have_been_an_object_is_damaged(data: str) -> None:
    with pytest.raises(StreamInterrupted, match="damaged"):
        json_object(data)


@pytest.mark.parametrize(
    ("value", "text"), [("a", "a"), ("", ""), (None, ""), (7, ""), ({"text": "a"}, ""), (["a"], "a")]
)
def test_a_text_field_holds_text_or_parts_of_it(value: object, text: str) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (7, 7),
        ("7", 7),
        (" 7 ", 7),
        (7.0, 7),
        (7.5, None),
        (0, None),
        (-1, None),
        (True, None),
        ("7.0", None),
        (None, None),
        (1e400, None),
        (float("nan"), None),
        (10**9, None),
        ([7], None),
        ("²", None),
    ],
)
def test_a_token_count_is_a_positive_whole_number(value: object, count: int | None) -> None:
    assert token_count(value) == count
