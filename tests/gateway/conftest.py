"""A gateway in front of a fresh StackSpot."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aider_stackspot.emulator import Emulator
from tests.gateway.running import Running, running_gateway


@pytest.fixture
def gateway(emulator: Emulator) -> Iterator[Running]:
    with running_gateway() as running:
        yield running
