"""Responses that a client may refer to: kept in memory, bounded in size, number and age."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aider_stackspot.api.answer import json_bytes
from aider_stackspot.gateway.errors import GatewayError

MAX_BYTES = 64 * 1024 * 1024
"""Of all conversations together."""
MAX_AGE = 24 * 3600.0
"""Seconds."""


@dataclass(frozen=True)
class StoredResponse:
    """A response, and the conversation up to its end.

    Attributes:
        response: the document, as it was sent.
        items: all items of input and output, those of earlier responses first.
        input_items: the items of this request alone.
        size: of all of it, in bytes.
        at: the monotonic second at which it was kept.
    """

    response: dict[str, Any]
    items: list[dict[str, Any]]
    input_items: list[dict[str, Any]]
    size: int
    at: float


class ResponseStore:
    """Keeps responses; the oldest go first.

    Args:
        max_bytes: of all together, as JSON.
        clock: tells the time in seconds.
    """

    def __init__(self, max_bytes: int = MAX_BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        self._max = max_bytes
        self._clock = clock
        self._kept: OrderedDict[str, StoredResponse] = OrderedDict()
        self._size = 0

    def add(self, response: dict[str, Any], items: list[dict[str, Any]], input_items: list[dict[str, Any]]) -> None:
        """Keep a complete response; one that is too long for the memory is not kept.

        Args:
            response: the document, as it was sent.
            items: the conversation before it.
            input_items: those of them that its own request had.
        """
        whole = [*items, *response["output"]]
        size = len(json_bytes([whole, response]))
        if size <= self._max:
            self._kept[response["id"]] = StoredResponse(response, whole, input_items, size, self._clock())
            self._size += size
        self._forget()

    def get(self, identifier: str, *, param: str = "", code: str | None = None) -> StoredResponse:
        """Return a response.

        Args:
            identifier: its id.
            param: the field that names it; empty where the path does.
            code: of the error.

        Raises:
            GatewayError: it is not kept, or not any more.
        """
        self._forget()
        if identifier not in self._kept:
            shown = identifier[:100]
            raise GatewayError(
                400 if param else 404,
                f"There is no response `{shown}` here: this gateway keeps them in memory, for a day at most.",
                param=param or "response_id",
                code=code or "not_found",
            )
        return self._kept[identifier]

    def remove(self, identifier: str) -> None:
        """Forget a response.

        Raises:
            GatewayError: it is not kept.
        """
        self._size -= self.get(identifier).size
        del self._kept[identifier]

    def item(self, identifier: str) -> dict[str, Any] | None:
        """Return an item of any response by its id."""
        self._forget()
        for stored in reversed(self._kept.values()):
            for item in stored.items:
                if item.get("id") == identifier:
                    return item
        return None

    def _forget(self) -> None:
        too_old = self._clock() - MAX_AGE
        while self._kept:
            oldest = next(iter(self._kept.values()))
            if self._size <= self._max and oldest.at > too_old:
                return
            self._size -= oldest.size
            self._kept.popitem(last=False)
