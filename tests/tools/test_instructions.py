"""What the model is told about its tools."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aider_stackspot.tools import ToolCallParser, instructions
from aider_stackspot.tools.offer import read_offered_tools
from tests.tools.tool_samples import ECHO, READ_FILE, TOOLS, calls_of, parse

NAMED = {"type": "function", "function": {"name": "echo"}}


@pytest.mark.parametrize(("tools", "choice"), [(None, None), ([], "auto"), (TOOLS, "none"), ([{"type": "x"}], "auto")])
def test_nothing_where_no_call_is_possible(tools: Any, choice: Any) -> None:
    assert instructions(tools, choice) == ""


def test_every_tool_stands_on_a_line_of_its_own_with_its_schema() -> None:
    lines = instructions(TOOLS).splitlines()[-2:]
    assert [json.loads(line) for line in lines] == [READ_FILE["function"], ECHO["function"]]


def test_the_syntax_is_shown_as_the_parser_reads_it() -> None:
    parser = ToolCallParser([{"type": "function", "function": {"name": "tool-name"}}])
    assert calls_of(parse(instructions(TOOLS), parser)) == [("tool-name", '{"parameter": "value"}')]


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (None, "answer without one"),
        ("auto", "answer without one"),
        ("required", "must contain a tool call"),
        ("any", "must contain a tool call"),
        (NAMED, 'must contain a call of the tool "echo", and of no other'),
        ({"type": "function", "name": "echo"}, 'must contain a call of the tool "echo", and of no other'),
        ({"type": "tool", "name": "echo"}, 'must contain a call of the tool "echo", and of no other'),
        ({"type": "auto"}, "answer without one"),
    ],
)
def test_choice(choice: Any, said: str) -> None:
    text = instructions(TOOLS, choice)
    known = [
        "answer without one",
        "must contain a tool call",
        'must contain a call of the tool "echo", and of no other',
    ]
    assert [one for one in known if one in text] == [said]


def test_parallel_calls() -> None:
    assert "At most one call in an answer." in instructions(TOOLS, None, False)
    assert "At most one" not in instructions(TOOLS, None, True)


def test_flat_tools_of_the_responses_api_are_read() -> None:
    flat = {"type": "function", **READ_FILE["function"]}
    assert instructions([flat]) == instructions([READ_FILE])


def test_braces_in_a_description_are_not_places_to_fill_in() -> None:
    tool = {"type": "function", "function": {"name": "a", "description": "{choice} {parallel} {0}"}}
    assert "{choice} {parallel} {0}" in instructions([tool])


def test_the_fixed_part_is_short() -> None:
    # The default input limit is 16,384 tokens; some four characters make one.
    assert len(instructions([ECHO])) < 1600


@pytest.mark.parametrize(
    ("tools", "choice", "said"),
    [
        (["read_file"], None, "tools[0] is not an object"),
        ([{"type": "function", "function": {}}], None, "tools[0] has no name"),
        ([{"type": "function", "function": "f"}], None, "tools[0] has no name"),
        ([ECHO, ECHO], None, "tools[1]: there is already a tool named 'echo'"),
        (TOOLS, "sometimes", "tool_choice must be"),
        (TOOLS, 5, "tool_choice must be"),
        (TOOLS, {"type": "function", "function": {"name": "rm"}}, "'rm', which is not among the tools"),
        (None, NAMED, "'echo', which is not among the tools"),
        ([], "required", "there are no tools"),
    ],
)
def test_what_cannot_be_honoured_is_refused(tools: Any, choice: Any, said: str) -> None:
    with pytest.raises(ValueError) as refusal:
        read_offered_tools(tools, choice)
    assert said in str(refusal.value)
