"""Properties of the call protocol, for any text, any call and any cuts."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aider_stackspot.tools.answer_requirements import ResponseFormatFilter, tool_instructions
from aider_stackspot.tools.request import JsonResponseFormat, read_tool_call_rules
from aider_stackspot.tools.tool_call_syntax import calls_as_json, escape_text, result_tags
from tests.tools.tool_samples import (
    ECHO,
    TOOLS,
    block,
    call,
    earlier_call,
    merged,
    new_parser,
    parse,
    pieces,
    text_of,
)

# Time is no property here: a busy machine must not make a test fail.
SOME = settings(deadline=None)
MANY = settings(max_examples=400)

FRAGMENTS = [
    *("<stk:tool_call>", "</stk:tool_call>", "<stk:tool_result", "</stk:tool_result>", "<stk:part>"),
    *("<", "stk:", "\\", "< / STK:", "<\\stk:", "```json\n", "```", "name", "\n", "\u2028", *"{}[]\"'“”,: "),
    *('{"name":"echo","arguments":{}}', block("{}"), call(), call(), call(), call()),
]
ANY_TEXT = st.text()
MARKED_TEXT = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=4)), max_size=14).map("".join)
CUTS = st.lists(st.integers(0, 400), max_size=40)
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | ANY_TEXT
    | MARKED_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT | MARKED_TEXT, inner, max_size=4),
    max_leaves=12,
)
ARGUMENTS = st.dictionaries(ANY_TEXT | MARKED_TEXT, JSON_VALUES, max_size=4)


@SOME
@given(ANY_TEXT, CUTS)
def test_any_text_without_a_call_comes_out_as_it_went_in(text: str, cuts: list[int]) -> None:
    parser = new_parser()
    assert text_of(parse(pieces(text, cuts), parser)) == text
    assert parser.calls == []


@pytest.mark.thorough
@MANY
@given(MARKED_TEXT, CUTS)
def test_text_full_of_markers_is_not_changed_unless_it_has_a_call(text: str, cuts: list[int]) -> None:
    parser = new_parser()
    given_out = text_of(parse(pieces(text, cuts), parser))
    assert parser.calls or given_out == text


@pytest.mark.thorough
@MANY
@given(MARKED_TEXT, CUTS, st.booleans())
def test_the_cuts_change_nothing(text: str, cuts: list[int], parallel: bool) -> None:
    whole = parse(text, new_parser(parallel=parallel))
    assert parse(pieces(text, cuts), new_parser(parallel=parallel)) == whole
    assert parse(list(text), new_parser(parallel=parallel)) == whole


@SOME
@given(st.text(min_size=1), ARGUMENTS, ANY_TEXT, ANY_TEXT, CUTS)
def test_any_call_is_read_back(name: str, arguments: dict[str, Any], before: str, after: str, cuts: list[int]) -> None:
    tools = [{"type": "function", "function": {"name": name}}]
    text = f"a{before}{earlier_call(name, arguments)}{after}z"
    parser = new_parser(tools=tools)
    events = parse(pieces(text, cuts), parser)
    [made] = parser.calls
    assert (made.name, json.loads(made.arguments)) == (name, arguments)
    assert text_of(events) == f"a{before}{after}z"


@pytest.mark.thorough
@SOME
@given(st.lists(ARGUMENTS, min_size=1, max_size=4), CUTS)
def test_calls_of_a_model_that_escapes_no_marker_are_read(many: list[dict[str, Any]], cuts: list[int]) -> None:
    text = "\n".join(block(f"\n{json.dumps({'name': 'echo', 'arguments': one}, ensure_ascii=False)}\n") for one in many)
    parser = new_parser(tools=[ECHO])
    assert text_of(parse(pieces(text, cuts), parser)) == ""
    assert [json.loads(made.arguments) for made in parser.calls] == many


@SOME
@given(st.text(alphabet="abc <s\n", min_size=0, max_size=30), st.sampled_from(["", "x"]), CUTS)
def test_no_fragment_of_the_syntax_reaches_the_client(before: str, after: str, cuts: list[int]) -> None:
    parser = new_parser()
    expected = ("" if before.isspace() else before) + after
    seen = ""
    for piece in pieces(before + call() + after, cuts):
        seen += text_of(parser.feed(piece))
        assert expected.startswith(seen)
    assert (len(parser.calls), seen) == (1, expected)


@SOME
@given(MARKED_TEXT, MARKED_TEXT)
@example("<\\stk:", "<stk:")
def test_escaped_text_has_no_marker_and_stands_for_one_text(text: str, other: str) -> None:
    escaped = escape_text(text)
    assert re.sub(r"(?i)<([/\s]*\\*)\\(?=stk:)", r"<\1", escaped) == text, "what was done can be undone"
    assert "<stk:" not in escaped and "</stk:" not in escaped
    assert parse(escaped) == parse(escaped, new_parser("none"))
    assert (escape_text(other) == escaped) == (other == text)


@SOME
@given(MARKED_TEXT, ARGUMENTS)
def test_an_earlier_call_has_no_marker_of_its_own_and_says_the_same(call_id: str, arguments: dict[str, Any]) -> None:
    one = {"id": call_id, "function": {"name": call_id or "a", "arguments": json.dumps(arguments)}}
    [written] = calls_as_json({"tool_calls": [one]}, "message")
    assert "<stk:" not in written and "</stk:" not in written
    assert json.loads(written) == {"id": call_id, "name": call_id or "a", "arguments": arguments}


@SOME
@given(MARKED_TEXT, MARKED_TEXT)
def test_a_results_tag_stands_for_one_id(one: str, other: str) -> None:
    tag, _ = result_tags({"tool_call_id": one})
    assert (tag.count("<stk:"), tag.count("</stk:")) == (1, 0)
    assert (result_tags({"tool_call_id": other})[0] == tag) == (other == one)


@SOME
@given(MARKED_TEXT, CUTS, st.booleans())
def test_the_cuts_change_nothing_in_a_json_answer(text: str, cuts: list[int], hold: bool) -> None:
    def filtered(parts: list[str]) -> list[object]:
        only = ResponseFormatFilter(JsonResponseFormat({"type": "object"}), hold=hold)
        return [*merged([event for part in parts for event in only.feed(part)] + only.finish())]

    assert filtered(pieces(text, cuts)) == filtered([text]) == filtered(list(text))


@SOME
@given(JSON_VALUES, st.sampled_from(["{}", "```json\n{}\n```", " `{}`\n", "Here:\n{}"]), CUTS, st.booleans())
def test_any_demanded_json_comes_out_bare(value: Any, wrapping: str, cuts: list[int], hold: bool) -> None:
    text = json.dumps({"value": value}, ensure_ascii=False)
    only = ResponseFormatFilter(JsonResponseFormat({"type": "object"}), hold=hold)
    events = [event for part in pieces(wrapping.replace("{}", text), cuts) for event in only.feed(part)]
    assert text_of(events + only.finish()) == text


@pytest.mark.thorough
@SOME
@given(ARGUMENTS)
def test_tools_with_any_schema_text_are_described_without_markers(schema: dict[str, Any]) -> None:
    tool = {"type": "function", "function": {"name": "a", "description": str(schema), "parameters": schema}}
    text = tool_instructions(read_tool_call_rules([*TOOLS, tool]))
    assert text.count("<stk:") == tool_instructions(read_tool_call_rules(TOOLS)).count("<stk:")
    assert json.loads(text.rpartition("\n")[2]).get("parameters", {}) == schema
