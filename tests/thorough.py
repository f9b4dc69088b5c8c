"""What `make test` leaves to `make thorough`: an input that was tried in one way to call, in the others."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Hashable, Mapping
from typing import NamedTuple

import pytest

WAYS = ("api", "ask", "company", "path", "stream", "tell", "way")
"""The parameters that say how a call is made: streamed or whole, by which API or protocol."""


class _Try(NamedTuple):
    way: Hashable
    input: Hashable
    item: pytest.Item


def each_input_in_one_way(items: list[pytest.Item]) -> None:
    """Mark as `thorough` what is not the first time for an input, nor for a way to call.

    Where a test tries each of some inputs in each way to make a call, each input and each way stays at least once, and
    none more often than it must. Which these are does not change from run to run.
    """
    tests = defaultdict(list)
    for item in items:
        if hasattr(item, "callspec") and item.get_closest_marker("slow") is None:
            tests[item.nodeid.partition("[")[0]].append(_as_try(item, item.callspec.params))
    for tries in tests.values():
        ways = list(dict.fromkeys(each.way for each in tries))
        inputs = list(dict.fromkeys(each.input for each in tries))
        if len(ways) > 1 and len(tries) == len(ways) * len(inputs):
            random.Random(len(inputs)).shuffle(inputs)  # the next in a table is of the same kind
            longest = max(len(ways), len(inputs))
            stay = {(ways[place % len(ways)], inputs[place % len(inputs)]) for place in range(longest)}
            for each in tries:
                if (each.way, each.input) not in stay:
                    each.item.add_marker("thorough")


def _as_try(item: pytest.Item, parameters: Mapping[str, object]) -> _Try:
    way = tuple(id(value) for name, value in parameters.items() if name in WAYS)
    return _Try(way, tuple(id(value) for name, value in parameters.items() if name not in WAYS), item)
