"""A JSON answer: asked for, unwrapped while it streams, checked at its end."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from aider_stackspot.tools.answer_requirements import ResponseFormatFilter
from aider_stackspot.tools.events import Event, TextDelta
from aider_stackspot.tools.request import read_response_format
from tests.tools.tool_samples import merged, text_of, warnings_of

OBJECT = {"type": "json_object"}
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
SHAPED = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}}


def new_filter(wanted: Any, hold: bool = False) -> ResponseFormatFilter:
    return ResponseFormatFilter(read_response_format(wanted), hold=hold)


def filtered(text: str, wanted: Any = OBJECT, hold: bool = False) -> list[Event]:
    only = new_filter(wanted, hold)
    return merged([event for char in text for event in only.feed(char)] + only.finish())


@pytest.mark.parametrize("wanted", [None, {"type": "text"}])
def test_where_no_json_is_demanded_nothing_is_touched(wanted: Any) -> None:
    only = new_filter(wanted, hold=True)
    assert only.feed("```json\n") == [TextDelta("```json\n")]
    assert only.feed("") == only.finish() == []


def test_a_pydantic_models_schema_is_checked() -> None:
    class Answer(BaseModel):
        n: int

    assert warnings_of(filtered('{"n": 1}', Answer)) == []
    assert len(warnings_of(filtered('{"n": "x"}', Answer))) == 1


def test_bare_json_streams_at_once() -> None:
    only = new_filter(OBJECT)
    assert only.feed('{"a":') == [TextDelta('{"a":')]
    assert only.feed(' "```"') == [TextDelta(' "```"')]
    assert only.feed("}\n") == [TextDelta("}")]
    assert only.finish() == []
    assert only.finish() == []


def test_a_warning_is_given_once() -> None:
    only = new_filter(SHAPED)
    assert only.feed("{}") == [TextDelta("{}")]
    assert len(warnings_of(only.finish())) == 1
    assert only.finish() == []


def test_json_in_a_fence_streams_without_it() -> None:
    only = new_filter(OBJECT)
    assert only.feed("```js") == only.feed("on\n") == []
    assert only.feed('{"a": 1') == [TextDelta('{"a": 1')]
    assert only.feed("}\n```\n") == [TextDelta("}")]
    assert only.finish() == []


@pytest.mark.parametrize("hold", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        '{"n": 1}',
        '\n{"n": 1}\n',
        '```json\n{"n": 1}\n```',
        '```\n{"n": 1}```\n',
        '`{"n": 1}`',
        '{"n": 1}}',
        '```{"n": 1}```',
    ],
)
def test_wrapping_is_removed_without_a_word(text: str, hold: bool) -> None:
    assert filtered(text, SHAPED, hold) == [TextDelta('{"n": 1}')]


@pytest.mark.parametrize("hold", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        'Here it is:\n```json\n{"n": 1}\n```\nAnything else?',
        'Sure! {"n": 1}',
        '{"n": 1}\n\nThat is one.',
        '```json\n{"n": 1}\n```\nThat is one.',
    ],
)
def test_sentences_around_the_only_json_are_left_out_with_a_warning(text: str, hold: bool) -> None:
    events = filtered(text, SHAPED, hold)
    assert text_of(events) == '{"n": 1}'
    assert ["which was left out" in message for message in warnings_of(events)] == [True]


@pytest.mark.parametrize("hold", [True, False])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("I cannot do that.", "not valid JSON"),
        ("", "not one JSON value"),
        ('{"n": 1', "not one JSON value"),
        ('{"n": "one"}', "$.n: type is not satisfied"),
        ("{}", "'n' is a required property"),
        ("[1]", "$: type is not satisfied"),
        ('{"n": 1} {"n": 2}', "JSON value"),
        ('See [1]: {"n": 1}', "not one JSON value"),
        ('Here: {"n": "one"} as a word', "$.n: type is not satisfied"),
        ('{"n": "one"} as a word', "$.n: type is not satisfied"),
        ('{"n": 1, <br>}', "not one JSON value"),
    ],
)
def test_an_answer_that_is_not_as_demanded_comes_as_it_is_with_a_warning(text: str, reason: str, hold: bool) -> None:
    events = filtered(text, SHAPED, hold)
    assert text_of(events) == text
    assert [reason in message for message in warnings_of(events)] == [True]
    assert "one}" not in warnings_of(events)[0]


def test_a_fence_that_was_taken_off_leaves_no_half() -> None:
    assert text_of(filtered("```json\n{}\n```\nSorry.", SHAPED)) == "{}\nSorry."


def test_a_held_answer_is_mended_too() -> None:
    assert filtered('```json\n{"n": 1,}\n```', SHAPED, hold=True) == [TextDelta('{"n": 1}')]
    assert len(warnings_of(filtered('{"n": 1,}', SHAPED))) == 1


def test_a_schema_may_allow_a_bare_value() -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "integer"}}}
    assert filtered(" 5\n", wanted) == [TextDelta("5")]


def test_an_answer_that_calls_tools_is_not_checked() -> None:
    only = new_filter(SHAPED)
    assert only.feed("Let me look.") == []
    assert only.finish(checked=False) == [TextDelta("Let me look.")]
