"""What a request offers the model: its tools and how free the choice among them is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_MODES = {"auto": "auto", "none": "none", "required": "required", "any": "required"}


@dataclass(frozen=True)
class Tool:
    """One function the model may call.

    Attributes:
        name: as the client gave it.
        description: may be empty.
        parameters: the JSON Schema of the arguments; empty when the client gave none.
    """

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OfferedTools:
    """The tools of a request and the choice among them.

    Attributes:
        tools: by name, in the request's order.
        mode: `auto`, `none`, `required` or `named`.
        name: the tool that must be called when the mode is `named`, else empty.
        parallel: whether an answer may hold more than one call.
    """

    tools: Mapping[str, Tool]
    mode: str = "auto"
    name: str = ""
    parallel: bool = True

    @property
    def active(self) -> bool:
        """Whether any call is possible at all."""
        return bool(self.tools) and self.mode != "none"

    def allows(self, name: str) -> bool:
        """Whether a call of the tool `name` is what the client asked for."""
        return name in self.tools and (self.mode != "named" or name == self.name)


def read_offered_tools(tools: Sequence[Any] | None, tool_choice: Any = None, parallel: bool = True) -> OfferedTools:
    """Read the OpenAI parameters `tools`, `tool_choice` and `parallel_tool_calls`.

    A tool without a `type`, or of type `function`, is read, both with the `function` wrapper of Chat Completions and
    flat as in the Responses API. Tools that run at the vendor (`web_search` and the like) are left out: nothing here
    can run them.

    Raises:
        ValueError: a function without a name, two of one name, or a choice that cannot be made.
    """
    read: dict[str, Tool] = {}
    for position, entry in enumerate(tools or ()):
        tool = _read_tool(entry, position)
        if tool is None:
            continue
        if tool.name in read:
            raise ValueError(f"tools[{position}]: there is already a tool named {tool.name!r}")
        read[tool.name] = tool
    mode, name = _read_choice(tool_choice)
    if mode == "named" and name not in read:
        raise ValueError(f"tool_choice names {name!r}, which is not among the tools")
    if mode == "required" and not read:
        raise ValueError("tool_choice requires a call, but there are no tools")
    return OfferedTools(tools=read, mode=mode, name=name, parallel=parallel)


def _read_tool(entry: Any, position: int) -> Tool | None:
    if not isinstance(entry, Mapping):
        raise ValueError(f"tools[{position}] is not an object")
    if entry.get("type", "function") != "function":
        return None
    function = entry.get("function", entry)
    name = function.get("name") if isinstance(function, Mapping) else None
    if not isinstance(name, str) or not name:
        raise ValueError(f"tools[{position}] has no name")
    parameters = function.get("parameters")
    return Tool(
        name=name,
        description=str(function.get("description") or ""),
        parameters=parameters if isinstance(parameters, Mapping) else {},
    )


def _read_choice(choice: Any) -> tuple[str, str]:
    if choice is None:
        return "auto", ""
    if isinstance(choice, Mapping):
        function = choice.get("function", choice)
        name = function.get("name") if isinstance(function, Mapping) else None
        if isinstance(name, str) and name:
            return "named", name
        choice = choice.get("type")
    mode = _MODES.get(choice) if isinstance(choice, str) else None
    if mode is None:
        raise ValueError(f"tool_choice must be auto, none, required or name a function, not {choice!r}")
    return mode, ""
