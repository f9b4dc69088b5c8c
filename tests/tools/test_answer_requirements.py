"""One request's parameters to instructions, and to the parser of its answer."""

from __future__ import annotations

from typing import Any

import pytest

from aider_stackspot.tools.answer_requirements import read_answer_requirements
from tests.tools.tool_samples import ECHO, TOOLS, call, calls_of, merged, text_of, warnings_of

JSON = {"type": "json_object"}


@pytest.mark.parametrize(
    "parameters", [{}, {"temperature": 0.1}, {"functions": None, "function_call": None, "tools": []}]
)
def test_all_is_text_where_nothing_is_demanded(parameters: dict[str, Any]) -> None:
    requirements = read_answer_requirements(parameters)
    assert requirements.instructions == ""
    parser = requirements.parser(whole=False)
    assert text_of(parser.feed(call()) + parser.finish()) == call()
    assert parser.finish_reason("stop") == "stop"


def test_tools_and_json_in_one_answer() -> None:
    requirements = read_answer_requirements({"tools": TOOLS, "response_format": JSON})
    assert requirements.instructions.startswith(requirements.tool_instructions)
    assert requirements.instructions.endswith(requirements.json_instructions)
    assert "Form of an answer without a tool call" in requirements.instructions
    parser = requirements.parser(whole=False)
    events = merged(parser.feed("I look. " + call()) + parser.finish())
    assert (text_of(events), len(calls_of(events)), warnings_of(events)) == ("I look. ", 1, [])
    assert [parser.finish_reason(reason) for reason in ("stop", "length")] == ["tool_calls", "length"]
    parser = requirements.parser(whole=False)
    assert text_of(parser.feed('```json\n{"a": 1}\n```') + parser.finish()) == '{"a": 1}'


@pytest.mark.parametrize("whole", [True, False])
def test_only_the_json_of_a_whole_answer_is_mended(whole: bool) -> None:
    parser = read_answer_requirements({"response_format": JSON}).parser(whole=whole)
    events = parser.feed('{"a": 1,}') + parser.finish()
    assert (text_of(events), len(warnings_of(events))) == (('{"a": 1}', 0) if whole else ('{"a": 1,}', 1))


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"functions": [{"name": "echo"}]}, "`functions` is the old form of `tools`; give `tools`"),
        ({"function_call": "auto"}, "`function_call` is the old form of `tool_choice`; give `tool_choice`"),
        ({"tools": TOOLS, "function_call": {"name": "echo"}}, "`function_call` is the old form"),
        ({"tools": [ECHO, ECHO]}, "tools[1]: "),
        ({"tools": TOOLS, "tool_choice": "maybe"}, "tool_choice must be"),
        ({"tool_choice": "required"}, "tool_choice requires a call"),
        ({"tools": TOOLS, "parallel_tool_calls": "no"}, "parallel_tool_calls must be"),
        ({"parallel_tool_calls": "no"}, "parallel_tool_calls must be"),
        ({"response_format": {"type": "yaml"}}, "response_format must be"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as refusal:
        read_answer_requirements(parameters)
    assert said in str(refusal.value)
