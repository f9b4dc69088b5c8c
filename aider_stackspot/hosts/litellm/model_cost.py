"""`litellm.model_cost` with models that are entered when somebody asks for them: a server can have thousands.

LiteLLM registers a model in half a millisecond, which everybody would wait for at each import.
"""

from __future__ import annotations

import sys
from _collections_abc import dict_items, dict_keys, dict_values  # what a dictionary's own methods are typed with
from collections.abc import Callable, Iterator
from typing import Any

import litellm


class ModelCost(dict[str, Any]):
    """LiteLLM's own entries, and those that two functions add to it: one for a name, one for all there are.

    LiteLLM walks over its dictionary in the course of calls, in search of a name that the caller has used already, so
    that alone adds nothing.
    """

    def __init__(self, known: dict[str, Any], enter: Callable[[str], None], enter_all: Callable[[], None]) -> None:
        super().__init__(known)
        self._enter = enter
        self._enter_all = enter_all

    def __missing__(self, name: str) -> Any:
        if name in self:
            return self[name]
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        if not super().__contains__(name) and isinstance(name, str):
            self._enter(name)
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return a model's entry."""
        try:
            return self[name]
        except KeyError:
            return default

    def __iter__(self) -> Iterator[str]:
        self._complete_for(_asker())
        return super().__iter__()

    def __len__(self) -> int:
        self._complete_for(_asker())
        return super().__len__()

    def keys(self) -> dict_keys[str, Any]:
        """Return all names."""
        self._complete_for(_asker())
        return super().keys()

    def values(self) -> dict_values[str, Any]:
        """Return all entries."""
        self._complete_for(_asker())
        return super().values()

    def items(self) -> dict_items[str, Any]:
        """Return all names with their entries."""
        self._complete_for(_asker())
        return super().items()

    def copy(self) -> dict[str, Any]:
        """Return all names with their entries, as a dictionary of the caller's own."""
        self._complete_for(_asker())
        return super().copy()

    def _complete_for(self, asker: str) -> None:
        if asker.partition(".")[0] != "litellm":
            self._enter_all()


def _asker() -> str:
    """Return the module that called the method which calls this."""
    return str(sys._getframe(2).f_globals.get("__name__"))


def complete(enter: Callable[[str], None], enter_all: Callable[[], None]) -> None:
    """Put the models of servers behind `litellm.model_cost`, unless they are there.

    Args:
        enter: enters the model that a name means, if it means one that is not there yet.
        enter_all: enters every model.
    """
    if not isinstance(litellm.model_cost, ModelCost):
        litellm.model_cost = ModelCost(litellm.model_cost, enter, enter_all)
