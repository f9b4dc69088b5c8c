"""What requests of every protocol have in common: models that know each field, and the question that comes of it.

A field that nobody knows is refused with its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from aider_stackspot.gateway.errors import GatewayError, invalid
from aider_stackspot.pipeline.arguments import AGENT_ARGUMENTS

T = TypeVar("T", bound=BaseModel)


class Fields(BaseModel):
    """What an object of a request may have; `null` means that a field was not given."""

    model_config = ConfigDict(extra="forbid", strict=True, protected_namespaces=())


def read(kind: type[T], value: Any, place: str = "") -> T:
    """Return an object of a request.

    Args:
        kind: its fields.
        value: what the client sent.
        place: where it stands in the request; empty for the request itself.

    Raises:
        GatewayError: a field is not known, is missing, or has a value of another type.
    """
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise _first(error, place) from None


def _first(error: ValidationError, place: str) -> GatewayError:
    details = error.errors(include_url=False, include_input=False)[0]
    where = place_of(details["loc"], place)
    if details["type"] == "extra_forbidden":
        return invalid(f"`{where}` is not known here, so it cannot be honoured.", where, "unknown_parameter")
    if details["type"] == "missing":
        return invalid(f"`{where}` is missing.", where, "missing_required_parameter")
    words = details["msg"].removeprefix("Value error, ").removeprefix("Input ").rstrip(".")
    return invalid(f"`{where or 'the body'}` {words}.", where or None, "invalid_value")


def place_of(location: Sequence[int | str], place: str = "") -> str:
    """Return where something stands in a request, as `messages[0].content`."""
    for part in location:
        if isinstance(part, int):
            place += f"[{part}]"
        else:
            place += f".{part[:100]}" if place else part[:100]
    return place


def refuse(given: Mapping[str, Any], reasons: Mapping[str, str], place: str = "") -> None:
    """Refuse fields that have a value.

    Args:
        given: the fields.
        reasons: why each of them cannot be honoured.
        place: where they stand.

    Raises:
        GatewayError: one of them has a value other than `null`, `false`, 0 or nothing.
    """
    for name, reason in reasons.items():
        if given.get(name):
            where = place_of((name,), place)
            raise invalid(f"`{where}` cannot be honoured: {reason}.", where, "unsupported_parameter")


def texts(value: Any, place: str) -> tuple[str, ...]:
    """Return a text, or a list of texts, as a tuple.

    Raises:
        GatewayError: it is something else.
    """
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise invalid(f"`{place}` should be a text, or a list of texts.", place, "invalid_value")


def agent_arguments(body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a body without what is asked of a StackSpot agent, and that, which no protocol knows."""
    asked = {name: body[name] for name in body if name in AGENT_ARGUMENTS and body[name] is not None}
    return {name: value for name, value in body.items() if name not in AGENT_ARGUMENTS}, asked


LEADING_ELSEWHERE = frozenset(
    {
        "api_base",
        "api_key",
        "api_version",
        "base_url",
        "custom_llm_provider",
        "extra_body",
        "extra_headers",
        "fallbacks",
        "headers",
        "litellm_params",
        "mock_response",
        "organization",
        "proxy",
        "user_config",
    }
)
"""Fields that other gateways obey, and that a server may: where a call goes, and with whose key, is not a client's."""


def refuse_leading_elsewhere(body: Mapping[str, Any]) -> None:
    """Refuse what would lead a call elsewhere, for a body that is passed on as it is.

    Raises:
        GatewayError: there is such a field.
    """
    for name in body:
        if name.lower() in LEADING_ELSEWHERE:
            raise invalid(
                f"`{name}` is not taken from a client: the gateway's configuration says where a call goes.",
                name,
                "unknown_parameter",
            )


Message = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """One request.

    Attributes:
        model: the name of a model, as the client wrote it.
        messages: Chat Completions' messages.
        demands: `tools`, `tool_choice`, `parallel_tool_calls` and `response_format` of Chat Completions.
        streams: whether the answer is wanted as it comes.
        stop: texts at which the answer ends.
        temperature: where the model's own range is the limit.
        parameters: further fields, of which a server of OpenAI's API knows what to do and StackSpot does not.
        arguments: what is asked of a StackSpot agent, by the names of `arguments.AGENT_ARGUMENTS`.
    """

    model: str
    messages: list[Message]
    demands: Mapping[str, Any] = field(default_factory=dict)
    streams: bool = False
    stop: tuple[str, ...] = ()
    temperature: float | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
