"""A scripted model that works as an agent program wants: it writes a file, reads it, changes it and runs it.

Programs call their tools and parameters as they like, so both are known by what their schemas ask for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

FILE: Final = "hello.py"
_BEFORE, _AFTER = "hello", "goodbye"
_TEXT: Final = f"print('{_BEFORE}')\n"
_DONE: Final = f"Done: {FILE} says {_AFTER}.\n"
_COMMANDS: Final = (
    f'echo "{_TEXT.strip()}" > {FILE}',
    f"cat {FILE}",
    f"sed -i s/{_BEFORE}/{_AFTER}/ {FILE}",
    f"python3 {FILE}",
)
"""The same steps where a program has no tool but the shell."""

_TOOL: Final = re.compile(r'^\{"name": ?".*\}$', re.MULTILINE)
_CALL_SYNTAX: Final = "<stk:tool_call>"
_RESULT: Final = re.compile(r"^<stk:tool_result id=", re.MULTILINE)
_DIRECTORY: Final = re.compile(
    r"(?:directory|cwd|workspace)\b[\w ]{0,20}[:=>(] ?[\"'`]?(?P<path>/[^\s\"'`<>,;)]+)", re.IGNORECASE
)
_PATH: Final = re.compile(r"(?:file_?)?paths?|file(?:s|name)?")
_CONTENT: Final = re.compile(r"content|(?:new_?|file_?)text")
_OLD: Final = re.compile(r"old_?(?:str(?:ing)?|text)")
_NEW: Final = re.compile(r"new_?(?:str(?:ing)?|text)")
_SHELL: Final = re.compile(r"cmd|commands?|script")
_READS: Final = re.compile(r"read|view|cat(?:\b|_)", re.IGNORECASE)

Arguments = dict[str, Any]
Values = Mapping[re.Pattern[str], str]
"""What a call has to say, by what the parameter for it may be called."""


def uses_tools(prompt: str) -> str | None:
    """Return the next step of the work, or `None` where the prompt offers no tools.

    Args:
        prompt: a conversation in which tools are listed as this package lists them, one JSON object a line. Each result
            in it stands for one step that is done.
    """
    if _CALL_SYNTAX not in prompt:
        return None
    tools = [_Tool(*tool) for tool in _listed(prompt)]
    calls = list(_steps(tools, _path(prompt)))
    done = len(_RESULT.findall(prompt))
    if done >= len(calls):
        return _DONE
    name, arguments = calls[done]
    call = json.dumps({"name": name, "arguments": arguments})
    return f"I use {name}.\n{_CALL_SYNTAX}\n{call}\n</stk:tool_call>\n"


def _listed(prompt: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for found in _TOOL.finditer(prompt):
        try:
            tool = json.loads(found[0])
        except ValueError:
            continue
        if "arguments" not in tool:  # that is a call
            yield tool["name"], tool.get("parameters") or {}


def _path(prompt: str) -> str:
    """Where the file goes: many programs want whole paths, and say where they are."""
    found = _DIRECTORY.search(prompt)
    return f"{found['path'].rstrip('/.')}/{FILE}" if found else FILE


def _steps(tools: list[_Tool], path: str) -> Iterator[tuple[str, Arguments]]:
    """Each step with the first tool that can do it; a step that none can do is left out."""
    readers = [tool for tool in tools if _READS.search(tool.name)]
    steps: tuple[tuple[list[_Tool], Values], ...] = (
        (tools, {_PATH: path, _CONTENT: _TEXT}),
        (readers, {_PATH: path}),
        (tools, {_PATH: path, _OLD: _BEFORE, _NEW: _AFTER}),
        ([], {}),
    )
    for (fitting, values), command in zip(steps, _COMMANDS, strict=True):
        call = _first_call(fitting, values) or _first_call(tools, {_SHELL: command})
        if call is not None:
            yield call


def _first_call(tools: list[_Tool], values: Values) -> tuple[str, Arguments] | None:
    return next(((tool.name, made) for tool in tools if (made := tool.arguments(values)) is not None), None)


class _Tool:
    """One tool of a program, by what it asks for."""

    def __init__(self, name: str, parameters: Mapping[str, Any]) -> None:
        self.name = name
        self._properties: Mapping[str, Any] = parameters.get("properties") or {}
        self._required: list[str] = parameters.get("required") or []

    def arguments(self, values: Values) -> Arguments | None:
        """Return arguments that say this and nothing else; `None` where the tool is for something else."""
        made: Arguments = {}
        for names, value in values.items():
            name = self._named(names)
            if name is None or name in made:
                return None
            made[name] = _shaped(value, name, self._properties[name])
        missing = [name for name in self._required if name not in made]
        if any(names.fullmatch(_snake_case(name)) for name in missing for names in (_CONTENT, _OLD, _NEW, _SHELL)):
            return None
        return made | {name: _filler(self._properties.get(name) or {}) for name in missing}

    def _named(self, names: re.Pattern[str]) -> str | None:
        return next((name for name in self._properties if names.fullmatch(_snake_case(name))), None)


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _kind(schema: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
    """Return a schema's first type, and the schema that has it."""
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return _kind(options[0])
    kind = schema.get("type", "string")
    return (kind[0] if isinstance(kind, list) else kind), schema


def _shaped(value: str, name: str, schema: Mapping[str, Any]) -> Any:
    kind, found = _kind(schema)
    if kind != "array":
        return value
    item_kind, item = _kind(found.get("items") or {})
    if item_kind == "object":
        inner = next((one for one in item.get("properties") or {} if _PATH.fullmatch(_snake_case(one))), "path")
        return [{inner: value}]
    return ["bash", "-c", value] if name == "command" else [value]


def _filler(schema: Mapping[str, Any]) -> Any:
    """A value that means nothing, for a parameter that must be there."""
    kind, found = _kind(schema)
    if found.get("enum"):
        return found["enum"][0]
    return {"boolean": False, "integer": 1, "number": 1, "array": [], "object": {}}.get(kind, "A step of the work")
