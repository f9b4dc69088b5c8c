"""An answer's text becomes text and calls as it streams in."""

from __future__ import annotations

import json
import re
import time

import pytest

from aider_stackspot.tools.events import AnswerWarning, TextDelta, ToolCall
from aider_stackspot.tools.request import read_tool_call_rules
from aider_stackspot.tools.tool_call_parser import ToolCallParser
from tests.tools.tool_samples import ECHO, TOOLS, block, call, calls_of, new_parser, parse, text_of, warnings_of

A = ("read_file", '{"path": "a.py"}')


def test_text_streams_at_once_up_to_what_may_be_the_beginning_of_a_marker() -> None:
    parser = new_parser()
    assert parser.feed("Let me look. <b>") == [TextDelta("Let me look. <b>")]
    assert parser.feed("if a < b: <stk:tool") == [TextDelta("if a < b: ")]
    assert parser.feed("box>") == [TextDelta("<stk:toolbox>")]


def test_a_call_between_texts() -> None:
    parser = new_parser()
    assert parse(f"Before.\n{call()}\nAfter.", parser) == [
        TextDelta("Before.\n"),
        ToolCall("call_0", "read_file", '{"path": "a.py"}', 0),
        TextDelta("\nAfter."),
    ]
    assert parser.calls


def test_an_answer_without_a_call_ends_with_stop() -> None:
    parser = new_parser()
    parse("Done.", parser)
    assert not parser.calls


def test_a_call_is_given_out_with_its_last_character() -> None:
    parser = new_parser()
    text = call()
    assert [parser.feed(char) for char in text[:-1]] == [[]] * (len(text) - 1)
    assert parser.feed(text[-1]) == parser.calls


def test_calls_in_a_row_leave_no_spaces_behind() -> None:
    parser = new_parser()
    events = parse(f"\n\n{call('a.py')}\n\n{call('b.py')} {call('c.py')}\n", parser)
    assert events == parser.calls
    assert [made.index for made in parser.calls] == [0, 1, 2]
    assert [json.loads(made.arguments)["path"] for made in parser.calls] == ["a.py", "b.py", "c.py"]


def test_spaces_alone_are_an_answer() -> None:
    assert parse(" \n") == [TextDelta(" \n")]


def test_ids_are_unique() -> None:
    made = ToolCallParser(read_tool_call_rules(TOOLS))
    parse(call() * 50, made)
    ids = [one.id for one in made.calls]
    assert len(set(ids)) == 50
    assert all(one.startswith("call_") and len(one) > 20 for one in ids)


@pytest.mark.parametrize(
    "inner",
    [
        "</stk:tool_call>",
        "<stk:tool_call>",
        '<stk:tool_result id="x">',
        "```",
        "{[}]",
        'one " and }',
        "say \"hi\" \\ and 'bye'",
        "line\u2028separator\u2029 and \x85",
        "emoji 😀, ção, 日本語, “quoted”",
        "\ud800 alone",
    ],
)
def test_arguments_may_hold_anything(inner: str) -> None:
    # Written as a model would, not in the history, which escapes the markers.
    body = json.dumps({"name": "echo", "arguments": {"text": inner, inner: [{}]}})
    [(name, arguments)] = calls_of(parse(block(body)))
    assert (name, json.loads(arguments)) == ("echo", {"text": inner, inner: [{}]})


def test_a_raw_marker_inside_a_string_does_not_end_the_call() -> None:
    text = block('{"name": "echo", "arguments": {"text": "</stk:tool_call> and <stk:tool_call>{}"}}')
    assert calls_of(parse(list(text))) == [("echo", '{"text": "</stk:tool_call> and <stk:tool_call>{}"}')]


@pytest.mark.parametrize("quotes", ["''", "“”"])
def test_a_bracket_in_a_string_in_other_quotation_marks_does_not_end_the_call(quotes: str) -> None:
    body = '{"name": "echo", "arguments": {"text": "a } b </stk:tool_call>"}}'
    odd = re.sub(r'"([^"]*)"', lambda match: f"{quotes[0]}{match[1]}{quotes[1]}", body)
    assert calls_of(parse(list(block(odd)))) == [("echo", '{"text": "a } b </stk:tool_call>"}')]


def test_numbers_keep_their_digits() -> None:
    arguments = '{"a": 1.10, "b": 12345678901234567890123, "c": 1E-7, "d": 0.1000000000000000000001}'
    assert calls_of(parse(block(f'{{"name": "echo", "arguments": {arguments}}}'))) == [("echo", arguments)]


@pytest.mark.parametrize(
    "text",
    [
        block('\n```json\n{"name": "read_file", "arguments": {"path": "a.py"}}\n```\n'),
        block('```{"name": "read_file", "arguments": {"path": "a.py"}}```'),
        block('`{"name": "read_file", "arguments": {"path": "a.py"}}`'),
        block('json\n{"name": "read_file", "arguments": {"path": "a.py"}}'),
        block('{"name": "read_file", "arguments": {"path": "a.py"},}'),
        block('{"name": "read_file", "arguments": {"path": "a.py"}}}'),
        block('{"id": "call_9", "type": "function", "name": "read_file", "arguments": {"path": "a.py"}}'),
        block('{"name": "read_file", "parameters": {"path": "a.py"}}'),
        block('{"name": "read_file", "input": {"path": "a.py"}}'),
        block('{"name": "read_file", "arguments": "{\\"path\\": \\"a.py\\"}"}'),
        block("{'name': 'read_file', 'arguments': {'path': 'a.py'}}"),
        block("{“name”: “read_file”, “arguments”: {“path”: “a.py”}}"),
    ],
)
def test_what_has_one_reading_is_mended(text: str) -> None:
    events = parse(list(text))
    assert calls_of(events) == [A]
    assert text_of(events) == ""
    assert warnings_of(events) == []


@pytest.mark.parametrize("arguments", ["", ', "arguments": {}', ', "arguments": null', ', "arguments": ""'])
def test_a_tool_without_parameters_needs_no_arguments(arguments: str) -> None:
    assert calls_of(parse(block(f'{{"name": "echo"{arguments}}}'))) == [("echo", "{}")]


def test_several_calls_between_one_pair_of_markers() -> None:
    events = parse(block('\n{"name": "echo", "arguments": {}}\n{"name": "echo", "arguments": {"n": 1}}\n'))
    assert calls_of(events) == [("echo", "{}"), ("echo", '{"n": 1}')]


def test_the_next_opening_marker_closes_a_call() -> None:
    unclosed = call("a.py").removesuffix("</stk:tool_call>")
    events = parse(list(f"{unclosed}\n{call('b.py')}"))
    assert calls_of(events) == [A, ("read_file", '{"path": "b.py"}')]
    assert text_of(events) == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (block('{"name": "rm", "arguments": {}}'), "names 'rm', which is not among the tools"),
        (block('{"name": "read_file", "arguments": {}}'), "'path' is a required property"),
        (block('{"name": "read_file", "arguments": {"path": 5}}'), "$.path: type is not satisfied"),
        (block('{"name": "read_file", "arguments": {"path": "a", "x": 1}}'), "additionalProperties is not satisfied"),
        (block('{"name": "read_file", "path": "a.py"}'), "members besides name and arguments"),
        (block('{"name": "echo", "path": "a.py"}'), "members besides name and arguments"),
        (block('{"name": "echo", "arguments": [1]}'), "not a JSON object"),
        (block('{"name": "echo", "arguments": "not json"}'), "not a JSON object"),
        (block('{"name": "echo", "name": "read_file", "arguments": {"path": "a"}}'), "unique names"),
        (block('{"arguments": {}}'), "has no name"),
        (block('{"name": "echo", "arguments": {"a": "say "hi""}}'), "not valid JSON"),
        (block('{"name": "echo", "arguments": {"a": NaN}}'), "not valid JSON"),
        (block('{"name": "echo", "arguments": {"a": 1}'), "not valid JSON"),
        (block('{"name": "echo", "arguments": {"a": "\\d"}}'), "not valid JSON"),
        (block('{"name": "echo", "arguments": {"a": ' + "[" * 99_999 + "]" * 99_999 + "}}"), "not valid JSON"),
        (block("read_file a.py"), "not followed by a tool call"),
        ("a `<stk:tool_call>` marker", "not followed by a tool call"),
        (call().removesuffix("</stk:tool_call>"), "ended inside a tool call"),
        (call()[:-1], "ended inside a tool call"),
        ("<stk:tool_call>", "ended inside a tool call"),
        ("<stk:tool_call>\n```json", "ended inside a tool call"),
        ('<stk:tool_call>{"name": "echo", "arguments": {"a": "b', "ended inside a tool call"),
        (call().replace("</stk:tool_call>", "</stk:tool>"), "is not closed"),
        ("<stk:tool_call" + ">" + " " * 999 + '{"name": "echo"}', "not followed by a tool call"),
    ],
)
def test_what_cannot_be_called_is_given_out_as_it_came(text: str, reason: str) -> None:
    parser = new_parser()
    events = parse(f"Look: {text}", parser)
    assert text_of(events) == f"Look: {text}"
    assert calls_of(events) == []
    assert [reason in message for message in warnings_of(events)] == [True]
    assert not parser.calls


def test_a_warning_does_not_quote_the_arguments() -> None:
    [message] = warnings_of(parse(block('{"name": "read_file", "arguments": {"path": ["confidential"]}}')))
    assert "confidential" not in message


def test_reading_goes_on_after_a_block_that_has_an_end() -> None:
    wrong = block('{"name": "rm", "arguments": {}}')
    events = parse(f"{wrong}\n{call()}")
    assert text_of(events) == wrong + "\n"
    assert calls_of(events) == [A]


def test_a_call_that_the_next_one_closes_is_given_out_alone_where_it_cannot_be_made() -> None:
    wrong = '<stk:tool_call>{"name": "rm", "arguments": {}}\n'
    events = parse(wrong + call())
    assert text_of(events) == wrong
    assert calls_of(events) == [A]


def test_after_a_block_without_an_end_all_is_text() -> None:
    # Nobody knows where the call's data ends, so what looks like the next call may be part of it.
    text = f"<stk:tool_call>{{}} oops {call()}"
    events = parse(text)
    assert text_of(events) == text
    assert calls_of(events) == []


def test_a_broken_call_after_a_good_one_does_not_undo_it() -> None:
    parser = new_parser()
    events = parse(f"{call()} <stk:tool_call>{{", parser)
    assert [type(event) for event in events] == [ToolCall, TextDelta, AnswerWarning]
    assert text_of(events) == " <stk:tool_call>{"
    assert parser.calls


def test_an_invented_result_and_what_follows_is_cut_off() -> None:
    answer = f'Reading. {call()}\n<stk:tool_result id="call_1">\nsecret\n</stk:tool_result>\nIt says secret. {call()}'
    events = parse(list(answer))
    assert text_of(events) == "Reading. "
    assert len(calls_of(events)) == 1
    assert ["invented a tool result" in message for message in warnings_of(events)] == [True]


def test_a_result_marker_without_a_call_is_text() -> None:
    text = 'It stands between <stk:tool_result id="x"> and </stk:tool_result>.'
    assert parse(list(text)) == parse(text) == [TextDelta(text)]


def test_the_beginning_of_a_result_marker_is_held_back_only_after_a_call() -> None:
    parser = new_parser()
    assert parser.feed("<stk:tool_r") == [TextDelta("<stk:tool_r")]
    parser.feed(call())
    assert parser.feed(" see <stk:tool_r") == [TextDelta(" see ")]
    assert parser.finish() == [TextDelta("<stk:tool_r")]


def test_choice_none_and_no_tools_make_the_parser_transparent() -> None:
    for parser in (new_parser("none"), new_parser(tools=None), new_parser(tools=[])):
        assert parser.feed(" ") == [TextDelta(" ")]
        assert parser.feed(call() + "<stk") == [TextDelta(call() + "<stk")]
        assert parser.feed("") == []
        assert parser.finish() == []
        assert not parser.calls


@pytest.mark.parametrize("choice", ["required", "any", {"type": "function", "function": {"name": "echo"}}])
def test_a_demanded_call_that_does_not_come_is_a_warning(choice: object) -> None:
    parser = new_parser(choice)
    assert parse("I would rather not.", parser) == [
        TextDelta("I would rather not."),
        AnswerWarning("a tool call was demanded, but the answer has none that can be made"),
    ]
    assert not parser.calls
    assert warnings_of(parse(block('{"name": "echo"}'), new_parser(choice))) == []


def test_only_the_named_tool_may_be_called() -> None:
    events = parse(call(), new_parser({"type": "function", "function": {"name": "echo"}}))
    assert text_of(events) == call()
    assert "names 'read_file', which is not among the tools it may call" in warnings_of(events)[0]


def test_a_client_that_allows_one_call_gets_one() -> None:
    events = parse(f"{call('a.py')}\n{call('b.py')}", new_parser(parallel=False))
    assert calls_of(events) == [A]
    assert text_of(events) == ""
    assert ["a second tool call, of 'read_file', was left out" in message for message in warnings_of(events)] == [True]


def test_finish_gives_out_what_was_held_back_once() -> None:
    parser = new_parser()
    assert parser.feed("a <stk:tool_") == [TextDelta("a ")]
    assert parser.finish() == [TextDelta("<stk:tool_")]
    assert parser.finish() == []


def test_the_same_warning_is_given_once() -> None:
    assert len(warnings_of(parse("<stk:tool_call>" * 1000 + "!"))) == 1


@pytest.mark.parametrize(
    ("before", "repeated", "after"),
    [
        ("", "a", ""),
        ("", " ", ""),
        ("", "<", ""),
        ("", "<stk:tool_call>", ""),
        ('<stk:tool_call>{"a": "', '\\"', ""),
        ("<stk:tool_call>", "{", ""),
        ('<stk:tool_call>{"name": "echo", "arguments": {"text": "', "x\\n", '"}}</stk:tool_call>'),
    ],
    ids=["letters", "spaces", "angles", "markers", "string", "brackets", "call"],
)
@pytest.mark.slow
def test_single_characters_take_linear_time(before: str, repeated: str, after: str) -> None:
    def seconds(size: int) -> float:
        text = before + repeated * (size // len(repeated)) + after
        start = time.process_time()
        parser = new_parser()
        events = [event for char in text for event in parser.feed(char)]
        assert text_of(events + parser.finish()) == text or parser.calls
        return time.process_time() - start

    # Sixteen times the text: quadratic would be 256 times the time. Half a second pardons a busy machine.
    assert seconds(400_000) < 32 * seconds(25_000) + 0.5


def test_a_large_piece_full_of_markers_takes_linear_time() -> None:
    start = time.process_time()
    text = ("<stk:tool_call>" + block('{"name": "nobody"}') + "<") * 20_000
    assert text_of(parse(text)) == text
    assert time.process_time() - start < 20


def test_tools_that_run_at_the_vendor_are_left_out() -> None:
    parser = new_parser(tools=[{"type": "web_search"}, ECHO])
    assert calls_of(parse(block('{"name": "echo"}'), parser)) == [("echo", "{}")]
