"""From the JSON between two markers to a call that may be made, or the reason why not."""

from __future__ import annotations

from dataclasses import dataclass

from aider_stackspot.tools.offer import OfferedTools
from aider_stackspot.tools.repair import decode, members, mend
from aider_stackspot.tools.validate import Checker

# "parameters" (Llama) and "input" (Claude) are what some models call the arguments in their own format.
_ARGUMENTS = ("arguments", "parameters", "input")
_IGNORED = {"id", "type"}


class InvalidToolCall(ValueError):
    """A call that must not be made; its text says why and does not quote the arguments."""


@dataclass(frozen=True)
class CheckedCall:
    """A call whose tool exists and whose arguments satisfy the tool's schema.

    Attributes:
        name: the tool.
        arguments: JSON text of one object.
    """

    name: str
    arguments: str


class CallReader:
    """Reads calls of the tools of one request."""

    def __init__(self, offer: OfferedTools) -> None:
        self._offer = offer
        self._checkers = {name: Checker(tool.parameters) for name, tool in offer.tools.items()}

    def read(self, body: str) -> CheckedCall:
        """Read one JSON object with `name` and `arguments`.

        Raises:
            InvalidToolCall: not JSON and not surely mendable, an unknown tool, or arguments that break the schema.
        """
        mended = mend(body)
        if mended is None:
            raise InvalidToolCall("a tool call is not valid JSON")
        try:
            parts = members(mended)
        except ValueError:
            raise InvalidToolCall("a tool call is not one JSON object with unique names") from None
        name = self._read_name(parts)
        arguments = _read_arguments(name, parts)
        value = decode(arguments)
        if not isinstance(value, dict):
            raise InvalidToolCall(f"the arguments of a call of {name!r} are not a JSON object")
        problem = self._checkers[name].problem(value)
        if problem is not None:
            raise InvalidToolCall(f"the arguments of a call of {name!r} do not satisfy its schema: {problem}")
        return CheckedCall(name, arguments)

    def _read_name(self, parts: dict[str, str]) -> str:
        name = decode(parts.get("name", "null"))
        if not isinstance(name, str):
            raise InvalidToolCall("a tool call has no name")
        if name not in self._offer.tools:
            raise InvalidToolCall(f"a tool call names {name[:64]!r}, which is not among the tools")
        if not self._offer.allows(name):
            raise InvalidToolCall(f"a call of {name!r}, where the client demanded one of {self._offer.name!r}")
        return name


def _read_arguments(name: str, parts: dict[str, str]) -> str:
    given = [key for key in _ARGUMENTS if key in parts]
    # An unknown member may be an argument that was put beside "arguments": no certain reading.
    if len(given) > 1 or set(parts) - {"name", *given} - _IGNORED:
        raise InvalidToolCall(f"a call of {name!r} has members besides name and arguments")
    raw = parts[given[0]] if given else "{}"
    value = decode(raw)
    if value is None:
        return "{}"
    if isinstance(value, str):  # JSON inside a JSON string, as in OpenAI's own format
        inner = mend(value) if value.strip() else "{}"
        if inner is not None:
            return inner.strip()
    return raw
