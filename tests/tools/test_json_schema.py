"""Arguments are checked against a schema that nobody here wrote."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import pytest

from aider_stackspot.tools.json_schema import SchemaChecker


@pytest.mark.parametrize(
    ("schema", "good", "bad", "where"),
    [
        ({"type": "object"}, {}, [], "$: type"),
        ({"properties": {"a": {"type": "integer"}}}, {"a": 1}, {"a": "1"}, "$.a: type"),
        ({"required": ["a"]}, {"a": None}, {}, "$: 'a' is a required property"),
        ({"properties": {"a": {"enum": ["x", "y"]}}}, {"a": "y"}, {"a": "z"}, "$.a: enum"),
        ({"properties": {"a": {"items": {"minimum": 3}}}}, {"a": [3]}, {"a": [3, 2]}, "$.a[1]: minimum"),
        ({"additionalProperties": False}, {}, {"a": 1}, "$: additionalProperties"),
        ({"additionalProperties": {"type": "string"}}, {"a": "b"}, {"a": 1}, "$.a: type"),
        ({"properties": {"a": {"pattern": "^[a-z]+$"}}}, {"a": "abc"}, {"a": "a1"}, "$.a: pattern"),
        ({"properties": {"a": {"pattern": "\\p{Lu}"}}}, {"a": "xÇ"}, {"a": "xç"}, "$.a: pattern"),
        ({"patternProperties": {"^x-": {"type": "string"}}}, {"x-a": "", "y": 1}, {"x-a": 1}, "type"),
        ({"patternProperties": {"^x-": {}}, "additionalProperties": False}, {"x-a": 1}, {"y": 1}, "additionalProp"),
        ({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"b": 1}, {"c": 1}, "$: anyOf"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"required": ["b"]}}}, {"b": 1}, {}, "$: 'b' is a required"),
        (
            {
                "$schema": "http://json-schema.org/draft-04/schema#",
                "properties": {"a": {"minimum": 1, "exclusiveMinimum": True}},
            },
            {"a": 2},
            {"a": 1},
            "$.a: minimum",
        ),
        ({"properties": {"pattern": {"type": "string"}}}, {"pattern": "("}, {"pattern": 1}, "$.pattern: type"),
    ],
)
def test_values(schema: dict[str, Any], good: Any, bad: Any, where: str) -> None:
    checker = SchemaChecker(schema)
    assert checker.problem(good) is None
    problem = checker.problem(bad)
    assert problem is not None and where in problem


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "no such type"},
        {"properties": 5},
        {"$ref": "#/$defs/missing"},
        {"$ref": "other.json"},
        {"properties": {"a": {"pattern": "(?=lookahead)"}}},
        {"patternProperties": {"(?=lookahead)": {}}, "additionalProperties": False},
        {"$schema": "https://schemas.example.com/own", "type": "object"},
    ],
)
def test_what_cannot_be_used_allows_everything(schema: dict[str, Any]) -> None:
    checker = SchemaChecker(schema)
    assert [checker.problem({"a": "b"}) for _ in range(2)] == [None, None]


def test_a_schema_that_refers_to_itself_for_ever_is_a_problem_not_a_crash() -> None:
    assert SchemaChecker({"$ref": "#"}).problem({}) == "the value cannot be checked"


def test_an_infinite_number_is_a_problem_not_a_crash() -> None:
    checker = SchemaChecker({"properties": {"a": {"multipleOf": 0.5}}})
    assert checker.problem(json.loads('{"a": 1e999}')) == "the value cannot be checked"
    assert checker.problem({"a": 1.5}) is None


def test_a_problem_does_not_quote_the_value() -> None:
    schema = {"properties": {"a": {"type": "integer", "enum": [1], "pattern": "x"}}}
    assert "confidential" not in str(SchemaChecker(schema).problem({"a": "confidential"}))


def test_lone_surrogates_are_checked_like_any_other_character() -> None:
    schema = {"properties": {"a": {"pattern": "^.b$"}}, "patternProperties": {"\ud800": {"type": "string"}}}
    checker = SchemaChecker(schema)
    assert checker.problem({"a": "\ud800b", "\ud800": ""}) is None
    assert checker.problem({"a": "\ud800c"}) == "$.a: pattern is not satisfied"
    problem = checker.problem({"\ud800\nand a line": 1})
    assert problem is not None
    assert problem.encode() and "\n" not in problem and problem.endswith(": type is not satisfied")


def test_a_hostile_pattern_takes_no_time() -> None:
    # With `re` this one takes some 2**40 steps.
    schema = {"properties": {"a": {"pattern": "^(a+)+$"}}, "patternProperties": {"^(a+)+$": False}}
    started = time.process_time()
    assert SchemaChecker(schema).problem({"a": "a" * 40 + "!", "a" * 40 + "!": 1}) is not None
    assert time.process_time() - started < 2


def test_a_reference_is_never_fetched() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.3)
        port = server.getsockname()[1]
        assert SchemaChecker({"$ref": f"http://127.0.0.1:{port}/schema.json"}).problem({}) is None
        with pytest.raises(TimeoutError):
            server.accept()
