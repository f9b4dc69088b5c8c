"""A server that lists two models and wants a key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.compatible.helper import KEY
from tests.compatible.openai_server import OpenAIServer, models


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(models("a", "b", max_model_len=1000), key=KEY) as running:
        yield running
