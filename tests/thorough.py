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
    """Mark as `thorough` what is not the first time for an input.

    Where a test tries many inputs in each way to make a call, there is one way left for each input, and for each way as
    many inputs as for any other. Which these are does not change from run to run.
    """
    tests = defaultdict(list)
    for item in items:
        if hasattr(item, "callspec") and item.get_closest_marker("slow") is None:
            tests[item.nodeid.partition("[")[0]].append(_as_try(item, item.callspec.params))
    for tries in tests.values():
        ways = list(dict.fromkeys(each.way for each in tries))
        inputs = list(dict.fromkeys(each.input for each in tries))
        if len(ways) > 1 and len(inputs) >= len(ways):
            random.Random(len(inputs)).shuffle(inputs)  # the next in a table is of the same kind
            chosen = {given: ways[place % len(ways)] for place, given in enumerate(inputs)}
            for each in tries:
                if each.way != chosen[each.input]:
                    each.item.add_marker("thorough")


def _as_try(item: pytest.Item, parameters: Mapping[str, object]) -> _Try:
    way = tuple(id(value) for name, value in parameters.items() if name in WAYS)
    return _Try(way, tuple(id(value) for name, value in parameters.items() if name not in WAYS), item)
