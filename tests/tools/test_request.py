"""What a request demands is honoured, or refused with the name of its field."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from aider_stackspot.tools.request import (
    JsonResponseFormat,
    Tool,
    ToolCallRules,
    read_response_format,
    read_tool_call_rules,
)
from tests.tools.tool_samples import ECHO, READ_FILE, TOOLS

NAMED = {"type": "function", "function": {"name": "echo"}}
READ_FILE_FLAT = {"type": "function", **READ_FILE["function"]}
WEB_SEARCH = {"type": "web_search", "search_context_size": "low"}
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def allowed(mode: Any, *tools: Any) -> dict[str, Any]:
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": list(tools)}}


@pytest.mark.parametrize(
    ("choice", "names", "required"),
    [
        (None, ["read_file", "echo"], False),
        ("auto", ["read_file", "echo"], False),
        ("none", [], False),
        ("required", ["read_file", "echo"], True),
        ("any", ["read_file", "echo"], True),
        ({"type": "auto"}, ["read_file", "echo"], False),
        ({"type": "none"}, [], False),
        ({"type": "any"}, ["read_file", "echo"], True),
        (NAMED, ["echo"], True),
        ({"function": {"name": "echo"}}, ["echo"], True),
        ({"type": "function", "name": "echo"}, ["echo"], True),
        ({"type": "tool", "name": "echo"}, ["echo"], True),
        (allowed("auto", NAMED), ["echo"], False),
        (allowed("required", NAMED), ["echo"], True),
        (allowed("auto", NAMED, {"type": "function", "name": "read_file"}), ["read_file", "echo"], False),
        (allowed("auto"), [], False),
        ({"type": "allowed_tools", "mode": "required", "tools": [{"name": "echo"}]}, ["echo"], True),
    ],
)
def test_tool_choice(choice: Any, names: list[str], required: bool) -> None:
    rules = read_tool_call_rules(TOOLS, choice)
    assert (list(rules.tools), rules.required, rules.parallel) == (names, required, True)


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("sometimes", "tool_choice must be auto, none, required, a function or allowed_tools, not 'sometimes'"),
        ("", "tool_choice must be"),
        ("function", "tool_choice must be"),
        (5, "tool_choice must be"),
        (True, "tool_choice must be"),
        (["echo"], "tool_choice must be"),
        ({"type": "custom", "custom": {"name": "echo"}}, "tool_choice must be"),
        ({"type": "mcp", "server_label": "x", "name": "echo"}, "tool_choice must be"),
        ({"type": "web_search_preview"}, "tool_choice must be"),
        ({"type": ["auto"]}, "tool_choice must be"),
        ({"type": None, "name": "echo"}, "tool_choice must be"),
        ({}, "tool_choice has no name"),
        ({"type": "function"}, "tool_choice has no name"),
        ({"type": "function", "function": {}}, "tool_choice.function has no name"),
        ({"type": "function", "function": "echo"}, "tool_choice.function is a str; an object is expected"),
        ({"type": "function", "function": {"name": "rm"}}, "tool_choice names 'rm', which is not among the tools"),
        ({"type": "function", "function": {"name": "\udc00"}}, "tool_choice names '\ufffd', which is not among"),
        ({**NAMED, "name": "read_file"}, "tool_choice has 'name', which cannot be honoured"),
        ({"type": "auto", "disable_parallel_tool_use": True}, "tool_choice has 'disable_parallel_tool_use'"),
        (allowed("auto", {"type": "function", "name": "rm"}), "tool_choice names 'rm', which is not among the tools"),
        (allowed("auto", WEB_SEARCH), "tool_choice.allowed_tools.tools[0] has the type 'web_search'; only functions"),
        (allowed("auto", NAMED, "echo"), "tool_choice.allowed_tools.tools[1] is a str; an object is expected"),
        (allowed("none", NAMED), "tool_choice.allowed_tools.mode must be auto or required, not 'none'"),
        (allowed(None, NAMED), "tool_choice.allowed_tools.mode must be auto or required, not None"),
        (allowed("required"), "tool_choice requires a call, but there are no tools"),
        ({"type": "allowed_tools", "mode": "auto", "tools": "echo"}, "tool_choice.tools is a str; a list is expected"),
        ({**allowed("auto", NAMED), "mode": "required"}, "tool_choice has 'mode', which cannot be honoured"),
    ],
)
def test_a_tool_choice_that_cannot_be_honoured_is_refused(choice: Any, said: str) -> None:
    with pytest.raises(ValueError) as refusal:
        read_tool_call_rules(TOOLS, choice)
    assert said in str(refusal.value)


def test_a_refusal_does_not_repeat_a_whole_request() -> None:
    with pytest.raises(ValueError) as refusal:
        read_tool_call_rules(TOOLS, {"type": "custom", "text": "x" * 10_000})
    assert len(str(refusal.value)) < 250


@pytest.mark.parametrize("tools", [None, [], ()])
@pytest.mark.parametrize("choice", [None, "auto", "none"])
def test_no_tools_are_no_calls(tools: Any, choice: Any) -> None:
    assert read_tool_call_rules(tools, choice) == ToolCallRules()


@pytest.mark.parametrize(
    ("choice", "said"), [("required", "there are no tools"), (NAMED, "'echo', which is not among")]
)
def test_a_call_cannot_be_required_without_tools(choice: Any, said: str) -> None:
    with pytest.raises(ValueError, match=f"tool_choice .*{said}"):
        read_tool_call_rules(None, choice)


@pytest.mark.parametrize(("given", "parallel"), [(None, True), (True, True), (False, False)])
def test_parallel_tool_calls(given: Any, parallel: bool) -> None:
    assert read_tool_call_rules(TOOLS, None, given).parallel is parallel


@pytest.mark.parametrize("given", ["false", 0, 1, [], {}])
def test_parallel_tool_calls_that_are_no_truth_value_are_refused(given: Any) -> None:
    with pytest.raises(ValueError, match="parallel_tool_calls must be true or false, not "):
        read_tool_call_rules(TOOLS, None, given)


def test_a_tool_is_read_in_both_forms_and_from_a_client_librarys_object() -> None:
    class Function(BaseModel):
        name: str
        description: str
        parameters: dict[str, Any]

    class Given(BaseModel):
        type: str
        function: Function

    expected = {"read_file": Tool("read_file", "Read a file.", READ_FILE["function"]["parameters"])}
    assert read_tool_call_rules([READ_FILE]).tools == expected
    assert read_tool_call_rules([READ_FILE_FLAT]).tools == expected
    assert read_tool_call_rules([Given.model_validate(READ_FILE)]).tools == expected


def test_what_changes_no_call_may_stand_at_a_tool() -> None:
    function = {**ECHO["function"], "strict": True, "description": None, "parameters": None, "cache_control": {}}
    rules = read_tool_call_rules([{"type": "function", "function": function, "cache_control": {"type": "ephemeral"}}])
    assert rules.tools == {"echo": Tool("echo")}


@pytest.mark.parametrize(
    ("tools", "said"),
    [
        ("echo", "tools is a str; a list is expected"),
        ({"echo": {}}, "tools is a dict; a list is expected"),
        (["echo"], "tools[0] is a str; an object is expected"),
        ([ECHO, None], "tools[1] is a NoneType; an object is expected"),
        ([{"type": "function", "function": {}}], "tools[0].function has no name"),
        ([{"type": "function", "function": "f"}], "tools[0].function is a str; an object is expected"),
        ([{"type": "function"}], "tools[0] has no name"),
        ([{"name": 5}], "tools[0] has no name"),
        ([{"type": 5, "name": "echo"}], "tools[0] has the type 5; only functions can be called here"),
        ([{"type": "custom", "custom": {"name": "patch"}}], "tools[0] has the type 'custom'; only functions"),
        ([ECHO, {"type": "namespace", "name": "n", "tools": []}], "tools[1] has the type 'namespace'; only functions"),
        ([ECHO, ECHO], "tools[1]: there is already a tool named 'echo'"),
        ([{"name": "a", "description": ["b"]}], "tools[0].description is a list; a text is expected"),
        ([{"function": {"name": "a", "parameters": "{}"}}], "tools[0].function.parameters is a str; an object is"),
        ([{"name": "a", "parameters": [SCHEMA]}], "tools[0].parameters is a list; an object is expected"),
        ([{"name": "a", "input_schema": SCHEMA}], "tools[0] has 'input_schema', which cannot be honoured"),
        ([{**ECHO, "name": "other"}], "tools[0] has 'name', which cannot be honoured"),
    ],
)
def test_a_tool_that_cannot_be_honoured_is_refused(tools: Any, said: str) -> None:
    with pytest.raises(ValueError) as refusal:
        read_tool_call_rules(tools)
    assert said in str(refusal.value)


@pytest.mark.parametrize("choice", [None, "auto", "none", NAMED, allowed("required", NAMED)])
def test_tools_that_run_at_the_vendor_are_left_out_where_none_of_them_is_demanded(choice: Any) -> None:
    assert set(read_tool_call_rules([WEB_SEARCH, ECHO], choice).tools) <= {"echo"}


@pytest.mark.parametrize("tools", [[WEB_SEARCH], [ECHO, WEB_SEARCH]])
def test_tools_that_run_at_the_vendor_are_refused_where_one_of_them_may_be_demanded(tools: Any) -> None:
    place = len(tools) - 1
    with pytest.raises(ValueError, match=rf"tools\[{place}\] has the type 'web_search'; only functions"):
        read_tool_call_rules(tools, "required")


def test_half_a_surrogate_pair_in_a_name() -> None:
    tool = {"type": "function", "function": {"name": "a\ud800"}}
    rules = read_tool_call_rules([tool], tool)
    assert rules.tools == {"a\ufffd": Tool("a\ufffd")}
    with pytest.raises(ValueError, match="already a tool"):
        read_tool_call_rules([tool, {"type": "function", "function": {"name": "a\udfff"}}])


@pytest.mark.parametrize("given", [None, {"type": "text"}, {"type": "text", "json_schema": None}])
def test_any_text_will_do(given: Any) -> None:
    assert read_response_format(given) is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"type": "json_object"}, JsonResponseFormat({"type": "object"})),
        ({"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}, JsonResponseFormat(SCHEMA)),
        ({"type": "json_schema", "json_schema": {"schema": {}, "strict": True}}, JsonResponseFormat({})),
        (
            {"type": "json_schema", "name": "a", "schema": SCHEMA, "strict": False, "description": "A count."},
            JsonResponseFormat(SCHEMA, "A count."),
        ),
    ],
)
def test_json_is_demanded(given: Any, expected: JsonResponseFormat) -> None:
    assert read_response_format(given) == expected


def test_a_pydantic_model_is_its_schema() -> None:
    class Answer(BaseModel):
        n: int

    assert read_response_format(Answer) == JsonResponseFormat(Answer.model_json_schema())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("json", "response_format is a str; an object is expected"),
        (["json_object"], "response_format is a list; an object is expected"),
        (int, "response_format is a type; an object is expected"),
        ({}, "response_format must be text, json_object or json_schema, not None"),
        ({"type": "xml"}, "response_format must be text, json_object or json_schema, not 'xml'"),
        ({"type": "grammar", "grammar": "root"}, "response_format must be text, json_object or json_schema"),
        ({"type": "json_object", "schema": SCHEMA}, "response_format has 'schema', which cannot be honoured"),
        ({"type": "text", "json_schema": {}}, "response_format has 'json_schema', which cannot be honoured"),
        ({"type": "json_schema"}, "response_format.schema is a NoneType; an object is expected"),
        ({"type": "json_schema", "json_schema": {}}, "response_format.json_schema.schema is a NoneType"),
        ({"type": "json_schema", "json_schema": "{}"}, "response_format.json_schema is a str; an object is expected"),
        ({"type": "json_schema", "json_schema": {"schema": "{}"}}, "response_format.json_schema.schema is a str"),
        ({"type": "json_schema", "schema": SCHEMA, "regex": "a"}, "response_format has 'regex', which cannot be"),
        ({"type": "json_schema", "schema": SCHEMA, "description": 5}, "response_format.description is a int; a text"),
    ],
)
def test_a_response_format_that_cannot_be_honoured_is_refused(given: Any, said: str) -> None:
    with pytest.raises(ValueError) as refusal:
        read_response_format(given)
    assert said in str(refusal.value)
