"""Earlier calls and results in the prompt."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.chat import ChatCompletionMessage

from aider_stackspot.tools.request import read_tool_call_rules
from aider_stackspot.tools.tool_call_parser import ToolCallParser
from aider_stackspot.tools.tool_call_syntax import calls_as_json, is_result, result_tags
from tests.tools.tool_samples import ECHO, block, calls_of, earlier_call, parse

CALL = {"id": "call_1", "type": "function", "function": {"name": "echo", "arguments": '{"n": 1.0}'}}


def calls(**message: Any) -> list[str]:
    return calls_as_json({"role": "assistant", "content": None, **message}, "messages[3]")


def test_a_call_has_its_id_and_can_be_read_like_any_other() -> None:
    written = calls(tool_calls=[CALL, CALL])
    assert written == ['{"id":"call_1","name":"echo","arguments":{"n": 1.0}}'] * 2
    text = "\n".join(map(block, written))
    assert calls_of(parse(text, ToolCallParser(read_tool_call_rules([ECHO])))) == [("echo", '{"n": 1.0}')] * 2


def test_a_message_without_calls() -> None:
    assert calls() == calls(tool_calls=None, function_call=None) == calls(tool_calls=[]) == []


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        (None, "{}"),
        ("", "{}"),
        (" ", "{}"),
        ("{}", "{}"),
        ({}, "{}"),
        ({"a": "ção"}, '{"a":"ção"}'),
        (' {"a": 1.50} ', '{"a": 1.50}'),
        ('{"a": "</stk:tool_call>"}', '{"a": "\\u003c/stk:tool_call>"}'),
        ('{"a": ', '"{\\"a\\": "'),
        ('{"a":1,"a":2}', '"{\\"a\\":1,\\"a\\":2}"'),
        ("[1]", '"[1]"'),
        ("<stk:tool_call>", '"\\u003cstk:tool_call>"'),
    ],
)
def test_arguments_keep_their_spelling(arguments: Any, written: str) -> None:
    function = {"name": "f", "arguments": arguments}
    assert calls(tool_calls=[{"function": function}]) == [f'{{"name":"f","arguments":{written}}}']


def test_the_old_form_is_read() -> None:
    assert calls(function_call={"name": "echo", "arguments": "{}"}) == ['{"name":"echo","arguments":{}}']


def test_a_client_librarys_objects_are_read() -> None:
    answer = ChatCompletionMessage.model_validate({"role": "assistant", "tool_calls": [CALL]})
    assert calls(tool_calls=answer.tool_calls) == calls(tool_calls=[CALL])


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"tool_calls": "echo"}, "messages[3].tool_calls is a str; a list is expected"),
        ({"tool_calls": [CALL, "echo"]}, "messages[3].tool_calls[1] is a str; an object is expected"),
        ({"tool_calls": [{"id": "1"}]}, "messages[3].tool_calls[0].function is a NoneType; an object is expected"),
        ({"tool_calls": [{"function": {}}]}, "messages[3].tool_calls[0].function has no name"),
        (
            {"tool_calls": [{"id": "1", "type": "custom", "custom": {"name": "patch", "input": "x"}}]},
            "messages[3].tool_calls[0] has the type 'custom'; only calls of functions can be sent",
        ),
        (
            {"tool_calls": [{"function": {"name": "f", "arguments": {"a": float("nan")}}}]},
            "messages[3].tool_calls[0].function.arguments cannot be written as JSON",
        ),
        (
            {"tool_calls": [{"function": {"name": "f", "arguments": {"a": object()}}}]},
            "messages[3].tool_calls[0].function.arguments cannot be written as JSON",
        ),
        ({"function_call": "echo"}, "messages[3].function_call is a str; an object is expected"),
        ({"function_call": {"arguments": "{}"}}, "messages[3].function_call has no name"),
    ],
)
def test_a_call_that_cannot_be_written_is_refused_by_its_place(message: Any, said: str) -> None:
    with pytest.raises(ValueError) as refusal:
        calls(**message)
    assert said in str(refusal.value)


def test_a_result_says_which_call_it_answers() -> None:
    message = {"role": "tool", "tool_call_id": "call_1", "content": "x"}
    assert result_tags(message) == ('<stk:tool_result id="call_1">', "</stk:tool_result>")
    assert result_tags({**message, "name": "echo"})[0] == '<stk:tool_result id="call_1" name="echo">'
    assert result_tags({"role": "function", "name": "echo"})[0] == '<stk:tool_result name="echo">'
    assert result_tags({"tool_call_id": 'x"><stk:'})[0] == '<stk:tool_result id="x\\">\\u003cstk:">'


@pytest.mark.parametrize(("role", "result"), [("tool", True), ("function", True), ("user", False), (None, False)])
def test_which_messages_are_results(role: Any, result: bool) -> None:
    assert is_result({"role": role}) is result


def test_a_call_stands_between_markers() -> None:
    assert earlier_call("echo", {}) == '<stk:tool_call>\n{"name":"echo","arguments":{}}\n</stk:tool_call>'
