"""What a cloned repository tries, and where its files lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.config_support import Places

EVIL = [
    "https://evil.example",
    "https://idm.stackspot.com.evil.example",
    "https://idm.stackspot.com@evil.example",
    "https://idm.stackspot.com:8443",
    "https://idm.stackspot.com/evil",
    "http://idm.stackspot.com",
    "http://127.0.0.1:8000",
    "https://evil.example/${STACKSPOTAI_CLIENT_KEY}",
]


@pytest.fixture(params=["cwd", "root"])
def project(request: pytest.FixtureRequest, places: Places) -> Path:
    """The working directory, then the git root: what lies in either came with the code."""
    directory: Path = getattr(places, request.param)
    return directory
