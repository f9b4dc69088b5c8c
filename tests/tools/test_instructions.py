"""What the prompt tells the model about its tools, and about the JSON that is wanted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aider_stackspot.tools.answer_requirements import json_instructions, tool_instructions
from aider_stackspot.tools.request import JsonResponseFormat, read_tool_call_rules
from aider_stackspot.tools.tool_call_parser import ToolCallParser
from tests.tools.tool_samples import ECHO, READ_FILE, TOOLS, calls_of, parse

NAMED = {"type": "function", "function": {"name": "echo"}}
FREE, REQUIRED = "answer without one", "must contain a call of a tool"


def instructions(tools: Any, *choices: Any) -> str:
    return tool_instructions(read_tool_call_rules(tools, *choices))


@pytest.mark.parametrize(("tools", "choice"), [(None, None), ([], "auto"), (TOOLS, "none"), ([{"type": "x"}], "auto")])
def test_nothing_where_no_call_is_possible(tools: Any, choice: Any) -> None:
    assert instructions(tools, choice) == ""


def test_every_tool_stands_on_a_line_of_its_own_with_its_schema() -> None:
    lines = instructions(TOOLS).splitlines()[-2:]
    assert [json.loads(line) for line in lines] == [READ_FILE["function"], ECHO["function"]]


def test_the_syntax_is_shown_as_the_parser_reads_it() -> None:
    parser = ToolCallParser(read_tool_call_rules([{"type": "function", "function": {"name": "tool-name"}}]))
    assert calls_of(parse(instructions(TOOLS), parser)) == [("tool-name", '{"parameter": "value"}')]


@pytest.mark.parametrize(("choice", "said"), [(None, FREE), ("required", REQUIRED), (NAMED, REQUIRED)])
def test_choice(choice: Any, said: str) -> None:
    text = instructions(TOOLS, choice)
    assert [one for one in (FREE, REQUIRED) if one in text] == [said]
    assert ('"read_file"' in text) == (choice != NAMED)


def test_parallel_calls() -> None:
    assert "At most one call in an answer." in instructions(TOOLS, None, False)
    assert "At most one" not in instructions(TOOLS, None, True)


def test_braces_in_a_description_are_not_places_to_fill_in() -> None:
    tool = {"type": "function", "function": {"name": "a", "description": "{choice} {parallel} {0}"}}
    assert "{choice} {parallel} {0}" in instructions([tool])


def test_the_fixed_part_is_short() -> None:
    # The default input limit is 16,384 tokens; some four characters make one.
    assert len(instructions([ECHO])) < 1600


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}])
def test_a_schema_that_is_no_json_is_refused_with_the_tools_name(value: Any) -> None:
    tool = {"type": "function", "function": {"name": "a", "parameters": {"default": value}}}
    with pytest.raises(ValueError, match="tools: the schema of 'a' cannot be written as JSON"):
        instructions([tool])
    with pytest.raises(ValueError, match="response_format: the schema cannot be written as JSON"):
        json_instructions(JsonResponseFormat({"default": value}))


def test_any_text_needs_no_instructions() -> None:
    assert json_instructions(None) == ""


def test_a_json_object() -> None:
    assert "one JSON object and nothing else" in json_instructions(JsonResponseFormat({"type": "object"}))


def test_a_schema_and_what_it_means() -> None:
    schema = {"type": "object", "required": ["<stk:tool_call>"]}
    text = json_instructions(JsonResponseFormat(schema, "A count of </stk:tool_call>."))
    assert json.loads(text.splitlines()[-1]) == schema
    assert 'What it is: "A count of \\u003c/stk:tool_call>."' in text
    assert "<stk:" not in text
