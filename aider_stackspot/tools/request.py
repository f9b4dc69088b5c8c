"""What a request demands of an answer: calls of its tools, or JSON.

The parameters of OpenAI's API are read strictly, for none is followed by a service that knows them: whatever cannot be
honoured here is refused with its name.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from aider_stackspot.api.answer import clean

_MODES = {"auto": "auto", "none": "none", "required": "required", "any": "required"}
_HARMLESS = ("strict", "cache_control")
"""Calls and JSON are checked against their schema with and without `strict`; `cache_control` changes no answer."""
_CLIENTS_OWN = ("custom", "namespace")
"""Tools that are no functions and yet run at the client, who would miss them."""


@dataclass(frozen=True)
class Tool:
    """One function that the model may call.

    Attributes:
        name: as the client gave it; a lone half of a UTF-16 surrogate pair, which no prompt and no answer can hold,
            is U+FFFD.
        description: may be empty.
        parameters: the JSON Schema of the arguments; empty when the client gave none.
    """

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ToolCallRules:
    """Which calls an answer may have, and whether it must: `tools`, `tool_choice` and `parallel_tool_calls` in one.

    Attributes:
        tools: those that may be called, by name and in the request's order; empty where no call is possible.
        required: whether the answer must have a call.
        parallel: whether it may have more than one.
    """

    tools: Mapping[str, Tool] = field(default_factory=dict)
    required: bool = False
    parallel: bool = True


@dataclass(frozen=True)
class JsonResponseFormat:
    """A `response_format` that demands JSON.

    Attributes:
        schema: what the answer must satisfy.
        description: what the answer is, in the client's words; may be empty.
    """

    schema: Mapping[str, Any]
    description: str = ""


def as_mapping(value: Any, place: str) -> Mapping[str, Any]:
    """Return a mapping as it is, and the object of a client library (OpenAI's, LiteLLM's) as one.

    Args:
        value: anything that a caller gave.
        place: where it stands in the request.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, Mapping):
        return value
    if isinstance(value, BaseModel):
        return dict(value)
    raise ValueError(f"{place} is a {type(value).__name__}; an object is expected")


def read_tool_call_rules(tools: Any, tool_choice: Any = None, parallel_tool_calls: Any = None) -> ToolCallRules:
    """Read the parameters `tools`, `tool_choice` and `parallel_tool_calls`.

    Functions are read with the `function` wrapper of Chat Completions and flat as in the Responses API. Tools that run
    at the vendor (`web_search` and the like) are left out, for nothing here can run them; where a call is required
    and one of them could be meant, they are refused, and so is whatever else of the client's is no function.

    Raises:
        ValueError: one of the parameters cannot be honoured; the text says which and why.
    """
    if not isinstance(parallel_tool_calls, bool | None):
        raise ValueError(f"parallel_tool_calls must be true or false, not {reprlib.repr(parallel_tool_calls)}")
    mode, names = _read_tool_choice(tool_choice)
    offered = _read_tools(tools, functions_only=mode == "required" and names is None)
    if names is not None:
        missing = next((name for name in names if name not in offered), None)
        if missing is not None:
            raise ValueError(f"tool_choice names {missing!r}, which is not among the tools")
        offered = {name: tool for name, tool in offered.items() if name in names}
    if mode == "required" and not offered:
        raise ValueError("tool_choice requires a call, but there are no tools")
    return ToolCallRules(
        tools={} if mode == "none" else offered,
        required=mode == "required",
        parallel=parallel_tool_calls is not False,
    )


def _read_tools(tools: Any, *, functions_only: bool) -> dict[str, Tool]:
    offered: dict[str, Tool] = {}
    for position, given in enumerate(_list(tools, "tools")):
        place = f"tools[{position}]"
        entry = as_mapping(given, place)
        kind = entry.get("type", "function")
        if kind != "function":
            if functions_only or not isinstance(kind, str) or kind in _CLIENTS_OWN:
                raise _not_a_function(entry, place)
            continue
        tool = _read_function(entry, place)
        if tool.name in offered:
            raise ValueError(f"{place}: there is already a tool named {tool.name!r}")
        offered[tool.name] = tool
    return offered


def _read_function(entry: Mapping[str, Any], place: str) -> Tool:
    function, place = _unwrapped(entry, "function", place)
    _refuse_unknown(function, {"type", "name", "description", "parameters", *_HARMLESS}, place)
    parameters = function.get("parameters")
    return Tool(
        name=_name(function, place),
        description=_description(function, place),
        parameters={} if parameters is None else as_mapping(parameters, f"{place}.parameters"),
    )


def _read_tool_choice(choice: Any) -> tuple[str, Sequence[str] | None]:
    """Return `auto`, `none` or `required`, and the names of the tools that the choice is limited to, if it is."""
    if choice is None:
        return "auto", None
    if isinstance(choice, str) and choice in _MODES:
        return _MODES[choice], None
    if isinstance(choice, Mapping):
        kind = choice.get("type", "function")
        if isinstance(kind, str) and kind in _MODES:
            _refuse_unknown(choice, {"type"}, "tool_choice")
            return _MODES[kind], None
        if kind in ("function", "tool"):
            return "required", (_read_named_function(choice, "tool_choice"),)
        if kind == "allowed_tools":
            return _read_allowed_tools(choice)
    raise ValueError(
        f"tool_choice must be auto, none, required, a function or allowed_tools, not {reprlib.repr(choice)}"
    )


def _read_allowed_tools(choice: Mapping[str, Any]) -> tuple[str, Sequence[str]]:
    allowed, place = _unwrapped(choice, "allowed_tools", "tool_choice")
    _refuse_unknown(allowed, {"type", "mode", "tools"}, place)
    mode = allowed.get("mode")
    if mode not in ("auto", "required"):
        raise ValueError(f"{place}.mode must be auto or required, not {reprlib.repr(mode)}")
    names = []
    for position, given in enumerate(_list(allowed.get("tools"), f"{place}.tools")):
        one = f"{place}.tools[{position}]"
        entry = as_mapping(given, one)
        if entry.get("type", "function") != "function":
            raise _not_a_function(entry, one)
        names.append(_read_named_function(entry, one))
    return mode, names


def _read_named_function(entry: Mapping[str, Any], place: str) -> str:
    """Return the name in `{"type": "function", "function": {"name": …}}`, or in its flat form."""
    function, place = _unwrapped(entry, "function", place)
    _refuse_unknown(function, {"type", "name"}, place)
    return _name(function, place)


def read_response_format(response_format: Any) -> JsonResponseFormat | None:
    """Read the parameter `response_format`: `text`, `json_object` or `json_schema`, or a pydantic model.

    Returns:
        None when any text will do.

    Raises:
        ValueError: it cannot be honoured; the text says why.
    """
    place = "response_format"
    if response_format is None:
        return None
    if isinstance(response_format, type) and issubclass(response_format, BaseModel):
        return JsonResponseFormat(schema=response_format.model_json_schema())
    given = as_mapping(response_format, place)
    kind = given.get("type")
    if kind in ("text", "json_object"):
        _refuse_unknown(given, {"type"}, place)
        return None if kind == "text" else JsonResponseFormat(schema={"type": "object"})
    if kind != "json_schema":
        raise ValueError(f"response_format must be text, json_object or json_schema, not {reprlib.repr(kind)}")
    wanted, place = _unwrapped(given, "json_schema", place)
    _refuse_unknown(wanted, {"type", "name", "description", "schema", *_HARMLESS}, place)
    return JsonResponseFormat(
        schema=as_mapping(wanted.get("schema"), f"{place}.schema"), description=_description(wanted, place)
    )


def _unwrapped(entry: Mapping[str, Any], key: str, place: str) -> tuple[Mapping[str, Any], str]:
    """Return what stands under `key` (Chat Completions), else the entry itself (Responses API), and its place."""
    if entry.get(key) is None:
        return entry, place
    _refuse_unknown(entry, {"type", key, *_HARMLESS}, place)
    return as_mapping(entry[key], f"{place}.{key}"), f"{place}.{key}"


def _list(value: Any, place: str) -> Sequence[Any]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise ValueError(f"{place} is a {type(value).__name__}; a list is expected")
    return value


def _name(entry: Mapping[str, Any], place: str) -> str:
    name = entry.get("name")
    if not isinstance(name, str) or not name:
        raise ValueError(f"{place} has no name")
    return clean(name)


def _description(entry: Mapping[str, Any], place: str) -> str:
    description = entry.get("description")
    if not isinstance(description, str | None):
        raise ValueError(f"{place}.description is a {type(description).__name__}; a text is expected")
    return description or ""


def _not_a_function(entry: Mapping[str, Any], place: str) -> ValueError:
    return ValueError(f"{place} has the type {reprlib.repr(entry['type'])}; only functions can be called here")


def _refuse_unknown(given: Mapping[str, Any], known: set[str], place: str) -> None:
    other = next((key for key, value in given.items() if key not in known and value is not None), None)
    if other is not None:
        raise ValueError(f"{place} has {other!r}, which cannot be honoured")
