"""The tools of OpenAI's Responses as functions, the one kind that the models behind the gateway know.

A program may group its functions in namespaces (Codex does so with those of each MCP server), offer tools whose input
is a text, and add further ones in the middle of the input, also as what a search of its own has found (`tool_search`).
Each becomes a function with a name of its own, and a call of it goes back in the form in which the program offered it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aider_stackspot.gateway.request import Fields, read
from aider_stackspot.tools import ToolCall

Item = dict[str, Any]


class Namespace(Fields):
    """Functions that belong together."""

    type: Literal["namespace"]
    name: str
    tools: list[dict[str, Any]]
    description: str | None = None


class CustomTool(Fields):
    """A tool whose input is a text."""

    type: Literal["custom"]
    name: str
    description: str | None = None
    format: dict[str, Any] | None = None
    defer_loading: bool | None = None
    allowed_callers: Any = None


class ItemFields(Fields):
    """What any item of a conversation may have besides; nothing of it has an effect."""

    id: str | None = None
    status: str | None = None
    internal_chat_message_metadata_passthrough: Any = None


class AdditionalTools(Fields):
    """Tools that are offered in the middle of the input."""

    type: Literal["additional_tools"]
    tools: list[dict[str, Any]]
    role: str | None = None
    id: str | None = None
    status: str | None = None


class SearchTool(Fields):
    """A search for further tools, which the program makes itself."""

    type: Literal["tool_search"]
    execution: Literal["client"]
    description: str | None = None
    parameters: dict[str, Any] | None = None


class FoundTools(ItemFields):
    """What such a search has found."""

    type: Literal["tool_search_output"]
    execution: Literal["client"]
    call_id: str
    tools: list[dict[str, Any]]


SEARCH = "tool_search"
"""A search as a function."""
_OF_NO_NAMESPACE = "functions"
"""The namespace that stands for none."""
_WITHOUT_EFFECT = ("defer_loading", "allowed_callers")
_TEXT_INPUT = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
    "additionalProperties": False,
}


def function_name(name: str, namespace: str | None = None) -> str:
    """Return the name of a tool as a function."""
    if not namespace or namespace == _OF_NO_NAMESPACE:
        return name
    return f"{namespace.removesuffix('__')}__{name}"


def found_names(found: FoundTools) -> list[str]:
    """Return the names of what was found, as functions."""
    names = []
    for tool in found.tools:
        inner = tool.get("tools") if tool.get("type") == "namespace" else None
        for one in inner if isinstance(inner, list) else [tool]:
            if isinstance(one, dict) and isinstance(one.get("name"), str):
                names.append(function_name(one["name"], None if inner is None else str(tool.get("name"))))
    return names


def choice_of_function(choice: Any) -> Any:
    """Return a `tool_choice` in which tools are named as functions are."""
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools" and isinstance(choice.get("tools"), list):
        return {**choice, "tools": [_named_as_function(tool) for tool in choice["tools"]]}
    return _named_as_function(choice)


def _named_as_function(given: Any) -> Any:
    if isinstance(given, dict) and given.get("type") == SEARCH:
        return {"type": "function", "name": SEARCH}
    if not isinstance(given, dict) or given.get("type") not in ("function", "custom"):
        return given
    name, namespace = given.get("name"), given.get("namespace")
    if not isinstance(name, str) or not isinstance(namespace, str | None):
        return given
    rest = {key: value for key, value in given.items() if key != "namespace"}
    return {**rest, "type": "function", "name": function_name(name, namespace)}


@dataclass(frozen=True)
class _Offered:
    """How a program named a function."""

    name: str
    namespace: str = ""
    kind: Literal["function", "text", "search"] = "function"


class OfferedTools:
    """The tools of one request.

    Args:
        tools: as the client gave them.
        items: of the conversation; some may offer further tools.
        offset: how many of them come from earlier responses; places in errors are counted behind them.

    Attributes:
        functions: all of them as functions; tools that run at a vendor are there as they were given.

    Raises:
        GatewayError: one of them cannot be read.
    """

    def __init__(self, tools: Sequence[Item], items: Sequence[Item], offset: int = 0) -> None:
        self.functions: list[Item] = []
        self._offered: dict[str, _Offered] = {}
        for index, tool in enumerate(tools):
            self.functions += self._functions(tool, f"tools[{index}]")
        for index, item in enumerate(items):
            place = f"input[{index - offset}]"
            if item.get("type") == "additional_tools":
                self._add(read(AdditionalTools, item, place).tools, place)
            elif item.get("type") == "tool_search_output":
                self._add(read(FoundTools, item, place).tools, place)

    def call_item(self, call: ToolCall) -> Item:
        """Return a call as an item of the output."""
        offered = self._offered.get(call.name) or _Offered(call.name)
        of = {"namespace": offered.namespace} if offered.namespace else {}
        made = {"call_id": call.id, "name": offered.name, **of}
        if offered.kind == "search":
            arguments = json.loads(call.arguments)
            searched = {"call_id": call.id, "execution": "client", "arguments": arguments}
            return {"id": f"tsc_{uuid.uuid4().hex}", "type": "tool_search_call", **searched}
        if offered.kind == "text":
            text = json.loads(call.arguments).get("input")
            said = text if isinstance(text, str) else call.arguments
            return {"id": f"ctc_{uuid.uuid4().hex}", "type": "custom_tool_call", **made, "input": said}
        return {"id": f"fc_{uuid.uuid4().hex}", "type": "function_call", **made, "arguments": call.arguments}

    def _add(self, more: Sequence[Item], place: str) -> None:
        """Add tools; a program that sends its whole conversation again offers the same ones again."""
        for index, tool in enumerate(more):
            new = self._functions(tool, f"{place}.tools[{index}]")
            names = {function.get("name") for function in new}
            self.functions = [function for function in self.functions if function.get("name") not in names] + new

    def _functions(self, tool: Item, place: str, namespace: str = "") -> list[Item]:
        kind = tool.get("type")
        if kind == "namespace":
            return self._of_namespace(read(Namespace, tool, place), place)
        if kind == "custom":
            return [self._of_text(read(CustomTool, tool, place), namespace)]
        if kind == SEARCH and tool.get("execution") == "client":
            return [self._of_search(read(SearchTool, tool, place))]
        if kind != "function" or not isinstance(tool.get("name"), str):
            return [tool]
        name = self._offer(tool["name"], namespace)
        return [{**{key: value for key, value in tool.items() if key not in _WITHOUT_EFFECT}, "name": name}]

    def _of_namespace(self, given: Namespace, place: str) -> list[Item]:
        found = [
            function
            for index, tool in enumerate(given.tools)
            for function in self._functions(tool, f"{place}.tools[{index}]", given.name)
        ]
        if given.description and found:
            about = f"About all tools named {function_name('…', given.name)}: {given.description}"
            found[0] = {**found[0], "description": "\n\n".join(filter(None, [found[0].get("description"), about]))}
        return found

    def _of_text(self, tool: CustomTool, namespace: str) -> Item:
        name = self._offer(tool.name, namespace, "text")
        said = [tool.description or "", "Its `input` is plain text, not JSON."]
        form = tool.format or {}
        if form.get("type") == "grammar":
            said.append(f"It follows this grammar ({form.get('syntax')}):\n{form.get('definition')}")
        described = {"description": "\n\n".join(filter(None, said)), "parameters": _TEXT_INPUT}
        return {"type": "function", "name": name, **described}

    def _of_search(self, tool: SearchTool) -> Item:
        self._offered[SEARCH] = _Offered(SEARCH, kind="search")
        return {"type": "function", "name": SEARCH, "description": tool.description, "parameters": tool.parameters}

    def _offer(self, name: str, namespace: str, kind: Literal["function", "text"] = "function") -> str:
        named = function_name(name, namespace)
        self._offered[named] = _Offered(name, "" if named == name else namespace, kind)
        return named
