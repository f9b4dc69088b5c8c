"""JSON is mended where one reading is possible, and only there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aider_stackspot.tools.lenient_json import members, mend


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('{"a": 1,}', {"a": 1}),
        ('{"a": [1, 2, ], }', {"a": [1, 2]}),
        ('{"a": "x,}"}', {"a": "x,}"}),
        ('{"a": "x,}",}', {"a": "x,}"}),
        ('{"a": "one\ntwo\tthree"}', {"a": "one\ntwo\tthree"}),
        ('{"a": "one\r\n\\n"}', {"a": "one\r\n\n"}),
        ("{'a': 'it\\'s \"so\"\\n'}", {"a": 'it\'s "so"\n'}),
        ("{“a”: “b\nc”}", {"a": "b\nc"}),
        ('{"a": “it\'s”}', {"a": "it's"}),
        ('{"a": True, "b": False, "c": None}', {"a": True, "b": False, "c": None}),
        ('{"a": "True, None"}', {"a": "True, None"}),
        ('{\u00a0"a":\u20021}', {"a": 1}),
        ('{"a":\u00a0"\u00a0"}', {"a": "\u00a0"}),
    ],
)
def test_certain(text: str, meant: Any) -> None:
    mended = mend(text)
    assert mended is not None
    assert json.loads(mended) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"a": 1',
        '{"a": 1 "b": 2}',
        '{"a": 1 2}',
        '{"a" 1}',
        '{"a": "say "hi""}',
        '{"a": "b}',
        '{"a": "\\d"}',
        '{"a": "one\\\ntwo"}',
        "{'a': 'it's'}",
        '{"a": "it\\\'s"}',
        "{a: 1}",
        '{"a": 1} // comment',
        '{"a": 1,,}',
        "[,]",
        "{,}",
        '{"a": ,}',
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": 01}',
        '{"a": 1},',
        '{"a": 1}}',
        "[" * 100_000 + "]" * 100_000,
    ],
)
def test_not_certain(text: str) -> None:
    assert mend(text) is None


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.text() | st.floats(allow_nan=False, allow_infinity=False) | st.lists(st.text())))
def test_json_is_left_as_it_is(value: dict[str, Any]) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        assert mend(text) == text


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.text() | st.lists(st.text(), min_size=1), min_size=1))
def test_a_trailing_comma_anywhere_changes_no_value(value: dict[str, Any]) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1)
    assert json.loads(str(mend(text[:-2] + ",\n}"))) == value


def test_members_keep_their_spelling() -> None:
    text = ' { "a" : 1.50 , "b" : { "c" : "\\u003c" } , "d":[ ] } '
    assert members(text) == {"a": "1.50", "b": '{ "c" : "\\u003c" }', "d": "[ ]"}
    assert members("{}") == {}


@pytest.mark.parametrize(
    "text", ["[]", "1", "{", '{"a":1', '{"a":1,}', '{"a":1}x', '{"a":1,"a":2}', "{1:2}", '{"a" 1}', '{"a":NaN}']
)
def test_members_of_anything_else_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        members(text)
