"""Check a value against a JSON Schema that came from a client.

`jsonschema` does the work (LiteLLM depends on it, so it is there). Three of its habits are changed, because neither the
schema nor the value can be trusted: a `$ref` is never fetched from the network, a regular expression is matched in
linear time, and a schema that cannot be used allows everything instead of failing the answer.
`unevaluatedProperties` is not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Any

from pydantic import StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError

from aider_stackspot.api.answer import clean


class SchemaChecker:
    """Checks values against one schema.

    `jsonschema` is imported with the first check: it takes some 75 ms, which a program that calls no tools should not
    pay.

    Args:
        schema: any draft from 3 to 2020-12, by its `$schema`; 2020-12 without one.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = dict(schema)
        self._validator: Any = None
        self._usable = bool(schema)

    def problem(self, value: Any) -> str | None:
        """What is wrong with a JSON value, as one line that does not quote it; None when nothing is."""
        if self._usable and self._validator is None:
            self._validator = _build(self._schema)
            self._usable = self._validator is not None
        if not self._usable:
            return None
        from referencing.exceptions import Unresolvable

        try:
            error = next(self._validator.iter_errors(value), None)
        except Unresolvable:
            self._usable = False
            return None
        except (ArithmeticError, RecursionError):  # 1e999 with multipleOf; a schema that refers to itself
            return "the value cannot be checked"
        return None if error is None else _describe(error)


def _describe(error: Any) -> str:
    # Only what the schema says is quoted: the value is the user's code.
    detail = error.message if error.validator == "required" else f"{error.validator} is not satisfied"
    place = repr(error.json_path)[1:-1]  # one line, whatever the names in it are
    return f"{place}: {detail}"


def _build(schema: dict[str, Any]) -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError as InvalidSchema
    from jsonschema.validators import validator_for
    from referencing import Registry

    base = validator_for(schema, default=Draft202012Validator)
    try:
        base.check_schema(schema, format_checker=None)
    except (InvalidSchema, RecursionError):
        return None
    # The default registry would fetch an unknown $ref over HTTP.
    return _hardened(base)(schema, registry=Registry())


@lru_cache(maxsize=16)
def _hardened(base: Any) -> Any:
    from jsonschema.validators import extend

    additional = base.VALIDATORS["additionalProperties"]

    def additional_properties(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[Any]:
        if not validator.is_type(instance, "object"):
            return
        patterns = [_matcher(pattern) for pattern in schema.get("patternProperties", ())]
        matched = {name: True for name in instance if any(matches(name) for matches in patterns)}
        yield from additional(validator, rule, instance, {"properties": {**schema.get("properties", {}), **matched}})

    return extend(
        base,
        {
            "additionalProperties": additional_properties,
            "pattern": _pattern,
            "patternProperties": _pattern_properties,
            "unevaluatedProperties": None,
        },
    )


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[Any]:
    from jsonschema.exceptions import ValidationError as Violation

    if validator.is_type(instance, "string") and not _matcher(pattern)(instance):
        yield Violation("does not match the pattern")


def _pattern_properties(validator: Any, rules: Mapping[str, Any], instance: Any, schema: Any) -> Iterator[Any]:
    if not validator.is_type(instance, "object"):
        return
    for pattern, rule in rules.items():
        for name in filter(_matcher(pattern), instance):
            yield from validator.descend(instance[name], rule, path=name, schema_path=pattern)


@lru_cache(maxsize=256)
def _matcher(pattern: str) -> Callable[[str], bool]:
    """A function that says whether `pattern` occurs in a string; it always says yes to a pattern it cannot read.

    `re` can be kept busy for years by one short pattern. pydantic brings Rust's regex engine, which cannot. It has no
    look-around and no back-references: a pattern it does not know is not checked.
    """
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(Annotated[str, StringConstraints(pattern=clean(pattern))])
    except SchemaError:
        return lambda text: True

    def matches(text: str) -> bool:
        try:
            adapter.validate_python(clean(text))
        except ValidationError:
            return False
        return True

    return matches
