"""A gateway of two workers in front of an emulator. These need the environment that `make gateway` makes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aider_stackspot.emulator import Emulator, Style
from aider_stackspot.emulator.script import hello
from tests.gateway.gateway_process import Gateway, serving
from tests.gateway.gateway_ways import WAYS, Way


@pytest.fixture(scope="session")
def stackspot() -> Iterator[Emulator]:
    """The StackSpot behind the gateway."""
    with Emulator() as running:
        yield running


@pytest.fixture(scope="session")
def running_gateway(stackspot: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """`aider-stackspot serve --workers 2`, as on its first start."""
    with serving(tmp_path_factory.mktemp("gateway"), stackspot.environment(), "--workers", "2") as gateway:
        yield gateway


@pytest.fixture
def gateway(running_gateway: Gateway, stackspot: Emulator) -> Gateway:
    """The gateway, with a StackSpot that is well and knows nothing of earlier tests."""
    stackspot.reset()
    stackspot.rotate("stackspot", "client-id", "client-key")
    stackspot.answer = hello
    stackspot.style = Style()
    return running_gateway


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__)
def way(request: pytest.FixtureRequest) -> Way:
    """Each protocol, streaming and not."""
    chosen: Way = request.param
    return chosen
